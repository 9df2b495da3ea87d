"""What answers draw on beside the session, and what handling a command comes to."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from bittern.lorawan.commands import DownlinkCommand
from bittern.lorawan.regions.plan import DataRate
from bittern.mac.commands.notices import CommandProblem
from bittern.mac.session import Session
from bittern.mac.wanted import Wanted
from bittern.types import Instant


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """How the uplink was heard, and what is wanted of the device."""

    wanted: Wanted
    received_at: Instant
    gps_time_us: int | None = None
    """Of the end of the uplink, by a gateway that has GPS time: better than `received_at`."""
    snr_db: float
    """At the gateway that heard it best."""
    data_rate: int
    frequency_hz: int
    gateway_count: int
    sub_bands: tuple[int, ...] = ()
    """Of a fixed plan: what the network hears where the device is; empty: everything."""
    adr: bool = False
    adr_ack_req: bool = False

    @property
    def modulation(self) -> DataRate:
        return self.wanted.plan.data_rates[self.data_rate]


class Handled(NamedTuple):
    """One command's effect. `session` keeps its revision: accepting the uplink moved it already."""

    session: Session
    answers: tuple[DownlinkCommand, ...] = ()
    problem: CommandProblem | None = None
    """Why the command was not obeyed."""
    declined: str = ""
    """The request that the device has not accepted."""
    must_confirm: bool = False
    """The device repeats it until it hears a downlink."""
