"""Which gateways send a message in class B and C, and in which order: as the operator has chosen.

SEQUENTIAL: every gateway of the list in turn. CONCURRENT: every one of them at the same time.
USING_UPLINK_GATEWAY, or no choice: one of those that last heard the device.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from bittern.lorawan.radio import TransmissionReport, Window
from bittern.mac.session import HeardBy, Session
from bittern.store.records import ParticipatingGateways, QueuedDownlink
from bittern.types import GatewayEUI

UNHEARD_DB = -30.0
"""SNR assumed of a gateway that was chosen but did not hear the device."""


class Turn(msgspec.Struct, frozen=True):
    """One go at sending a message."""

    heard_by: tuple[HeardBy, ...]
    """The gateways, as ways to the device."""
    all_of_them: bool = False
    """Each of them sends; else the best one does."""
    frequencies_hz: tuple[tuple[GatewayEUI, int], ...] = ()
    """Where the operator wants a gateway to send."""
    pause_s: float | None = None
    """Until the next turn of the message; None: there is none."""

    def window(self, gateway_eui: GatewayEUI, window: Window) -> Window:
        """The device's, at the frequency chosen for the gateway."""
        for chosen, frequency_hz in self.frequencies_hz:
            if chosen == gateway_eui:
                return window._replace(frequency_hz=frequency_hz)
        return window


def turn(message: QueuedDownlink, session: Session, number: int) -> Turn:
    """The turn of this number, from 0; there is always a first one."""
    chosen = message.participating
    if chosen is None:
        return Turn(session.heard_by)
    frequencies_hz = tuple((one.gateway_eui, one.frequency_hz) for one in chosen.gateways)
    if chosen.mode == "USING_UPLINK_GATEWAY" or not chosen.gateways:
        return Turn(session.heard_by, frequencies_hz=frequencies_hz)
    ways = _ways(chosen, session.heard_by)
    if chosen.mode == "CONCURRENT":
        return Turn(ways, all_of_them=True, frequencies_hz=frequencies_hz)
    has_next = number + 1 < len(ways)
    return Turn(
        ways[number : number + 1],
        frequencies_hz=frequencies_hz,
        pause_s=float(chosen.interval_s) if has_next else None,
    )


class Reports:
    """Of one turn: several gateways may send at once, and one that reports is enough."""

    def __init__(self, settle: Callable[[TransmissionReport | None], Awaitable[None]]) -> None:
        self.expected = 1
        self._settle = settle
        self._overdue = 0
        self._reported = False

    async def watch(self, report: TransmissionReport | None) -> None:
        """None: one is overdue."""
        if report is not None:
            if not self._reported:
                self._reported = True
                await self._settle(report)
            return
        self._overdue += 1
        if self._overdue == self.expected and not self._reported:
            await self._settle(None)


def _ways(chosen: ParticipatingGateways, heard_by: Sequence[HeardBy]) -> tuple[HeardBy, ...]:
    """In the order of the list, with what is known of them."""
    known = {by.gateway_eui: by for by in heard_by}
    return tuple(
        # Whether it has GPS time shows when it is too late for the slot, and not before.
        known.get(one.gateway_eui) or HeardBy(one.gateway_eui, UNHEARD_DB, 0, True)
        for one in chosen.gateways
    )
