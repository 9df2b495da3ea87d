"""Keep hourly summaries of what devices, gateways and accounts did, where an account wants them.

The tally counts in memory; every five minutes, and at the end, it is added to the notes of the
day. What was counted since goes with a crash, and with a store that cannot be written.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Protocol, TypeVar

import msgspec

from bittern.errors import Conflict, StoreError
from bittern.network.directory import DeviceContext
from bittern.network.journal import Journal
from bittern.network.tally import Taken, Tally
from bittern.servers.lns_hub import ConnectedGateway, Counts
from bittern.store import summaries
from bittern.store.account_records import Account
from bittern.store.notes import Note, NoteExchange, NoteKind
from bittern.store.records import DEFAULT_ACCOUNT, Device, Gateway
from bittern.store.summaries import DAY_S, HOUR_S, Summary
from bittern.types import DevEUI, GatewayEUI, Instant

logger = logging.getLogger("bittern.servers.summaries")

KEEP_S = 300.0
"""A part of an hour: what is counted belongs to the hour in which counting began."""
GROUP = 100
"""Notes written in one transaction: uplinks wait for it."""
TRIES = 3
PAGE = 250

Counted = tuple[ConnectedGateway, Counts, float | None]
Owned = dict[str, dict[str, Summary]]
"""By account and id."""

K = TypeVar("K")


class _Resource(Protocol):
    @property
    def account(self) -> str: ...
    @property
    def id(self) -> str: ...


class SummaryStore(Protocol):
    """What is used of the store."""

    async def accounts(self) -> list[Account]: ...
    async def note(self, account: str, kind: NoteKind, name: str) -> Note | None: ...
    async def exchange_notes(self, *exchanges: NoteExchange) -> None: ...
    async def trim_notes(self, kind: NoteKind, before: Instant) -> int: ...
    async def device_count(self, account: str) -> int: ...
    async def gateways_of(
        self, account: str, after: GatewayEUI | None = None, limit: int = 250
    ) -> list[Gateway]: ...


class Registered(Protocol):
    """The directory."""

    async def device(self, dev_eui: DevEUI) -> DeviceContext | None: ...
    async def gateway(self, gateway_eui: GatewayEUI) -> Gateway | None: ...


class SummaryKeeper:
    """A `ConnectionWatcher`; `run` is its task, `finish` keeps what is left."""

    def __init__(
        self,
        store: SummaryStore,
        directory: Registered,
        journal: Journal,
        now: Callable[[], Instant],
        *,
        days_kept: float,
    ) -> None:
        self._store = store
        self._directory = directory
        self._journal = journal
        self._now = now
        self._kept_s = days_kept * DAY_S
        self._asked = asyncio.Event()
        self._hurried = asyncio.Event()
        self.tally = Tally(self._hurry)
        self._wanted: frozenset[str] = frozenset()
        self._counting = contextlib.ExitStack()
        self._since = now()
        """When counting began."""
        self._next_trim = self._since
        self._up_s: dict[GatewayEUI, float] = {}
        """Since then, of connections that have ended."""
        self.lost = 0
        """Summaries that could not be written."""

    def statistics(self) -> dict[str, int]:
        return {"uncounted": self.tally.uncounted, "lost": self.lost}

    # Who calls in

    def connected(self, gateway: ConnectedGateway) -> None:
        """Nothing to count yet."""

    def disconnected(
        self, gateway: ConnectedGateway, counts: Counts, round_trip_s: float | None, reason: str
    ) -> None:
        if self._wanted:
            self._was_up(self._up_s, gateway, self._now())

    def changed(self) -> None:
        """An account has said what it wants."""
        self._asked.set()

    def _hurry(self) -> None:
        self._hurried.set()
        self._asked.set()

    # What is done

    async def run(self, counted: Callable[[], Iterable[Counted]]) -> None:
        """Until cancelled. ``counted`` tells of every connection that is up."""
        self._asked.set()
        while True:
            due = (self._since // KEEP_S + 1) * KEEP_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, due - self._now())):
                    await self._asked.wait()
            await self.turn(counted())

    async def turn(self, up: Iterable[Counted]) -> None:
        """Whatever is due now."""
        try:
            if self._hurried.is_set() or self._now() // KEEP_S > self._since // KEEP_S:
                self._hurried.clear()
                await self.keep(up)
            if self._asked.is_set():
                self._asked.clear()
                await self._reconsidered()
            if self._now() >= self._next_trim:
                self._next_trim = Instant(self._now() + HOUR_S)
                await self._store.trim_notes("summary", Instant(self._now() - self._kept_s))
        except StoreError as error:
            logger.warning("summaries cannot be kept reason=%r", str(error))
            await asyncio.sleep(1)

    async def finish(self) -> None:
        """At the end, after every connection has been closed."""
        try:
            await self.keep(())
        except StoreError as error:
            logger.warning("the last summaries cannot be kept reason=%r", str(error))
        self._counting.close()

    async def _reconsidered(self) -> None:
        try:
            await self.reconsider()
        except StoreError:
            self._asked.set()
            raise

    async def reconsider(self) -> None:
        """Begin to count, or cease, as accounts want it."""
        accounts = {DEFAULT_ACCOUNT, *(one.id for one in await self._store.accounts())}
        notes = {
            account: await self._store.note(account, "metrics", summaries.SETTING)
            for account in accounts
        }
        before = self._wanted
        self._wanted = frozenset(
            account for account, note in notes.items() if summaries.wanted_of(note).enabled
        )
        if bool(before) == bool(self._wanted):
            return
        self._counting.close()
        self._start_anew(self._now())
        if self._wanted:
            self._counting.enter_context(self._journal.listening(self.tally.listen))
            self._counting.enter_context(self._journal.tallying(self.tally.uplink))

    def _start_anew(self, now: Instant) -> Taken:
        self._since, self._up_s = now, {}
        return self.tally.take()

    def _was_up(
        self, up_s: dict[GatewayEUI, float], gateway: ConnectedGateway, now: Instant
    ) -> None:
        """A gateway may have more than one connection for a while."""
        elapsed = now - self._since
        before = up_s.get(gateway.gateway_eui, 0.0)
        this = now - max(gateway.connected_at, self._since)
        up_s[gateway.gateway_eui] = min(elapsed, before + max(0.0, this))

    # What is kept

    async def keep(self, up: Iterable[Counted]) -> None:
        """Add all that was counted to the notes."""
        now, since, up_s = self._now(), self._since, self._up_s
        for gateway, _, _ in up:
            self._was_up(up_s, gateway, now)
        taken = self._start_anew(now)
        if not self._wanted:
            return
        devices = await _owned(taken.devices, self._device)
        gateways = await _owned(taken.gateways, self._directory.gateway)
        for account in sorted(self._wanted):
            of_gateways = gateways.get(account, {})
            registered = await self._note_times(account, of_gateways, up_s, now - since)
            total = Summary(devices=await self._store.device_count(account), gateways=registered)
            of_devices = devices.get(account, {})
            for one in of_devices.values():
                _add_to_total(total, one)
            total.active_devices = await self._keep_all(account, since, of_devices)
            total.active_gateways = await self._keep_all(account, since, of_gateways)
            await self._keep_all(account, since, {summaries.ACCOUNT: total})

    async def _device(self, dev_eui: DevEUI) -> Device | None:
        context = await self._directory.device(dev_eui)
        return None if context is None else context.device

    async def _note_times(
        self,
        account: str,
        of_gateways: dict[str, Summary],
        up_s: Mapping[GatewayEUI, float],
        elapsed: float,
    ) -> int:
        """Of each gateway how long it was connected, and how long not; how many there are."""
        count, after = 0, None
        while page := await self._store.gateways_of(account, after, PAGE):
            for gateway in page:
                summary = of_gateways.setdefault(gateway.id, Summary())
                summary.up_s = up_s.get(gateway.gateway_eui, 0.0)
                summary.down_s = max(0.0, elapsed - summary.up_s)
            count, after = count + len(page), page[-1].gateway_eui
        return count

    async def _keep_all(self, account: str, since: Instant, found: Mapping[str, Summary]) -> int:
        """How many of them were heard for the first time in this hour."""
        heard = 0
        subjects = sorted(found.items())
        for start in range(0, len(subjects), GROUP):
            group = subjects[start : start + GROUP]
            for attempt in itertools.count(1):
                try:
                    heard += await self._keep_group(account, since, group)
                    break
                except Conflict:
                    # Another process keeps summaries of the same.
                    if attempt == TRIES:
                        self.lost += len(group)
                        break
                except StoreError:
                    self.lost += len(subjects) - start
                    raise
        return heard

    async def _keep_group(
        self, account: str, since: Instant, group: Collection[tuple[str, Summary]]
    ) -> int:
        heard, exchanges, hour = 0, [], summaries.hour_of(since)
        for subject, summary in group:
            name = summaries.note_name(subject, since)
            note = await self._store.note(account, "summary", name)
            day = summaries.day_of(note)
            there = day.setdefault(hour, Summary())
            heard += summary.uplinks > 0 and there.uplinks == 0
            there.add(summary)
            exchanges.append(
                NoteExchange(
                    account=account,
                    kind="summary",
                    name=name,
                    at=since,
                    before=None if note is None else note.body,
                    after=summaries.day_text(day),
                )
            )
        await self._store.exchange_notes(*exchanges)
        return heard


async def _owned(
    found: Mapping[K, Summary], resource: Callable[[K], Awaitable[_Resource | None]]
) -> Owned:
    """What is no longer registered is left out."""
    owned: Owned = {}
    for key, summary in found.items():
        one = await resource(key)
        if one is not None:
            owned.setdefault(one.account, {})[one.id] = summary
    return owned


def _add_to_total(total: Summary, of_device: Summary) -> None:
    """Signals of a whole account say nothing."""
    total.add(msgspec.structs.replace(of_device, rssi_dbm={}, snr_quarters={}))
