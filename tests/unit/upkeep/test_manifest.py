from __future__ import annotations

import msgspec
import pytest

from bittern.errors import BackupUnusable
from bittern.keys.data_keys import DataKey
from bittern.keys.ring import KEY_SIZE, KeyRing
from bittern.types import Instant
from bittern.upkeep.manifest import BackupKeys, Manifest, Part, decode, encode, is_plain, new_salt

RING = KeyRing({1: bytes(KEY_SIZE)})
KEY = DataKey(
    id=1, provider="file", wrapped=b"wrapped", created_at=Instant(0.0), state="active", sequence=1
)


def manifest(**different: object) -> Manifest:
    made = Manifest(
        format=1,
        bittern="0.1.0",
        schema=13,
        created_at=Instant(1.5),
        salt="aa",
        provider="file",
        provider_is="file data.key",
        keys=(KEY,),
        parts=(Part("bittern.db", 10, "00"),),
        with_key=False,
    )
    return msgspec.structs.replace(made, **different)


def test_a_manifest_comes_back_as_it_was():
    assert decode(encode(manifest()), "x") == manifest()


def test_a_sealed_manifest_is_genuine_and_no_changed_one_is():
    keys = BackupKeys(RING, "aa")
    made = keys.seal(manifest())
    assert keys.is_genuine(decode(encode(made), "x"))
    changes = {
        "schema": 12,
        "created_at": Instant(2.5),
        "provider_is": "file elsewhere",
        "parts": (),
        "with_key": True,
        "keys": (KEY, KEY),
    }
    for name, value in changes.items():
        assert not keys.is_genuine(msgspec.structs.replace(made, **{name: value})), name


def test_no_two_backups_and_no_two_parts_share_a_key():
    one, other = BackupKeys(RING, "aa"), BackupKeys(RING, "bb")
    drawn = {keys.of_part(name) for keys in (one, other) for name in ("bittern.db", "mqtt.db")}
    assert len(drawn) == 4
    assert new_salt() != new_salt()


def test_keys_do_not_print():
    assert repr(BackupKeys(RING, "aa")) == "BackupKeys(…)"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no json", "cannot be read"),
        (b'{"format": 2}', "later bittern"),
        (b'{"format": 1}', "cannot be read"),
        (encode(manifest(keys=())), "no data key"),
        (encode(manifest(parts=(Part("../x", 1, "00"),))), "has the name"),
        (encode(manifest(parts=(Part("a", 1, "00"),) * 2)), "one name"),
    ],
)
def test_what_is_no_manifest_is_refused_with_the_reason(data, reason):
    with pytest.raises(BackupUnusable, match=reason):
        decode(data, "x.backup")


@pytest.mark.parametrize("name", ["", "/etc/passwd", "a//b", "a/../b", ".", "a/", "a\nb", "a\\b"])
def test_names_that_leave_the_folder_are_not_plain(name):
    assert not is_plain(name)


def test_names_of_files_are_plain():
    assert is_plain("pki/ca.key")
    assert is_plain("firmware/Größe (1).bin")
