"""Devices and gateways as the server sees them from outside.

The network's half of the protocol is in ``mac`` and ``gateway``; this is the other half, written
from the specification a second time, so that a misreading on one side shows as a disagreement.
Only frames, cryptography and identifiers are shared.
"""
