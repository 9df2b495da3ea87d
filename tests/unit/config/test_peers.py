from __future__ import annotations

import pytest

from bittern.config.peers import place_of


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("?", "?"),
    ],
)
def test_address_of_ipv6_counts_as_its_network(address: str, place: str) -> None:
    assert place_of(address) == place
