"""The network joined together: what comes in from gateways, through its path, to what goes out."""

from __future__ import annotations

import msgspec

from bittern.network.agenda import Agenda
from bittern.network.directory import Directory
from bittern.network.downlink import DownlinkPath
from bittern.network.events import GatewayConnected, NetworkEvent
from bittern.network.intake import Intake
from bittern.network.join import JoinPath
from bittern.network.join_server import JoinServer
from bittern.network.journal import Journal
from bittern.network.message_queue import MessageQueue
from bittern.network.ports import Clock, Codecs, GatewayLink, Outbox, Randomness
from bittern.network.root_keys import RootKeys
from bittern.network.sessions import SessionCache
from bittern.network.transmitter import Transmitter
from bittern.network.unsolicited import Unsolicited
from bittern.network.uplink import UplinkPath
from bittern.store.protocol import Store
from bittern.store.records import Change
from bittern.types import EUI64, DevEUI, NetID


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator decides about the network."""

    net_id: NetID
    deduplication_window_s: float = 0.2


class Network:
    """The application core of one process. Receptions enter by `intake`."""

    def __init__(
        self,
        settings: NetworkSettings,
        *,
        store: Store,
        gateways: GatewayLink,
        outbox: Outbox,
        now: Clock,
        randomness: Randomness,
        codecs: Codecs | None = None,
        join_servers: JoinServer | None = None,
        root_keys: RootKeys | None = None,
    ) -> None:
        """`join_servers`: of the devices whose root keys are not in the store; `root_keys`: of
        those whose root keys are in a token."""
        self.now = now
        self.journal = Journal()
        self.directory = Directory(store)
        self.sessions = SessionCache(store)
        self.agenda = Agenda(now)
        self.queue = MessageQueue(store=store, journal=self.journal, now=now)
        self.transmitter = Transmitter(
            directory=self.directory,
            gateways=gateways,
            agenda=self.agenda,
            journal=self.journal,
            now=now,
            first_downlink_id=randomness.getrandbits(40),
        )
        self.unsolicited = Unsolicited(
            store=store,
            directory=self.directory,
            sessions=self.sessions,
            queue=self.queue,
            transmitter=self.transmitter,
            agenda=self.agenda,
            journal=self.journal,
            now=now,
        )
        self.downlinks = DownlinkPath(
            store=store,
            sessions=self.sessions,
            queue=self.queue,
            transmitter=self.transmitter,
            between_uplinks=self.unsolicited,
            journal=self.journal,
            now=now,
        )
        self.joins = JoinPath(
            store=store,
            directory=self.directory,
            sessions=self.sessions,
            downlinks=self.downlinks,
            journal=self.journal,
            net_id=settings.net_id,
            now=now,
            randomness=randomness,
            join_servers=join_servers,
            root_keys=root_keys,
        )
        self.uplinks = UplinkPath(
            store=store,
            directory=self.directory,
            sessions=self.sessions,
            joins=self.joins,
            downlinks=self.downlinks,
            outbox=outbox,
            journal=self.journal,
            now=now,
            randomness=randomness,
            codecs=codecs,
        )
        self.intake = Intake(
            self.uplinks.handle,
            window_s=settings.deduplication_window_s,
            journal=self.journal,
            now=now,
        )

    def follow(self, changes: list[Change]) -> None:
        """Forget what an operator, or another process, has changed."""
        self.directory.follow(changes)
        self.queue.follow(changes)
        self.transmitter.follow(changes)
        for change in changes:
            if change.kind in ("device", "session"):
                self.sessions.forget(DevEUI(EUI64.from_hex(change.identity)))
        self.unsolicited.follow(changes)

    async def start_over(self) -> None:
        """Changes were missed: nothing that is remembered of the registry can be trusted."""
        self.directory.forget_everything()
        self.queue.forget_everything()
        self.transmitter.forget_everything()
        self.sessions.forget_everything()
        await self.unsolicited.start()

    def record(self, event: NetworkEvent) -> None:
        """What a front end tells of its gateways."""
        self.journal.record(event)
        if isinstance(event, GatewayConnected):
            self.unsolicited.gateway_connected(event.gateway_eui)

    async def run(self) -> None:
        """What is to be done at its time, until cancelled. Begin it when changes are followed: what
        is queued from then on is noticed, and what was queued before is looked for here."""
        await self.unsolicited.start()
        await self.agenda.run()
