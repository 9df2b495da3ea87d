"""The life of one join-request, and of one rejoin-request.

    a frame                                  network/uplink
    -> the device, its keys and profile      network/directory
    -> who has its root keys                 network/join_server, network/remote_join
    -> MIC, JoinEUI, nonces, new session     mac/join, mac/rejoin: …Granted | Refused
    -> not too often                         network/join_limits
    -> ONE transaction: nonces, session      store
    -> the join-accept, in RX1 or RX2        mac/windows, network/downlink

The device's first uplink ends its other sessions; until then they serve.
"""

from __future__ import annotations

from collections.abc import Sequence

from bittern.errors import StaleSession
from bittern.lorawan.frame import RejoinRequest
from bittern.mac.addresses import dev_addr, nwk_addr_bits
from bittern.mac.commands.force_rejoin import demand
from bittern.mac.join_accept import Terms
from bittern.mac.refused import Refused
from bittern.mac.rejoin import RejoinGranted
from bittern.mac.session import FIRST_REVISION_BITS
from bittern.mac.windows import join_windows
from bittern.network.by_region import Heard
from bittern.network.deduplication import Gathered
from bittern.network.directory import DeviceContext, Directory
from bittern.network.downlink import DownlinkPath
from bittern.network.events import FrameRefused, JoinAnswered, JoinReceived
from bittern.network.join_limits import JoinLimiter, JoinLimits
from bittern.network.join_server import Asked, EitherJoinServer, Granted, JoinServer, Request
from bittern.network.journal import Journal
from bittern.network.ports import Clock, Randomness
from bittern.network.root_keys import RootKeys
from bittern.network.sessions import SessionCache
from bittern.store.ports.sessions import SessionStore
from bittern.store.records import AbpActivation
from bittern.types import DevAddr, DevEUI, NetID, Refusal


