"""A process with an outbox on disk, a dispatcher and the embedded broker: something to kill.

python broker_process.py FOLDER PORT
"""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from bittern.keys.ring import KeyRing
from bittern.outputs.actions import Prepared
from bittern.outputs.broker.server import BrokerFiles, EmbeddedBroker
from bittern.outputs.dispatch import Dispatcher, DispatchSettings
from bittern.outputs.lane import Limits
from bittern.outputs.routing import DestinationRouter
from bittern.store.records import Delivery, Destination
from bittern.store.rule_records import RuleRecord
from bittern.types import EUI64, DevEUI, Instant


def files(folder: Path) -> BrokerFiles:
    return BrokerFiles(
        password=folder / "mqtt.password",
        users=folder / "mqtt.users",
        sessions=folder / "mqtt.db",
    )


class DiskOutbox:
    """The outbox as one table, and one destination."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS outbox (sequence INTEGER PRIMARY KEY, device INTEGER)"
        )

    def close(self) -> None:
        self._database.close()

    def fill(self, count: int, devices: int) -> None:
        self._database.executemany(
            "INSERT INTO outbox VALUES (?, ?)", [(n, n % devices) for n in range(1, count + 1)]
        )

    def count(self) -> int:
        (count,) = self._database.execute("SELECT count(*) FROM outbox").fetchone()
        return int(count)

    async def lanes(self) -> list[str]:
        return []

    async def settle(self, **_: object) -> None:
        raise AssertionError("nothing is diverted without rules")

    async def rules(self, account: str) -> list[RuleRecord]:
        return []

    async def rule(self, account: str, name: str) -> None: ...

    async def owed(self, after_sequence: int, limit: int, lane: str = "") -> list[Delivery]:
        rows = self._database.execute(
            "SELECT sequence, device FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT ?",
            (after_sequence, limit),
        )
        return [
            Delivery(
                message_id=f"m{sequence}",
                dev_eui=DevEUI(EUI64.from_int(device)),
                destination="meters",
                document=b"%d %d" % (device, sequence),
                created_at=Instant(0.0),
                sequence=sequence,
            )
            for sequence, device in rows
        ]

    async def delivered(self, sequences: Sequence[int]) -> None:
        self._database.execute("BEGIN")
        self._database.executemany(
            "DELETE FROM outbox WHERE sequence = ?", [(sequence,) for sequence in sequences]
        )
        self._database.execute("COMMIT")

    async def destination(self, account: str, name: str) -> Destination | None:
        return Destination(name=name, expression="site/meters", created_at=Instant(0.0))


def no_actions(document: object) -> Prepared:
    raise AssertionError(document)


async def serve(folder: Path, port: int) -> None:
    outbox = DiskOutbox(folder / "outbox.db")
    broker = EmbeddedBroker(
        host="127.0.0.1",
        port=port,
        files=files(folder),
        sealer=KeyRing({1: b"k" * 32}),
        now=lambda: Instant(time.time()),
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    # Small, so that the work takes long enough to be killed in its midst.
    settings = DispatchSettings(capacity=40, page=20, limits=Limits(batch_messages=4, batches=2))
    async with (
        broker,
        Dispatcher(
            outbox,
            DestinationRouter(outbox, broker, outbox, no_actions),
            now=lambda: Instant(time.time()),
            chance=random.random,
            settings=settings,
        ),
    ):
        print("ready", flush=True)
        await stop.wait()
    outbox.close()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
