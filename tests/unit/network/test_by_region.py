from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan.radio import Reception
from bittern.lorawan.regions import plan
from bittern.mac.refused import Refused
from bittern.network.by_region import by_region
from bittern.network.deduplication import Gathered
from bittern.network.directory import Directory
from bittern.testing import examples
from bittern.testing.memory_store import MemoryStore
from bittern.types import EUI64, GatewayEUI, Instant, Refusal

REGIONS = {1: "EU868", 2: "US915", 3: "EU868", 4: "AU915"}
UNREGISTERED = 9
EU868, US915, AU915 = (plan(name) for name in ("EU868", "US915", "AU915"))


def copy(gateway: int, frequency_hz: int = 868_100_000, data_rate: int = 0) -> Reception:
    eui = GatewayEUI(EUI64.from_int(gateway))
    return Reception(eui, frequency_hz, data_rate, -80, 9.0, Instant(1000.0), 1, 0)


def frame(*copies: Reception) -> Gathered:
    return Gathered(b"frame", copies)


@pytest.fixture
async def directory() -> Directory:
    store = MemoryStore()
    for number, region in REGIONS.items():
        eui = GatewayEUI(EUI64.from_int(number))
        await store.add_gateway(
            msgspec.structs.replace(
                examples.GATEWAY, id=str(eui), gateway_eui=eui, region=region, sub_bands=()
            )
        )
    return Directory(store)


@pytest.mark.parametrize("gateways", [(1,), (1, 3)])
async def test_a_frame_that_one_region_has_heard_is_left_as_it_is(directory, gateways):
    gathered = frame(*map(copy, gateways))
    [heard] = await by_region(gathered, directory)
    assert heard.gathered is gathered
    assert heard.plan is EU868


async def test_a_good_copy_saves_the_frame_from_one_that_makes_no_sense_where_it_was_heard(
    directory,
):
    """868.1 MHz is no frequency of US915, however well its gateway has heard it."""
    best, good, as_good = copy(2), copy(1), copy(3)
    [heard] = await by_region(frame(best, good, as_good), directory)
    assert heard.gathered.receptions == (good, as_good)
    assert heard.plan is EU868


async def test_a_copy_of_a_gateway_that_is_not_registered_spoils_no_other(directory):
    [heard] = await by_region(frame(copy(UNREGISTERED), copy(1)), directory)
    assert heard.gathered.best == copy(1)


async def test_copies_that_make_sense_in_several_regions_are_kept_apart(directory):
    """916.8 MHz is in US915 and in AU915; the numbers of data rates are each region's own."""
    american = copy(2, 916_800_000, 1)
    australian = copy(4, 916_800_000, 3)
    first, second = await by_region(frame(american, australian), directory)
    assert (first.gathered.receptions, first.plan) == ((american,), US915)
    assert (second.gathered.receptions, second.plan) == ((australian,), AU915)


@pytest.mark.parametrize(
    ("copies", "refusal", "reason"),
    [
        ((copy(UNREGISTERED),), Refusal.UNKNOWN_GATEWAY, "no longer registered"),
        ((copy(1, data_rate=15),), Refusal.WRONG_REGION, "EU868 has no data rate 15"),
        ((copy(2, 903_000_000, 8),), Refusal.WRONG_REGION, "DR8 of US915 is for downlinks alone"),
        ((copy(2), copy(4)), Refusal.WRONG_REGION, "868100000 Hz is outside US915"),
        ((copy(UNREGISTERED), copy(2)), Refusal.UNKNOWN_GATEWAY, "no longer registered"),
    ],
)
async def test_when_no_copy_makes_sense_the_best_one_says_why(directory, copies, refusal, reason):
    refused = await by_region(frame(*copies), directory)
    assert isinstance(refused, Refused)
    assert (refused.refusal, refused.reason) == (refusal, reason)
