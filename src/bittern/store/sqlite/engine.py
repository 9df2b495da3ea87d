"""All ports of the store on one SQLite file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bittern.keys.ring import Vault
from bittern.store.group_commit import GroupCommitStatistics
from bittern.store.protocol import Store
from bittern.store.sqlite.accounts import SqliteAccounts
from bittern.store.sqlite.audit import SqliteAudit
from bittern.store.sqlite.codecs import SqliteCodecs
from bittern.store.sqlite.database import Database
from bittern.store.sqlite.fleet import SqliteFleet
from bittern.store.sqlite.fuota import SqliteFuota
from bittern.store.sqlite.groups import SqliteGroups
from bittern.store.sqlite.notes import SqliteNotes
from bittern.store.sqlite.outbox import SqliteChangeFeed, SqliteDownlinkQueue, SqliteOutbox
from bittern.store.sqlite.registry import (
    SqliteDestinations,
    SqliteDevices,
    SqliteGateways,
    SqliteProfiles,
)
from bittern.store.sqlite.rules import SqliteDeadLetters, SqliteRules
from bittern.store.sqlite.sessions import SqliteSessions


class SqliteStore(
    SqliteSessions,
    SqliteOutbox,
    SqliteDownlinkQueue,
    SqliteDevices,
    SqliteProfiles,
    SqliteGateways,
    SqliteDestinations,
    SqliteRules,
    SqliteDeadLetters,
    SqliteCodecs,
    SqliteNotes,
    SqliteAccounts,
    SqliteAudit,
    SqliteFleet,
    SqliteGroups,
    SqliteFuota,
    SqliteChangeFeed,
):
    """Any number of processes may open the same file.

    Calls that arrive within `group_commit_s` seconds share a transaction. More than `most_waiting`
    calls that wait are refused with `StoreUnavailable`. `changes_kept` bounds the change feed.
    """

    def __init__(
        self,
        path: Path,
        vault: Vault,
        *,
        group_commit_s: float = 0.002,
        most_waiting: int = 50_000,
        changes_kept: int = 10_000,
    ) -> None:
        self._database = Database(path, vault, group_commit_s, most_waiting, changes_kept)

    async def open(self) -> None:
        await self._database.open()

    async def close(self) -> None:
        await self._database.close()

    def statistics(self) -> GroupCommitStatistics:
        return self._database.group_commit.statistics()


if TYPE_CHECKING:
    _every_port: type[Store] = SqliteStore
