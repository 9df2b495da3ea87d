"""From what happens to notices at the broker: which of them are wanted, and by whom.

Gateways and the journal call in on the event loop, often, and must not be held up: what they say
is put in line, and one task looks at it. It asks the store only about devices that somebody wants
to hear of.

Brokers know no accounts: events of every account that wants them go to the one broker, as its
messages do. Who may read them there is decided by the broker's users.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from bittern.errors import StoreError
from bittern.lorawan.versions import uses_nwk_key
from bittern.network.delivery_status import GRACE_S, DeliveryStatus, DownlinkEvent
from bittern.network.directory import DeviceContext
from bittern.network.event_settings import EventSettings
from bittern.network.events import DownlinkSent, JoinAnswered, JoinReceived, NetworkEvent
from bittern.network.notifications import (
    ConnectionStatus,
    JoinDetails,
    JoinEvent,
    Named,
    Notice,
    Scope,
    Status,
    accept_details,
    connection_notice,
    delivery_notice,
    join_notice,
    request_details,
)
from bittern.network.ports import Clock, Randomness
from bittern.servers.lns_hub import ConnectedGateway, Counts
from bittern.store.account_records import Account
from bittern.store.notes import Note, NoteKind
from bittern.store.records import (
    DEFAULT_ACCOUNT,
    AbpActivation,
    Change,
    Gateway,
    QueuedDownlink,
)
from bittern.types import EUI64, DevEUI, GatewayEUI, Instant, NetID

logger = logging.getLogger("bittern.servers.events")

KEPT = 100_000
"""What happened and was not looked at yet; then the oldest is dropped."""
RETRY_S = 1.0
PAGE = 250
MOST_QUEUED = 10_000
"""Messages of one device that are followed."""
_JOIN_EVENTS: dict[int | None, JoinEvent] = {
    None: "join_req_received",
    0: "rejoin_req_0_received",
    2: "rejoin_req_2_received",
}
"""AWS has no event of rejoin-requests of type 1."""


class EventStore(Protocol):
    """What is used of the store."""

    async def accounts(self) -> list[Account]: ...
    async def note(self, account: str, kind: NoteKind, name: str) -> Note | None: ...
    async def notes(
        self, account: str, kind: NoteKind, after: str = "", limit: int = 250
    ) -> list[Note]: ...
    async def waiting(self) -> list[DevEUI]: ...
    async def queued(self, dev_eui: DevEUI, limit: int = 250) -> list[QueuedDownlink]: ...


class Registered(Protocol):
    """The directory."""

    async def device(self, dev_eui: DevEUI) -> DeviceContext | None: ...
    async def gateway(self, gateway_eui: GatewayEUI) -> Gateway | None: ...


class _Connection(msgspec.Struct, frozen=True):
    status: ConnectionStatus
    gateway: ConnectedGateway
    at: Instant


class _NoteChanged(msgspec.Struct, frozen=True):
    account: str
    name: str


class _QueueChanged(msgspec.Struct, frozen=True):
    dev_eui: DevEUI


class _LeftQueue(msgspec.Struct, frozen=True):
    dev_eui: DevEUI
    message_ids: tuple[str, ...]


class _Followed(msgspec.Struct, frozen=True):
    """A device as it was when its messages were last looked at: it may be removed before they
    end, with what was said of it."""

    named: Named
    scope: Scope


class _StartOver(msgspec.Struct, frozen=True):
    pass


_Item = (
    _Connection
    | _NoteChanged
    | _QueueChanged
    | _LeftQueue
    | _StartOver
    | JoinReceived
    | JoinAnswered
    | DownlinkEvent
)
_FOLLOWED = (JoinReceived, JoinAnswered, *DownlinkEvent.__args__)

Later = Callable[[float, Callable[[], None]], object]
"""`loop.call_later`, as far as it is used."""


class EventDesk:
    """A `ConnectionWatcher`, and a listener of the journal; `run` is its task."""

    def __init__(
        self,
        store: EventStore,
        directory: Registered,
        settings: EventSettings,
        tell: Callable[[Notice], None],
        *,
        net_id: NetID,
        now: Clock,
        randomness: Randomness,
        later: Later,
    ) -> None:
        self._store = store
        self._directory = directory
        self._settings = settings
        self._tell = tell
        self._net_id = net_id
        self._now = now
        self._randomness = randomness
        self._later = later
        self._deliveries = DeliveryStatus()
        self._followed: dict[DevEUI, _Followed] = {}
        """Devices with messages that have not ended."""
        self._accounts: dict[GatewayEUI, str] = {}
        """Of gateways that are connected."""
        self._waiting: deque[_Item] = deque()
        self._arrived = asyncio.Event()
        self.dropped = 0
        self.start_over()

    # Who calls in

    def connected(self, gateway: ConnectedGateway) -> None:
        self._put(_Connection("connected", gateway, gateway.connected_at))

    def disconnected(
        self, gateway: ConnectedGateway, counts: Counts, round_trip_s: float | None, reason: str
    ) -> None:
        self._put(_Connection("disconnected", gateway, self._now()))

    def listen(self, event: NetworkEvent) -> None:
        if not isinstance(event, _FOLLOWED):
            return
        if isinstance(event, DownlinkSent) and event.message_id is None:
            return  # the commonest of all: an acknowledgement
        self._put(event)

    def follow(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.kind == "events":
                account, _, name = change.identity.partition("/")
                self._put(_NoteChanged(account, name))
            elif change.kind == "downlink":
                self._put(_QueueChanged(DevEUI(EUI64.from_hex(change.identity))))

    def start_over(self) -> None:
        """Nothing is known yet, or changes were missed."""
        self._put(_StartOver())

    def statistics(self) -> dict[str, int]:
        return {"queued": self.waiting, "dropped": self.dropped}

    @property
    def waiting(self) -> int:
        """What was not looked at yet."""
        return len(self._waiting)

    def _put(self, item: _Item) -> None:
        if len(self._waiting) >= KEPT:
            self._waiting.popleft()
            if not self.dropped:
                logger.error("events dropped: more than %d were not looked at yet", KEPT)
            self.dropped += 1
        self._waiting.append(item)
        self._arrived.set()

    # The task

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._arrived.wait()
            while self._waiting:
                await self._looked_at(self._waiting.popleft())
            self._arrived.clear()

    async def _looked_at(self, item: _Item) -> None:
        try:
            await self._look_at(item)
        except StoreError as error:
            logger.warning("event=%s not looked at reason=%r", type(item).__name__, str(error))
            if isinstance(item, _StartOver | _NoteChanged | _QueueChanged | _LeftQueue):
                self._later(RETRY_S, lambda: self._put(item))

    async def _look_at(self, item: _Item) -> None:
        match item:
            case _Connection():
                await self._connection(item)
            case JoinReceived():
                await self._join_received(item)
            case JoinAnswered():
                await self._join_accepted(item)
            case _NoteChanged(account, name):
                note = await self._store.note(account, "events", name)
                self._settings.put(account, name, note)
            case _QueueChanged(dev_eui):
                await self._queue_changed(dev_eui)
            case _LeftQueue(dev_eui, message_ids):
                await self._left_queue(dev_eui, message_ids)
            case _StartOver():
                await self._read_everything()
            case _:
                await self._downlink(item)

    async def _read_everything(self) -> None:
        """Settings, and queues: what waits there is told, for the server may have ended before it
        could."""
        self._settings.clear()
        accounts = {DEFAULT_ACCOUNT, *(one.id for one in await self._store.accounts())}
        for account in sorted(accounts):
            after = ""
            while notes := await self._store.notes(account, "events", after, PAGE):
                after = notes[-1].name
                for note in notes:
                    self._settings.put(account, note.name, note)
        for dev_eui in {*await self._store.waiting(), *self._followed}:
            await self._queue_changed(dev_eui)

    # Gateways

    async def _connection(self, item: _Connection) -> None:
        gateway = item.gateway
        account = await self._account_of(gateway.gateway_eui)
        scope = self._settings.connections(account, gateway.gateway_id)
        if item.status == "disconnected":
            self._accounts.pop(gateway.gateway_eui, None)
        if not scope:
            return
        self._tell(
            connection_notice(
                item.status,
                gateway_eui=gateway.gateway_eui,
                gateway_id=gateway.gateway_id,
                at=item.at,
                randomness=self._randomness,
                scope=scope,
            )
        )

    async def _account_of(self, gateway_eui: GatewayEUI) -> str:
        """Remembered while it is connected: one that is removed is disconnected for it."""
        known = self._accounts.get(gateway_eui)
        if known is not None:
            return known
        gateway = await self._directory.gateway(gateway_eui)
        account = DEFAULT_ACCOUNT if gateway is None else gateway.account
        self._accounts[gateway_eui] = account
        return account

    # Joins

    async def _join_received(self, event: JoinReceived) -> None:
        device = await self._directory.device(event.dev_eui)
        kind = _JOIN_EVENTS.get(event.rejoin_type)
        if device is None or kind is None:
            return
        activation = device.device.activation
        join_eui = event.join_eui
        if join_eui is None and not isinstance(activation, AbpActivation):
            join_eui = activation.join_eui
        says_app_eui = not uses_nwk_key(device.profile.mac_version)
        details = request_details(event.dev_eui, join_eui, says_app_eui=says_app_eui)
        self._join(kind, device, details, event.at)

    async def _join_accepted(self, event: JoinAnswered) -> None:
        """An accept that no gateway took lets nobody in."""
        device = await self._directory.device(event.dev_eui)
        if device is None or event.gateway_eui is None:
            return
        details = accept_details(event.dev_eui, event.dev_addr, self._net_id)
        self._join("join_accepted", device, details, event.at)

    def _join(
        self, kind: JoinEvent, device: DeviceContext, details: JoinDetails, at: Instant
    ) -> None:
        record = device.device
        scope = self._settings.joins(record.account, record.id)
        if scope:
            named, randomness = Named(record.id, record.dev_eui), self._randomness
            self._tell(join_notice(kind, named, details, at=at, randomness=randomness, scope=scope))

    # Messages to devices

    async def _downlink(self, event: DownlinkEvent) -> None:
        if await self._is_followed(event.dev_eui):
            self._tell_all(event.dev_eui, self._deliveries.of(event))

    async def _queue_changed(self, dev_eui: DevEUI) -> None:
        if not await self._is_followed(dev_eui):
            return
        queued = await self._store.queued(dev_eui, MOST_QUEUED)
        told, left = self._deliveries.compare(dev_eui, queued)
        if left:
            later = _LeftQueue(dev_eui, tuple(left))
            self._later(GRACE_S, lambda: self._put(later))
        self._tell_all(dev_eui, told)

    async def _left_queue(self, dev_eui: DevEUI, message_ids: tuple[str, ...]) -> None:
        device = await self._directory.device(dev_eui)
        known = self._followed.get(dev_eui)
        if known is None:
            return
        registered = device is not None and device.device.id == known.named.device_id
        told = self._deliveries.settle(dev_eui, message_ids, registered=registered, at=self._now())
        self._tell_all(dev_eui, told)

    async def _is_followed(self, dev_eui: DevEUI) -> bool:
        """Whether anybody wants to hear of its messages; one that was removed is still told of, as
        long as a message of it has not ended."""
        if not (self._settings.any_deliveries or self._followed):
            return False
        device = await self._directory.device(dev_eui)
        if device is None:
            return dev_eui in self._followed
        record = device.device
        scope = self._settings.deliveries(record.account, record.id)
        if scope:
            self._followed[dev_eui] = _Followed(Named(record.id, dev_eui), scope)
            return True
        self._followed.pop(dev_eui, None)
        self._deliveries.forget(dev_eui)
        return False

    def _tell_all(self, dev_eui: DevEUI, told: Iterable[Status]) -> None:
        followed = self._followed[dev_eui]
        named, scope = followed.named, followed.scope
        for status in told:
            self._tell(delivery_notice(status, named, randomness=self._randomness, scope=scope))
        if not self._deliveries.has_open(dev_eui):
            del self._followed[dev_eui]
