"""Device addresses of a network: the NetID's prefix, then the network's own bits (TS002-1.1.0, 13).

| NetID type   |  0 |  1 |  2 |  3 |  4 |  5 |  6 |  7 |
|--------------|----|----|----|----|----|----|----|----|
| type prefix  |  0 | 10 | 110 and so on, one bit more each |
| NwkID bits   |  6 |  6 |  9 | 11 | 12 | 13 | 15 | 17 |
| NwkAddr bits | 25 | 24 | 20 | 17 | 15 | 13 | 10 |  7 |
"""

from __future__ import annotations

from bittern.types import DevAddr, NetID

_NWK_ID_BITS = (6, 6, 9, 11, 12, 13, 15, 17)
_NWK_ADDR_BITS = (25, 24, 20, 17, 15, 13, 10, 7)


def net_id_type(net_id: NetID) -> int:
    """The three most significant bits."""
    return net_id[0] >> 5


def nwk_addr_bits(net_id: NetID) -> int:
    """How many bits of a DevAddr the network gives out itself."""
    return _NWK_ADDR_BITS[net_id_type(net_id)]


def dev_addr(net_id: NetID, nwk_addr: int) -> DevAddr:
    """`nwk_addr` may have more bits than there is room for; the upper ones are dropped."""
    kind = net_id_type(net_id)
    addr_bits, id_bits = _NWK_ADDR_BITS[kind], _NWK_ID_BITS[kind]
    nwk_id = int(net_id) & (1 << id_bits) - 1
    ones_then_zero = (1 << kind + 1) - 2
    prefix = ones_then_zero << id_bits | nwk_id
    return DevAddr.from_int(prefix << addr_bits | nwk_addr & (1 << addr_bits) - 1)


def belongs_to(address: DevAddr, net_id: NetID) -> bool:
    """The address is one that this network may have given."""
    return dev_addr(net_id, int(address)) == address
