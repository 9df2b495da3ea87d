"""Databases as earlier versions left them, opened by today's code. `dump.py` beside them made them.

What is expected is written out here: the examples that they were made of may change.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bittern.keys.ring import KeyRing
from bittern.lorawan.versions import MacVersion
from bittern.mac.session import AwaitedAck
from bittern.store.ports.sessions import Deliver
from bittern.store.records import AbpActivation, OtaaActivation
from bittern.store.rule_records import DeadLetterFilter
from bittern.store.sqlite import SqliteStore
from bittern.store.sqlite.migrations import known_migrations
from bittern.testing.examples import delivery, next_session
from bittern.types import EUI64, AppKey, AppSKey, DevAddr, DevEUI, FNwkSIntKey, GatewayEUI, Refusal

DATABASES = Path(__file__).parents[2] / "databases"
OTAA = DevEUI(EUI64.from_hex("70b3d57ed0000001"))
ABP = DevEUI(EUI64.from_hex("70b3d57ed0000002"))
GATEWAY_EUI = GatewayEUI(EUI64.from_hex("00800000a0000001"))
FLEET = 5
"""The schema from which on there are gateways in the field."""
DELIVERY = 6
"""The schema from which on there are rules, lanes and dead letters."""

ACCESS = 9
"""The schema from which on there are accounts and access keys."""

GROUPS = 10
"""The schema from which on there are multicast groups and firmware updates of devices."""

PLACES = 13
"""The schema from which on places name accounts."""

LANES = ("000000000000/meters/0/republish",)


@pytest.fixture(params=sorted(path.stem for path in DATABASES.glob("*.sql")))
async def old(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    connection = sqlite3.connect(tmp_path / "bittern.db")
    connection.executescript((DATABASES / f"{request.param}.sql").read_text())
    assert connection.execute("PRAGMA user_version").fetchone() == (int(request.param),)
    connection.close()
    earlier = frozenset({1} if int(request.param) < PLACES else ())
    ring = KeyRing({1: bytes(range(32))}, earlier=earlier)
    store = SqliteStore(tmp_path / "bittern.db", ring)
    await store.open()
    yield store
    await store.close()


def test_every_schema_is_under_test() -> None:
    numbers = [int(path.stem) for path in sorted(DATABASES.glob("*.sql"))]
    assert numbers == list(range(1, len(known_migrations()) + 1))


async def test_devices_have_their_keys(old: SqliteStore) -> None:
    otaa, abp = await old.devices()
    assert (otaa.dev_eui, otaa.name, otaa.destination) == (OTAA, "sensor 0", "plant")
    assert isinstance(otaa.activation, OtaaActivation)
    assert otaa.activation.app_key == AppKey(b"root application")
    assert isinstance(abp.activation, AbpActivation)
    assert abp.activation.fcnt_start == 12
    assert abp.activation.keys.app_s_key == AppSKey(b"application sess")


async def test_sessions_go_on(old: SqliteStore) -> None:
    joined, personalized = await old.sessions_at(DevAddr.from_hex("26011bda"))
    assert (joined.dev_eui, joined.generation, joined.revision) == (OTAA, 1, 1)
    assert (joined.fcnt_up, joined.nfcnt_down, joined.pending) == (0, 5, False)
    assert joined.awaited_ack == AwaitedAck("00000000-1111-4000-8000-000000000000", 4)
    assert joined.radio.rx2_frequency_hz == 869_525_000
    assert joined.mac_version is MacVersion.LORAWAN_1_0_3
    assert joined.keys.f_nwk_s_int_key == FNwkSIntKey(b"forwarding s int")
    assert (personalized.dev_eui, personalized.fcnt_up) == (ABP, 11)
    assert await old.advance(joined, next_session(joined), Deliver(delivery())) == 3


async def test_joins_are_remembered(old: SqliteStore) -> None:
    state = await old.join_state(OTAA)
    assert state is not None
    assert (state.next_join_nonce, state.used_dev_nonces) == (2, frozenset({7}))


async def test_what_was_owed_and_queued_still_is(old: SqliteStore) -> None:
    [owed] = await old.owed(0, 10)
    assert (owed.sequence, owed.document) == (2, b'{"PayloadData":"aGVsbG8="}')
    assert await old.owed_count() == 1 + sum([len(await old.owed(0, 9, x)) for x in LANES])
    [queued] = await old.queued(OTAA)
    assert (queued.payload, queued.fport, queued.confirmed) == (b"open the valve", 2, True)


async def test_gateways_have_their_certificates(old: SqliteStore) -> None:
    gateway = await old.gateway(GATEWAY_EUI)
    assert gateway is not None
    assert (gateway.name, gateway.sub_bands) == ("roof", (2,))
    [certificate] = await old.certificates_of(GATEWAY_EUI)
    assert (certificate.fingerprint, certificate.active) == ("ab" * 32, True)


async def test_gateways_in_the_field_are_known(
    old: SqliteStore, request: pytest.FixtureRequest
) -> None:
    if int(request.node.callspec.params["old"]) < FLEET:
        assert await old.gateway_states() == []
        assert await old.foreign_certificates() == []
        return
    state = await old.gateway_state(GATEWAY_EUI)
    assert state.connection is not None
    assert (state.connection.station, state.connection.received) == ("2.0.6(linux/std)", 12)
    assert state.cups is not None
    assert [gift.value for gift in state.cups.gifts] == ["wss://lns.example:8887"]
    assert state.refusal is not None
    assert state.refusal.refusal is Refusal.STATION_TOO_OLD
    [certificate] = await old.foreign_certificates()
    assert (certificate.purpose, certificate.pem[:10]) == ("cups", "-----BEGIN")
    task = await old.firmware_task(GATEWAY_EUI)
    assert task is not None
    assert task.status == "PENDING"
    assert await old.firmware_tasks(task.definition_id) == [task]
    definition = await old.firmware(task.definition_id)
    assert definition is not None
    assert (definition.update.package, definition.signature) == ("1.1.0", bytes(range(70)))


async def test_the_registry_is_whole(old: SqliteStore) -> None:
    [profile] = await old.device_profiles("000000000000")
    assert (profile.name, profile.region) == ("sensor", "EU868")
    assert profile.reg_params_revision == ""
    [service] = await old.service_profiles("000000000000")
    assert service.add_gateway_metadata
    [destination] = await old.destinations("000000000000")
    assert (destination.name, destination.expression) == ("plant", "plant/uplinks")
    assert await old.last_change() > 0


async def test_rules_lanes_and_dead_letters_are_kept(
    old: SqliteStore, request: pytest.FixtureRequest
) -> None:
    if int(request.node.callspec.params["old"]) < DELIVERY:
        assert await old.rules("000000000000") == []
        assert await old.lanes() == []
        assert await old.dead_letters(DeadLetterFilter()) == []
        return
    [rule] = await old.rules("000000000000")
    assert (rule.name, rule.enabled, len(rule.actions)) == ("meters", True, 2)
    assert rule.error_action == {"republish": {"roleArn": "arn", "topic": "meters/errors"}}
    [lane] = await old.lanes()
    [owed] = await old.owed(0, 10, lane)
    assert (owed.sequence, owed.document) == (1, b'{"PayloadData":"aGVsbG8="}')
    [letter] = await old.dead_letters(DeadLetterFilter())
    assert (letter.rule, letter.action, letter.reason) == ("meters", "2 http", "rejected")
    assert letter.document == b'{"PayloadData":"aGVsbG8="}'


async def test_access_keys_open(old: SqliteStore, request: pytest.FixtureRequest) -> None:
    is_there = int(request.node.callspec.params["old"]) >= ACCESS
    assert [account.id for account in await old.accounts()] == ["111122223333"] * is_there
    keys = await old.access_keys()
    assert [(key.account, key.policies, key.active) for key in keys] == [
        ("111122223333", ("operator",), True)
    ] * is_there
    secrets = [key.secret.expose() for key in keys]
    assert secrets == ["an example, forty characters long......."] * is_there


async def test_groups_have_their_devices(old: SqliteStore, request: pytest.FixtureRequest) -> None:
    if int(request.node.callspec.params["old"]) < GROUPS:
        assert await old.multicast_groups("000000000000") == []
        assert await old.fuota_tasks("000000000000") == []
        return
    [group] = await old.multicast_groups("000000000000")
    assert (group.name, group.dl_class, group.gateways) == (
        "street lamps",
        "ClassC",
        (GATEWAY_EUI,),
    )
    assert group.session is not None
    assert (group.session.timeout_s, group.session.end_at) == (256, 1_700_003_856.0)
    devices = await old.group_devices(group.id)
    assert [(one.dev_eui, one.number, one.status) for one in devices] == [
        (OTAA, 1, "Package_Attempting"),
        (ABP, 1, "Package_Attempting"),
    ]
    [task] = await old.tasks_of_group(group.id)
    assert (task.image, task.redundancy_percent) == ("s3://images/lamps-1.1.0.bin", 25)
    assert task.session is not None
    assert task.session.start_at == 1_700_007_200.0
    receivers = await old.task_devices(task.id)
    assert [one.status for one in receivers] == ["Initial", "Not_enough_memory"]
