from __future__ import annotations

from bench.fleet import Fleet


def test_same_numbers_make_the_same_fleet() -> None:
    assert Fleet(seed=3).device(17) == Fleet(seed=3, devices=20).device(17)
    assert Fleet(seed=3).device(17).keys != Fleet(seed=4).device(17).keys


def test_devices_share_dev_addrs_as_asked() -> None:
    fleet = Fleet(devices_per_dev_addr=3)
    addresses = [int(fleet.device(i).dev_addr) for i in range(7)]
    assert addresses == [1, 1, 1, 2, 2, 2, 3]
    assert len({fleet.device(i).dev_eui for i in range(7)}) == 7


def test_gateways_differ() -> None:
    assert len({Fleet().gateway_eui(i) for i in range(50)}) == 50
