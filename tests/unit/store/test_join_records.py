from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan.versions import MacVersion
from bittern.store.join_records import SESSIONS_KEPT, AgreedSession, JoinDevice, JoinPeer, Spent
from bittern.store.records import OtaaActivation
from bittern.testing.examples import NOW
from bittern.types import EUI64, AppKey, AppSKey, DevEUI, JoinEUI, KeyEncryptionKey, NetID

KEY = b"a key of secrets"
RECORDS: list[msgspec.Struct] = [
    JoinDevice(
        dev_eui=DevEUI(EUI64.from_int(1)),
        mac_version=MacVersion.LORAWAN_1_0_3,
        keys=OtaaActivation(join_eui=JoinEUI(EUI64.from_int(2)), app_key=AppKey(KEY)),
        net_id=NetID(bytes(3)),
        created_at=NOW,
    ),
    JoinPeer(
        fingerprint="ab",
        kind="network",
        identity="000000",
        kek=KeyEncryptionKey(KEY),
        not_after=NOW,
        created_at=NOW,
    ),
    AgreedSession(session_key_id=b"1", app_s_key=AppSKey(KEY), at=NOW),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: type(one).__name__)
def test_a_record_does_not_print_its_keys(record: msgspec.Struct) -> None:
    assert "secrets" not in repr(record)
    assert KEY.hex() not in repr(record)


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: type(one).__name__)
def test_a_record_is_not_written_without_being_asked_how(record: msgspec.Struct) -> None:
    with pytest.raises(TypeError, match="unsupported"):
        msgspec.json.encode(record)


def test_a_device_that_never_joined_has_used_up_nothing() -> None:
    assert Spent() == Spent(state=None, sessions=(), body=None)
    assert SESSIONS_KEPT >= 2, "the one in use, and the one that is offered"
