"""Multicast groups: which state a group and its devices are in, and which sessions there may be.

The state of a group follows from its timetable, the firmware updates that it takes part in, and
whether it is being removed; nothing moves it but the clock.

    Pending --a session is scheduled--> Session_Attempting --its start--> In_Session
    Session_Attempting, In_Session --cancelled, or its end--> Pending
    any --removal begins--> Delete_Waiting

AWS's model has these states as free text. The words here are those of its console, spelled as the
model spells the states of firmware updates (``In_FuotaSession``, ``Delete_Waiting``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from bittern.types import Instant

GroupStatus = Literal["Pending", "Session_Attempting", "In_Session", "Delete_Waiting"]
MemberStatus = Literal[
    "Package_Attempting",
    "Package_Unsupported",
    "Multicast_Setup_Attempting",
    "Multicast_Setup_Ready",
    "Session_Attempting",
    "In_Session",
]
DlClass = Literal["ClassB", "ClassC"]

FIRST_MEMBER_STATUS: MemberStatus = "Package_Attempting"
"""Nothing is known yet of what the device can do."""
AFTER: Mapping[MemberStatus, frozenset[MemberStatus]] = {
    "Package_Attempting": frozenset(("Package_Unsupported", "Multicast_Setup_Attempting")),
    "Package_Unsupported": frozenset(("Package_Attempting",)),
    "Multicast_Setup_Attempting": frozenset(("Multicast_Setup_Ready",)),
    "Multicast_Setup_Ready": frozenset(("Session_Attempting",)),
    "Session_Attempting": frozenset(("In_Session", "Multicast_Setup_Ready")),
    "In_Session": frozenset(("Session_Attempting", "Multicast_Setup_Ready")),
}
"""What a device's answers may make of its status: it has answered PackageVersionAns, then
McGroupSetupAns, then McClassBSessionAns or McClassCSessionAns (TS005-2.0.0)."""
SET_UP: frozenset[MemberStatus] = frozenset(
    ("Multicast_Setup_Ready", "Session_Attempting", "In_Session")
)
"""The device has the group's address and keys: it has acknowledged McGroupSetupReq."""

GROUPS_OF_A_DEVICE = 4
"""McGroupID has two bits (TS005-2.0.0, McGroupSetupReq)."""

LEAST_AHEAD_S = 30 * 60
MOST_AHEAD_S = 48 * 3600
"""From now to the start of a session: devices have to be told of it at their own pace."""
MOST_TIMEOUT_S: Mapping[DlClass, int] = {"ClassB": 48 * 3600, "ClassC": 18 * 3600}
TIMEOUTS_S: Mapping[DlClass, tuple[int, ...]] = {
    "ClassB": tuple(1 << exponent for exponent in range(7, 18)),
    "ClassC": tuple(1 << exponent for exponent in range(6, 16)),
}
"""What a device can be told: 128 s times a power of two, the power up to 15 (McClassBSessionReq);
a power of two up to 2^15 s (McClassCSessionReq); of these, what AWS allows."""
PING_SLOT_PERIODS = tuple(1 << exponent for exponent in range(5, 13))


class MulticastSession(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution window of a group."""

    data_rate: int
    frequency_hz: int
    start_at: Instant
    timeout_s: int
    ping_slot_period: int | None = None
    """Class B: slots from one ping slot to the next; None: not said."""

    @property
    def end_at(self) -> Instant:
        return Instant(self.start_at + self.timeout_s)


def current(session: MulticastSession | None, now: Instant) -> MulticastSession | None:
    """The session, unless it is over."""
    return None if session is None or now >= session.end_at else session


def group_status(
    session: MulticastSession | None,
    now: Instant,
    *,
    update_waits: bool = False,
    update_runs: bool = False,
    removing: bool = False,
) -> GroupStatus:
    """`update_waits`, `update_runs`: a firmware update of the group is scheduled, or under way."""
    if removing:
        return "Delete_Waiting"
    session = current(session, now)
    if update_runs or (session is not None and now >= session.start_at):
        return "In_Session"
    return "Session_Attempting" if update_waits or session is not None else "Pending"


def start_problem(start_at: Instant, now: Instant) -> str | None:
    """Why a session cannot start then."""
    if start_at < now + LEAST_AHEAD_S:
        return f"Member must be at least {LEAST_AHEAD_S // 60} minutes ahead"
    if start_at > now + MOST_AHEAD_S:
        return f"Member must be at most {MOST_AHEAD_S // 3600} hours ahead"
    return None


def timeout_problem(timeout_s: int, dl_class: DlClass) -> str | None:
    """Why a session of a group of this class cannot last so long."""
    most_s = MOST_TIMEOUT_S[dl_class]
    if timeout_s > most_s:
        return f"Member must be at most {most_s} seconds in a group of {dl_class}"
    return None


def timeout_told(timeout_s: int, dl_class: DlClass) -> int:
    """Seconds that devices can be told: the next power of two, or the longest there is."""
    fitting = (one for one in TIMEOUTS_S[dl_class] if one >= timeout_s)
    return next(fitting, TIMEOUTS_S[dl_class][-1])


def period_problem(period: int | None, dl_class: DlClass) -> str | None:
    """Why ping slots cannot be so far apart."""
    if period is None:
        return None
    if dl_class != "ClassB":
        return f"Member must be absent in a group of {dl_class}"
    if period not in PING_SLOT_PERIODS:
        return f"Member must be one of {', '.join(map(str, PING_SLOT_PERIODS))}"
    return None


def removed_at_once(set_up: int) -> bool:
    """Whether a group can go without a word to any device: none of them has its keys."""
    return set_up == 0
