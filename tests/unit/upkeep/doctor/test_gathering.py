from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from bittern.config import Api, Configuration, Mqtt, Server
from bittern.installation import opened_store
from bittern.lorawan.crypto import SessionKeys
from bittern.mac.session import Hold
from bittern.store.records import AbpActivation, OtaaActivation
from bittern.testing import examples
from bittern.types import AppKey, DevAddr, Instant
from bittern.upkeep.doctor.gathering import (
    clock_synchronized,
    device_keys,
    gather,
    listeners,
    versions,
)

NOW = Instant(1_700_000_000.0)
WEAK = AppKey(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"))


@pytest.fixture
async def configuration(tmp_path: Path) -> Configuration:
    made = Configuration(data_dir=tmp_path / "data")
    async with opened_store(made, NOW) as store:
        await examples.register(store)
        session = examples.session(last_uplink_at=Instant(NOW + 5))
        await store.activate(None, examples.join_state(), session)
        await store.add_gateway(examples.GATEWAY)
        await store.add_certificate(examples.CERTIFICATE)
        await store.add_account(examples.ACCOUNT)
        await store.add_access_key(examples.ACCESS_KEY)
    return made


async def test_the_facts_of_a_new_installation(configuration):
    facts = await gather(configuration, NOW, deep=True)
    assert facts.provider.problem == ""
    assert [key.state for key in facts.data_keys] == ["active"]
    assert {key.name for key in facts.keys} == {"AppKey", "NwkKey"}
    assert [key.id for key in facts.access_keys] == [examples.ACCESS_KEY.id]
    assert [one.gateway_eui for one in facts.gateways] == [examples.GATEWAY_EUI]
    assert facts.clock.last_event == NOW + 5
    assert facts.database.faults == ()
    assert facts.database.sealed == 3
    assert facts.disk.fsync_s >= 0
    assert all(not path.mode & 0o077 and path.ours for path in facts.paths)
    assert {Path(path.path).name for path in facts.paths if path.secret} == {"data.key"}


async def test_nothing_is_changed_by_looking(configuration):
    def state() -> dict[str, bytes]:
        kept = (path for path in configuration.data_dir.rglob("*") if "db-" not in path.name)
        return {str(path): path.read_bytes() for path in kept if path.is_file()}

    before = state()
    await gather(configuration, NOW, deep=True)
    assert state() == before


async def test_no_key_is_among_the_facts(configuration):
    told = repr(await gather(configuration, NOW, deep=False))
    for key in (b"root application", b"root network key"):
        assert key.hex() not in told
        assert key.decode() not in told


async def test_a_provider_that_refuses_is_a_fact(configuration):
    key = configuration.data_dir / "data.key"
    key.write_text("key " + "ab" * 32 + "\n")
    facts = await gather(configuration, NOW, deep=False)
    assert "data key 1" in facts.provider.problem
    assert facts.keys == ()


async def test_an_older_schema_is_left_as_it_is(configuration):
    database = sqlite3.connect(configuration.data_dir / "bittern.db")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    database.execute(f"PRAGMA user_version = {version - 1}")
    database.close()
    facts = await gather(configuration, NOW, deep=True)
    assert (facts.database.schema, facts.database.newest) == (version - 1, version)
    assert facts.database.sealed is None


async def test_a_held_session_is_counted(configuration):
    async with opened_store(configuration, NOW) as store:
        (session,) = await store.sessions_of(examples.DEV_EUI)
        held = msgspec.structs.replace(session, revision=session.revision + 1, hold=Hold(None))
        await store.advance(session, held)
    assert (await gather(configuration, NOW, deep=False)).held_sessions == 1


def test_keys_are_judged_and_not_told():
    device = examples.device(activation=OtaaActivation(join_eui=examples.JOIN_EUI, app_key=WEAK))
    (fact,) = device_keys(device, b"salt")
    assert fact.weakness == "published: AES example of FIPS 197"
    keys = SessionKeys.of_1_0(WEAK.reveal(), bytes(16))
    personal = examples.device(
        activation=AbpActivation(dev_addr=DevAddr.from_hex("01000001"), keys=keys)
    )
    names = {one.name: one for one in device_keys(personal, b"salt")}
    assert names["NwkSKey"].fingerprint == fact.fingerprint
    assert names["AppSKey"].weakness == "all zeros"


def test_listeners_are_those_of_the_configuration():
    made = Configuration(
        server=Server(bind="0.0.0.0"), api=Api(tls=True), mqtt=Mqtt(allow_plain=True)
    )
    found = {one.name: one for one in listeners(made)}
    assert found["api"].tls
    assert not found["mqtt"].tls
    assert found["mqtt"].on_purpose
    assert found["lns"].host == "0.0.0.0"
    assert "mqtt" not in {one.name for one in listeners(Configuration())}


def test_the_machine_can_be_asked():
    assert clock_synchronized() in (True, False, None)
    assert all(one.found >= one.least for one in versions())
