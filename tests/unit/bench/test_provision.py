from __future__ import annotations

from pathlib import Path

import msgspec

from bench.fleet import Fleet
from bench.provision import DESTINATION, TOPIC, provision
from bittern import installation
from bittern.config import Configuration
from bittern.simulator.credentials import Credentials
from bittern.store.records import DEFAULT_ACCOUNT
from bittern.types import Instant

FLEET = Fleet(devices=5, gateways=2, devices_per_dev_addr=2)


async def test_fleet_is_registered_with_sessions_and_files(tmp_path: Path) -> None:
    configuration = msgspec.structs.replace(Configuration(), data_dir=tmp_path / "data")
    await provision(configuration, FLEET, tmp_path / "gateways", "wss://localhost:8887")
    async with installation.opened_store(configuration, Instant(0.0)) as store:
        assert len(await store.devices()) == 5
        assert len(await store.gateways()) == 2
        destination = await store.destination(DEFAULT_ACCOUNT, DESTINATION)
        assert destination is not None
        assert destination.expression == TOPIC
        one = FLEET.device(3)
        sessions = await store.sessions_at(one.dev_addr)
        assert {session.dev_eui for session in sessions} == {one.dev_eui, FLEET.device(2).dev_eui}
        assert one.keys in [session.keys for session in sessions]
    for index in range(2):
        home = tmp_path / "gateways" / str(FLEET.gateway_eui(index))
        assert Credentials.read(home).tls() is not None
