"""The certificate authority: who a gateway is, and who the server is."""
