"""Hourly summaries of what was seen of a device, of a gateway, and of an account as a whole.

A note of kind ``summary`` holds the hours of one day. Signal strengths are kept as how often each
value was heard: that is exact, however hours are joined later, and gateways tell whole dBm and
quarters of a dB.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from bittern.store.notes import Note
from bittern.types import Instant

ACCOUNT = "account"
"""In place of an id: the account as a whole."""
SETTING = "summary"
"""Name of the note of kind ``metrics`` that says whether an account's summaries are wanted."""
HOUR_S = 3600
DAY_S = 24 * HOUR_S

Histogram = dict[int, int]
"""How often each value was seen."""


class Wanted(msgspec.Struct, frozen=True):
    """Of an account: what its note of kind ``metrics`` says."""

    enabled: bool = False


class Summary(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What was seen within some time. Seconds, frames, and values of radio signals."""

    uplinks: int = msgspec.field(name="u", default=0)
    lost: int = msgspec.field(name="l", default=0)
    """Uplinks that the frame counters leave out."""
    downlinks: int = msgspec.field(name="d", default=0)
    join_requests: int = msgspec.field(name="jr", default=0)
    join_accepts: int = msgspec.field(name="ja", default=0)
    rssi_dbm: Histogram = msgspec.field(name="r", default_factory=dict)
    snr_quarters: Histogram = msgspec.field(name="s", default_factory=dict)
    """Quarters of a dB."""
    up_s: float = msgspec.field(name="up", default=0.0)
    down_s: float = msgspec.field(name="dn", default=0.0)
    active_devices: int = msgspec.field(name="ad", default=0)
    active_gateways: int = msgspec.field(name="ag", default=0)
    devices: int | None = msgspec.field(name="n", default=None)
    """How many there were, when it was last looked at."""
    gateways: int | None = msgspec.field(name="ng", default=None)

    def add(self, more: Summary) -> None:
        """What was seen later, or elsewhere."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(more, name))
        for mine, theirs in (
            (self.rssi_dbm, more.rssi_dbm),
            (self.snr_quarters, more.snr_quarters),
        ):
            for value, times in theirs.items():
                mine[value] = mine.get(value, 0) + times
        self.devices = self.devices if more.devices is None else more.devices
        self.gateways = self.gateways if more.gateways is None else more.gateways


_SUMS = (
    "uplinks",
    "lost",
    "downlinks",
    "join_requests",
    "join_accepts",
    "up_s",
    "down_s",
    "active_devices",
    "active_gateways",
)

Day = dict[int, Summary]
"""By the hour, 0..23."""

_read_day = msgspec.json.Decoder(Day).decode
_write = msgspec.json.Encoder().encode


def note_name(subject: str, at: float) -> str:
    """Of the day of `at`: names of one subject are in the order of their days."""
    return f"{subject}/{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"


def hour_of(at: float) -> int:
    return int(at // HOUR_S) % 24


def day_of(note: Note | None) -> Day:
    return {} if note is None else _read_day(note.body)


def day_text(day: Day) -> str:
    return _write(day).decode()


def hours_of(note: Note) -> list[tuple[Instant, Summary]]:
    """In order, each with its beginning."""
    midnight = datetime.strptime(note.name[-10:], "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    return [(Instant(midnight + hour * HOUR_S), one) for hour, one in sorted(day_of(note).items())]


def wanted_of(note: Note | None) -> Wanted:
    return Wanted() if note is None else msgspec.json.decode(note.body, type=Wanted)
