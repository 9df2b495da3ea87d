from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec

from bittern.app.reports import lines_into, reports_of
from bittern.config import Configuration
from bittern.network.core import Network, NetworkSettings
from bittern.network.events import FrameRefused
from bittern.network.gateways import Gateways
from bittern.network.randomness import BlockRandomness
from bittern.servers.lns_hub import ConnectionWatcher
from bittern.store.notes import Note
from bittern.testing import examples
from bittern.testing.memory_store import MemoryStore
from bittern.types import Refusal


class Lns:
    def __init__(self) -> None:
        self.watchers: list[ConnectionWatcher] = []

    def watch(self, watcher: ConnectionWatcher) -> None:
        self.watchers.append(watcher)

    def counted(self) -> list[object]:
        return []


def network_of(configuration: Configuration, store: MemoryStore) -> Network:
    return Network(
        NetworkSettings(net_id=configuration.network.net_id),
        store=store,
        gateways=Gateways(),
        outbox=None,  # type: ignore[arg-type]
        now=lambda: examples.NOW,
        randomness=BlockRandomness(bytes),
    )


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_summaries_are_counted_and_kept_at_the_end(configuration: Configuration) -> None:
    store, lns = MemoryStore(), Lns()
    await examples.register(store)
    body, account = '{"enabled":true}', examples.device().account
    wanted = Note(account=account, kind="metrics", name="summary", at=examples.NOW, body=body)
    await store.put_notes(wanted)
    network = network_of(configuration, store)
    async with reports_of(configuration, store, network, lns) as reports:  # type: ignore[arg-type]
        await settled()
        assert lns.watchers == [reports.keeper]
        assert network.journal.tally is not None
        assert network.journal._listeners == [reports.keeper.tally.listen]
    assert network.journal.tally is None
    assert len(await store.notes(account, "summary")) == 1


async def test_the_log_is_written_where_it_has_a_file(
    configuration: Configuration, tmp_path: Path
) -> None:
    store, path = MemoryStore(), tmp_path / "aws.log"
    await examples.register(store)
    logged = msgspec.structs.replace(configuration.log, aws_file=path)
    wanted = msgspec.structs.replace(configuration, log=logged)
    network = network_of(configuration, store)
    async with reports_of(wanted, store, network, Lns()) as reports:  # type: ignore[arg-type]
        await settled()
        network.journal.record(
            FrameRefused(
                at=examples.NOW,
                refusal=Refusal.MIC_MISMATCH,
                reason="no",
                dev_eui=examples.DEV_EUI,
            )
        )
        await settled()
        assert reports.log.statistics() == {"written": 1, "dropped": 0}
    [line] = path.read_text().splitlines()
    assert json.loads(line)["devEui"] == str(examples.DEV_EUI)
    assert not network.journal._listeners


def test_a_file_that_is_moved_away_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "aws.log"
    with lines_into(path) as write:
        write(b'{"a":"100%s"}')
        path.rename(tmp_path / "older.log")
        write(b'{"b":1}')
    assert (tmp_path / "older.log").read_text() == '{"a":"100%s"}\n'
    assert path.read_text() == '{"b":1}\n'
