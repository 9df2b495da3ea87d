"""The certificate authority: who a gateway is, and who the server is.

``authority`` makes and keeps the root, ``issuing`` signs certificates of gateways and of the
server, ``fingerprints`` names a certificate, ``identity`` keeps the server's own, and ``tls`` is
what a listener speaks. ``firmware_signatures`` signs images for gateways. The time is an argument
everywhere.
"""
