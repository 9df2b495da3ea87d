"""Who is one and the same among those that connect, where something is counted for each."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

NETWORK_BITS = 64
"""Of IPv6: who has one address has the 2^64 of its network (RFC 4291, 2.5.1)."""


def place_of(address: str) -> str:
    """An address of IPv4 stands for itself, one of IPv6 for its network; other text is returned
    as it is."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((found, NETWORK_BITS), strict=False))
