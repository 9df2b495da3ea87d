from __future__ import annotations

import random
from pathlib import Path

import pytest

from bittern.cli.demo.cast import (
    DEVICES,
    GATEWAYS,
    Cast,
    DevicePart,
    register_device,
    register_gateway,
)
from bittern.config import Configuration
from bittern.installation import opened_store
from bittern.lorawan.regions import plan
from bittern.store.records import AbpActivation
from bittern.types import Instant

NOW = Instant(1_800_000_000.0)


def test_every_kind_of_activation_plays_in_both_regions() -> None:
    assert {(part.joins, part.version) for part in DEVICES} >= {
        (True, "1.0.3"),
        (True, "1.1"),
        (False, "1.0.3"),
        (False, "1.1"),
    }
    assert {part.region for part in DEVICES} == {"EU868", "US915"}
    assert len({part.dev_eui for part in DEVICES}) == len(DEVICES)


@pytest.mark.parametrize("part", DEVICES, ids=lambda part: part.name)
def test_every_device_is_heard_and_says_what_fits(part: DevicePart) -> None:
    assert list(Cast().within_reach(part))
    payloads = {part.payload(random.Random(seed)) for seed in range(20)}
    slowest = plan(part.region).max_payload_size(0)
    assert max(map(len, payloads)) <= max(slowest, 51)
    assert len(payloads) > 1


@pytest.mark.parametrize("part", DEVICES, ids=lambda part: part.name)
async def test_device_and_server_have_the_same_keys(part: DevicePart, tmp_path: Path) -> None:
    async with opened_store(Configuration(data_dir=tmp_path), NOW) as store:
        simulated = await register_device(store, part, random.Random(1), NOW)
        stored = await store.device(part.dev_eui)
        sessions = await store.sessions_of(part.dev_eui)
    assert stored is not None
    if isinstance(stored.activation, AbpActivation):
        (session,) = sessions
        assert simulated.session is not None
        assert session.keys == simulated.activation.keys
        assert session.dev_addr == simulated.session.dev_addr
    else:
        assert simulated.session is None
        assert simulated.activation.app_key == stored.activation.app_key
        assert simulated.activation.nwk_key == stored.activation.nwk_key


async def test_gateways_are_registered_with_their_files(tmp_path: Path) -> None:
    configuration = Configuration(data_dir=tmp_path / "data")
    async with opened_store(configuration, NOW) as store:
        for part in GATEWAYS:
            await register_gateway(
                store,
                configuration,
                part,
                folder=tmp_path / part.name,
                uri="wss://127.0.0.1:1",
                now=NOW,
            )
            assert len(await store.certificates_of(part.eui)) == 1
            assert (tmp_path / part.name / "tc.uri").read_text() == "wss://127.0.0.1:1\n"
        assert [one.sub_bands for one in await store.gateways()] == [(), (), (2,)]


async def test_everybody_can_play_in_one_region(tmp_path: Path) -> None:
    cast = Cast.of("AS923-1")
    assert [part.name for part in cast.devices] == [part.name for part in DEVICES]
    assert list(cast.within_reach(cast.devices[0])) == list(cast.gateways)
    async with opened_store(Configuration(data_dir=tmp_path), NOW) as store:
        for part in cast.devices:
            simulated = await register_device(store, part, random.Random(1), NOW)
            assert simulated.region.name == "AS923-1"


def test_without_a_region_everybody_is_at_home() -> None:
    assert Cast.of(None) == Cast(GATEWAYS, DEVICES)
