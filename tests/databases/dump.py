"""Writes a filled database of today's schema as SQL, for `test_old_databases.py`.

Run it before a migration is added, so that the schema it leaves behind stays under test:

    python tests/databases/dump.py > tests/databases/0001.sql
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from pathlib import Path

import msgspec

from bittern.keys.ring import KeyRing
from bittern.mac.session import AwaitedAck
from bittern.store.audit_records import AuditRecord
from bittern.store.group_records import TaskDevice
from bittern.store.notes import Note
from bittern.store.ports.sessions import Deliver
from bittern.store.records import AbpActivation
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import (
    ACCESS_KEY,
    ACCOUNT,
    CERTIFICATE,
    CODEC,
    CONNECTION,
    CUPS_CONTACT,
    DEV_ADDR,
    FIRMWARE,
    FIRMWARE_TASK,
    FOREIGN_CERTIFICATE,
    FUOTA_TASK,
    GATEWAY,
    GATEWAY_EUI,
    MULTICAST_GROUP,
    NOW,
    REFUSED,
    RULE,
    dead_letter,
    delivery,
    dev_eui,
    device,
    downlink,
    join_state,
    next_session,
    register,
    session,
    session_keys,
)
from bittern.types import GatewayEUI

DATA_KEY = bytes(range(32))


async def fill(store: SqliteStore) -> None:
    await store.open()
    await register(store)
    await store.add_gateway(GATEWAY)
    await store.add_certificate(CERTIFICATE)
    other = msgspec.structs.replace(GATEWAY, id="cellar", gateway_eui=GatewayEUI(dev_eui(9)))
    await store.add_gateway(other)
    foreign = msgspec.structs.replace(FOREIGN_CERTIFICATE, gateway_eui=other.gateway_eui)
    await store.add_certificate(foreign)
    for part in (CONNECTION, CUPS_CONTACT, REFUSED):
        await store.put_gateway_state(GATEWAY_EUI, part)
    await store.add_firmware(FIRMWARE)
    await store.add_firmware_task(FIRMWARE_TASK)
    abp = AbpActivation(dev_addr=DEV_ADDR, keys=session_keys(), fcnt_start=12)
    await store.add_device(device(1, activation=abp), session(1, generation=0, fcnt_up=11))
    first = session(pending=True)
    await store.activate(None, join_state(), first)
    after = next_session(
        first,
        pending=False,
        nfcnt_down=5,
        awaited_ack=AwaitedAck(downlink().message_id, 4),
        last_uplink_at=NOW,
    )
    await store.advance(first, after, Deliver(delivery()), Deliver(delivery(1)))
    await store.delivered([1])
    await store.add_rule(RULE)
    await store.add_codec(CODEC)
    tags = '{"site":"north"}'
    await store.put_notes(Note(kind="tags", name="Destination/plant", at=NOW, body=tags))
    await store.add_account(ACCOUNT)
    await store.add_access_key(ACCESS_KEY)
    await store.add_multicast_group(MULTICAST_GROUP)
    await store.add_group_devices(MULTICAST_GROUP, [dev_eui(0), dev_eui(1)])
    await store.add_fuota_task(FUOTA_TASK)
    await store.add_task_group(FUOTA_TASK, MULTICAST_GROUP.id)
    member = TaskDevice(task_id=FUOTA_TASK.id, dev_eui=dev_eui(1))
    await store.move_task_device(member, "Not_enough_memory")
    await store.settle(
        owed=[delivery(2, sequence=1, lane="000000000000/meters/0/republish")],
        letters=[dead_letter()],
    )
    await store.add_audit(
        AuditRecord(at=NOW, actor="cli:ada", action="cli:device add", outcome="done")
    )
    await store.enqueue(downlink(confirmed=True))
    await store.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bittern.db"
        asyncio.run(fill(SqliteStore(path, KeyRing({1: DATA_KEY}))))
        connection = sqlite3.connect(path)
        [version] = connection.execute("PRAGMA user_version").fetchone()
        print(f"PRAGMA user_version = {version};")
        print("\n".join(connection.iterdump()))
        connection.close()


if __name__ == "__main__":
    main()
