from __future__ import annotations

import msgspec
import pytest

from bittern.errors import SealBroken
from bittern.keys.ring import KeyRing
from bittern.mac.session import RadioState, Session
from bittern.store import codec
from bittern.testing.examples import (
    DESTINATION,
    DEVICE_PROFILE,
    NOW,
    SERVICE_PROFILE,
    delivery,
    device,
    downlink,
    join_state,
    next_session,
    session,
)
from bittern.types import EUI64, AppKey, DevEUI, Instant


class Old(msgspec.Struct):
    id: str
    height_m: float


class New(msgspec.Struct):
    id: str
    height_m: float
    euis: tuple[DevEUI, ...] = ()
    tags: list[str] = msgspec.field(default_factory=list)


class Careless(msgspec.Struct):
    id: str
    key: AppKey


@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_the_rest_of_a_record_round_trips(form: str) -> None:
    rest = codec.Rest(New, ("id",), form)
    record = New("a", 2.5, (DevEUI(EUI64(bytes(range(8)))),), ["x"])
    loaded = rest.load(rest.dump(record))
    assert New(id="a", **loaded) == record
    assert type(loaded["euis"][0]) is EUI64


@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_a_row_from_before_a_field_has_its_default(form: str) -> None:
    body = codec.Rest(Old, ("id",), form).dump(Old("a", 2.5))
    assert New(id="a", **codec.Rest(New, ("id",), form).load(body)) == New("a", 2.5)


@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_a_row_from_after_a_field_loses_what_is_not_known(form: str) -> None:
    body = codec.Rest(New, ("id",), form).dump(New("a", 2.5, tags=["x"]))
    assert codec.Rest(Old, ("id",), form).load(body) == {"height_m": 2.5}


def test_json_has_the_defaults_so_that_they_may_change_later() -> None:
    body = codec.Rest(New, ("id",), "json").dump(New("a", 2.5))
    assert body == b'{"height_m":2.5,"euis":[],"tags":[]}'


def test_msgpack_has_only_what_differs_from_a_default() -> None:
    body = codec.Rest(New, ("id",), "msgpack").dump(New("a", 2.5))
    assert msgspec.msgpack.decode(body) == {"height_m": 2.5}


def test_no_default_of_a_session_ever_changes() -> None:
    """What is stored by its absence; a field may be added here, but none may change."""
    state = {
        "counts_32_bits": True,
        "repeats": 0,
        "confirmed_down": (),
        "awaited_ack": None,
        "last_uplink_at": None,
    }
    radio = {"extra_channels": ()}
    for kind, expected in ((Session, state), (RadioState, radio)):
        defaults = {field.name: field.default for field in msgspec.structs.fields(kind)}
        assert {name: defaults[name] for name in expected} == expected


def test_what_an_uplink_writes_is_small() -> None:
    before = session()
    step = codec.session_step(before, next_session(before, last_uplink_at=NOW))
    assert step[6] is None, "the state did not change"


def test_a_state_that_changes_is_written_whole() -> None:
    before = session()
    step = codec.session_step(before, next_session(before, uplink_history=bytes(40)))
    assert step[6] is not None
    assert len(step[6]) < 180


@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_a_key_cannot_get_into_a_map(form: str) -> None:
    rest = codec.Rest(Careless, ("id",), form)
    with pytest.raises(TypeError, match="AppKey has no place in a row"):
        rest.dump(Careless("a", AppKey(b"root application")))


def test_a_session_row_round_trips(vault: KeyRing) -> None:
    assert codec.session_from_row(codec.session_to_row(session(), vault), vault) == session()


def test_a_step_has_no_keys_and_seals_nothing(vault: KeyRing) -> None:
    before = session()
    after = next_session(before, nfcnt_down=5, last_uplink_at=Instant(NOW + 1))
    row = codec.session_to_row(before, vault)
    step = codec.session_step(before, after)
    assert step[8:] == (bytes(before.dev_eui), before.generation, before.revision)
    revision, pending, *counted, state = step[:7]
    assert state is None
    moved = (*row[:2], revision, pending, *row[4:8], *counted, *row[12:])
    assert codec.session_from_row(moved, vault) == after


def test_a_session_from_before_a_field_has_its_default(vault: KeyRing) -> None:
    row = codec.session_to_row(session(), vault)
    state = msgspec.msgpack.decode(row[13])
    assert set(state) == {"radio"}
    old = (*row[:13], msgspec.msgpack.encode(state | {"forgotten": 1}), row[14])
    assert codec.session_from_row(old, vault) == session()


def test_session_keys_open_in_their_own_row_only(vault: KeyRing) -> None:
    row = codec.session_to_row(session(), vault)
    other = codec.session_to_row(session(1), vault)
    with pytest.raises(SealBroken):
        codec.session_from_row((*row[:12], other[12], *row[13:]), vault)
    with pytest.raises(SealBroken):
        codec.session_from_row((row[0], 2, *row[2:]), vault)


def test_root_keys_open_in_their_own_row_only(vault: KeyRing) -> None:
    row = codec.device_to_row(device(), vault)
    assert codec.device_from_row(row, vault) == device()
    with pytest.raises(SealBroken):
        codec.device_from_row(codec.device_to_row(device(1), vault)[:1] + row[1:], vault)


def test_documents_and_payloads_open_in_their_own_row_only(vault: KeyRing) -> None:
    owed = codec.delivery_to_row(delivery(1), vault)
    assert codec.delivery_from_row((5, *owed), vault) == delivery(1, sequence=5)
    with pytest.raises(SealBroken):
        codec.delivery_from_row((5, "another", *owed[1:]), vault)
    queued = codec.downlink_to_row(downlink(1), vault)
    assert codec.downlink_from_row(queued, vault) == downlink(1)
    with pytest.raises(SealBroken):
        codec.downlink_from_row(("another", *queued[1:]), vault)


def test_rows_without_secrets_round_trip() -> None:
    state = join_state(used_dev_nonces=frozenset(range(0, 65536, 257)))
    assert codec.join_state_from_row(codec.join_state_to_row(state)) == state
    profile = codec.device_profile_to_row(DEVICE_PROFILE)
    assert codec.device_profile_from_row(profile) == DEVICE_PROFILE
    service = codec.service_profile_to_row(SERVICE_PROFILE)
    assert codec.service_profile_from_row(service) == SERVICE_PROFILE
    assert codec.destination_from_row(codec.destination_to_row(DESTINATION)) == DESTINATION


def test_no_row_holds_a_secret(vault: KeyRing) -> None:
    rows = (
        codec.device_to_row(device(), vault),
        codec.session_to_row(session(), vault),
        codec.delivery_to_row(delivery(), vault),
        codec.downlink_to_row(downlink(), vault),
    )
    for secret in (b"root application", b"application sess", b"aGVsbG8=", b"open the valve"):
        assert secret not in repr(rows).encode()
        assert not any(secret in part for row in rows for part in row if type(part) is bytes)


def test_of_a_root_key_in_a_token_a_row_has_the_name(vault: KeyRing) -> None:
    before = device(3)
    activation = msgspec.structs.replace(
        before.activation, app_key=AppKey.in_token("0003 AppKey"), nwk_key=None
    )
    row = codec.device_to_row(msgspec.structs.replace(before, activation=activation), vault)
    after = codec.device_from_row(row, vault).activation
    assert after == activation
    assert after.app_key.reference == "0003 AppKey"
    with pytest.raises(LookupError):
        codec.secret_bytes(after.app_key)
