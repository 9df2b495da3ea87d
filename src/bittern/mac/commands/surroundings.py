"""What answers draw on beside the session, and what handling a command comes to."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from bittern.lorawan.commands import DownlinkCommand
from bittern.lorawan.regions.plan import DataRate
from bittern.mac.session import RadioState, Session
from bittern.types import Instant


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """How the uplink was heard."""

    received_at: Instant
    gps_time_us: int | None = None
    """Of the end of the uplink, by a gateway that has GPS time: better than `received_at`."""
    snr_db: float
    """At the gateway that heard it best."""
    data_rate: DataRate
    gateway_count: int
    initial_radio: RadioState | None = None
    """What the device starts with (`personalization.personalized_radio`); needed for ABP of 1.1."""


class Handled(NamedTuple):
    """One command's effect. `session` keeps its revision: accepting the uplink moved it already."""

    session: Session
    answers: tuple[DownlinkCommand, ...] = ()
    expected: bool = True
    """False: this session does not have the command, or nobody asked for this answer."""