class JoinPath:
    """One for the whole server."""

    def __init__(
        self,
        *,
        store: SessionStore,
        directory: Directory,
        sessions: SessionCache,
        downlinks: DownlinkPath,
        journal: Journal,
        net_id: NetID,
        now: Clock,
        randomness: Randomness,
        limits: JoinLimits | None = None,
        join_servers: JoinServer | None = None,
        root_keys: RootKeys | None = None,
    ) -> None:
        """`join_servers`: of the devices whose root keys are not in the store; `root_keys`: of
        those whose root keys are in a token."""
        self._store = store
        self._directory = directory
        self._sessions = sessions
        self._downlinks = downlinks
        self._journal = journal
        self._net_id = net_id
        self._limiter = JoinLimiter(limits)
        self._join_server = EitherJoinServer(store, join_servers, root_keys)
        self._now = now
        self._randomness = randomness

    async def answer(self, request: Request, heard: Sequence[Heard]) -> None:
        """Grant the join, or the rejoin, or say why not. Of several regions that it was heard in
        that of the device counts."""
        now, gathered = self._now(), heard[0].gathered
        best = gathered.best
        if not self._limiter.gateway_may(best.gateway_eui, now):
            reason = f"gateway {best.gateway_eui} hears too many join-requests"
            return self._refuse(request, gathered, Refused(Refusal.JOIN_FLOOD, reason))
        device = await self._directory.device(request.dev_eui)
        if device is None:
            reason = f"no device {request.dev_eui} is registered"
            return self._refuse(request, gathered, Refused(Refusal.UNKNOWN_DEV_EUI, reason))
        self._journal.record(
            JoinReceived(
                at=now,
                dev_eui=request.dev_eui,
                join_eui=request.join_eui,
                rejoin_type=request.rejoin_type if isinstance(request, RejoinRequest) else None,
                gateway_eui=best.gateway_eui,
            )
        )
        counted = _in_its_region(heard, device)
        if isinstance(counted, Refused):
            return self._refuse(request, gathered, counted)
        best = counted.best
        outcome = await self._grant(request, counted, device)
        if isinstance(outcome, Refused):
            return self._refuse(request, gathered, outcome)
        if not self._limiter.device_may(request.dev_eui, now):
            reason = "the device joins too often"
            return self._refuse(request, gathered, Refused(Refusal.JOIN_FLOOD, reason))
        try:
            await self._activate(outcome)
        except StaleSession:
            # Another process, or another copy of this request, has answered it.
            return self._refuse(request, gathered, _answered_already(request))
        self._sessions.forget(request.dev_eui)
        self._sessions.forget_address(outcome.session.dev_addr)
        windows = join_windows(device.plan, best.data_rate, best.frequency_hz)
        taken = await self._downlinks.transmit(
            request.dev_eui, outcome.phy_payload, windows, counted.receptions, device.plan
        )
        self._journal.record(
            JoinAnswered(
                at=self._now(),
                dev_eui=request.dev_eui,
                dev_addr=outcome.session.dev_addr,
                dev_nonce=_nonce(request),
                rejoin_type=request.rejoin_type if isinstance(request, RejoinRequest) else None,
                gateway_eui=taken.gateway_eui if taken else None,
            )
        )

    async def demand_rejoin(self, dev_eui: DevEUI, rejoin_type: int, *, data_rate: int) -> bool:
        """Have the device rejoin, by type 0 or 2, when it is next heard; False without a session.

        Raises ``ValueError`` where the device cannot (`mac.commands.force_rejoin.demand`).
        """
        while True:
            sessions = await self._store.sessions_of(dev_eui)
            in_use = [session for session in sessions if not session.pending]
            if not in_use:
                return False
            try:
                after = demand(in_use[0], rejoin_type, data_rate=data_rate)
                await self._store.advance(in_use[0], after)
            except StaleSession:
                continue  # the device was heard meanwhile
            self._sessions.forget(dev_eui)
            return True

    async def _activate(self, granted: Granted) -> None:
        """A rejoin's own session goes first: its counter guards the rest against replays."""
        if isinstance(granted, RejoinGranted) and granted.step is not None:
            await self._store.advance(granted.step.before, granted.step.after)
        await self._store.activate(granted.before, granted.after, granted.session)

    async def _grant(
        self, request: Request, gathered: Gathered, device: DeviceContext
    ) -> Granted | Refused:
        activation = device.device.activation
        if isinstance(activation, AbpActivation) or not device.profile.supports_join:
            return Refused(Refusal.JOIN_NOT_SUPPORTED, "the device is activated by personalization")
        terms = Terms(
            profile=device.profile,
            plan=device.plan,
            net_id=self._net_id,
            dev_addr=self._new_address(),
            now=gathered.received_at,
            sub_bands=await self._directory.sub_bands_of_gateway(gathered.best.gateway_eui),
            frequency_hz=gathered.best.frequency_hz,
            first_revision=self._randomness.getrandbits(FIRST_REVISION_BITS),
        )
        return await self._join_server.answer(
            Asked(request, gathered.phy_payload, activation, terms, gathered.received_at)
        )

    def _new_address(self) -> DevAddr:
        """At random: devices may share an address, and seldom will."""
        bits = nwk_addr_bits(self._net_id)
        return dev_addr(self._net_id, self._randomness.getrandbits(bits))

    def _refuse(self, request: Request, gathered: Gathered, refused: Refused) -> None:
        self._journal.record(
            FrameRefused(
                at=self._now(),
                refusal=refused.refusal,
                reason=refused.reason,
                dev_eui=request.dev_eui,
                gateway_eui=gathered.best.gateway_eui,
            )
        )


def _in_its_region(heard: Sequence[Heard], device: DeviceContext) -> Gathered | Refused:
    """The request as a device of its revision of the regional parameters has sent it."""
    for one in heard:
        if device.plan.name == one.plan.name:
            return device.as_it_counts(one.gathered)
    reason = f"heard in {heard[0].plan.name}, but its profile is of {device.plan.name}"
    return Refused(Refusal.WRONG_REGION, reason)


def _nonce(request: Request) -> int:
    return request.rj_count if isinstance(request, RejoinRequest) else request.dev_nonce


def _answered_already(request: Request) -> Refused:
    if isinstance(request, RejoinRequest):
        reason = f"RJcount {request.rj_count} is being answered already"
        return Refused(Refusal.RJ_COUNT_REPLAYED, reason)
    reason = f"DevNonce {request.dev_nonce} is being answered already"
    return Refused(Refusal.DEV_NONCE_REPLAYED, reason)
