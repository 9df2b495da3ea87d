from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.mac.addresses import belongs_to, dev_addr, net_id_type, nwk_addr_bits
from bittern.types import DevAddr, NetID


@pytest.mark.parametrize(
    ("net_id", "low", "high"),
    [
        # The ranges that follow from TS002-1.1.0, table of DevAddr formats.
        ("000000", "00000000", "01ffffff"),
        ("000013", "26000000", "27ffffff"),
        ("00003f", "7e000000", "7fffffff"),
        ("200013", "93000000", "93ffffff"),
        ("400102", "d0200000", "d02fffff"),
        ("600123", "e2460000", "e247ffff"),
        ("800123", "f0918000", "f091ffff"),
        ("a00123", "f8246000", "f8247fff"),
        ("c00123", "fc048c00", "fc048fff"),
        ("e00123", "fe009180", "fe0091ff"),
    ],
)
def test_the_addresses_of_a_network_are_one_range(net_id, low, high):
    network = NetID.from_hex(net_id)
    assert str(dev_addr(network, 0)) == low
    assert str(dev_addr(network, -1 & 0xFFFFFFFF)) == high


@pytest.mark.parametrize(("kind", "bits"), list(enumerate((25, 24, 20, 17, 15, 13, 10, 7))))
def test_each_type_leaves_its_number_of_bits(kind, bits):
    network = NetID.from_int(kind << 21)
    assert net_id_type(network) == kind
    assert nwk_addr_bits(network) == bits


def test_only_the_low_bits_of_a_net_id_are_in_the_address():
    # Type 0 has 6 bits of NwkID; the rest of the identity does not fit.
    assert dev_addr(NetID.from_hex("000053"), 5) == dev_addr(NetID.from_hex("000013"), 5)


@given(net_id=st.integers(0, (1 << 24) - 1), nwk_addr=st.integers(0, (1 << 32) - 1))
def test_an_address_given_belongs_to_its_network(net_id, nwk_addr):
    network = NetID.from_int(net_id)
    given_address = dev_addr(network, nwk_addr)
    assert belongs_to(given_address, network)
    kept = (1 << nwk_addr_bits(network)) - 1
    assert int(given_address) & kept == nwk_addr & kept


@given(first=st.integers(0, 7), second=st.integers(0, 7), nwk_addr=st.integers(0, (1 << 25) - 1))
def test_addresses_of_different_types_never_meet(first, second, nwk_addr):
    address = dev_addr(NetID.from_int(first << 21), nwk_addr)
    assert belongs_to(address, NetID.from_int(second << 21)) == (first == second)


def test_a_foreign_address_is_told():
    assert not belongs_to(DevAddr.from_hex("48000000"), NetID.from_hex("000013"))
