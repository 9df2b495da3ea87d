"""Reads every byte that the store leaves on the disk, in search of a secret."""

from __future__ import annotations

import base64
from pathlib import Path

from bittern.store.ports.sessions import Deliver
from bittern.store.records import AbpActivation, OtaaActivation
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import (
    DEV_ADDR,
    GATEWAY,
    delivery,
    device,
    downlink,
    join_state,
    next_session,
    register,
    session,
    session_keys,
)
from bittern.types import AES128Key

KEYS = session_keys()
SECRETS = {
    "f_nwk_s_int_key": KEYS.f_nwk_s_int_key.reveal(),
    "s_nwk_s_int_key": KEYS.s_nwk_s_int_key.reveal(),
    "nwk_s_enc_key": KEYS.nwk_s_enc_key.reveal(),
    "app_s_key": KEYS.app_s_key.reveal(),
    "app_key": b"root application",
    "nwk_key": b"root network key",
    "payload": downlink().payload,
    "document": delivery().document,
    "a part of the document": b"PayloadData",
}


def test_the_secrets_are_those_of_the_examples() -> None:
    activation = device().activation
    assert isinstance(activation, OtaaActivation)
    keys: list[AES128Key | None] = [activation.app_key, activation.nwk_key]
    assert [key and key.reveal() for key in keys] == [SECRETS["app_key"], SECRETS["nwk_key"]]


def found_in(folder: Path, value: bytes) -> set[str]:
    """Names of the files that hold a value, as bytes or as text."""
    spellings = (
        value,
        value.hex().encode(),
        value.hex().upper().encode(),
        base64.b64encode(value).rstrip(b"="),
    )
    return {
        path.name for path in folder.iterdir() if any(one in path.read_bytes() for one in spellings)
    }


async def test_no_key_and_no_payload_is_on_the_disk(store: SqliteStore, tmp_path: Path) -> None:
    await store.open()
    await register(store)
    await store.add_gateway(GATEWAY)
    abp = AbpActivation(dev_addr=DEV_ADDR, keys=KEYS)
    await store.add_device(device(1, activation=abp), session(1, generation=0))
    await store.activate(None, join_state(), session(pending=True))
    used = next_session(session(pending=True), pending=False)
    await store.advance(session(pending=True), used, Deliver(delivery()))
    await store.advance(used, next_session(used), Deliver(delivery(1)))
    await store.enqueue(downlink())
    assert found_in(tmp_path, b"roof") == {"bittern.db-wal"}  # the search finds what is there
    for name, secret in SECRETS.items():
        assert found_in(tmp_path, secret) == set(), name
    await store.delivered([1])
    await store.close()
    assert found_in(tmp_path, b"roof") == {"bittern.db"}
    for name, secret in SECRETS.items():
        assert found_in(tmp_path, secret) == set(), name


async def test_every_file_is_private(store: SqliteStore, tmp_path: Path) -> None:
    await store.open()
    await register(store)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("bittern.db", "bittern.db-wal", "bittern.db-shm"), 0o600)
    await store.close()
