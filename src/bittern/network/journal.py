"""Count every event, log what a person should see, and pass all of them to who watches.

An accepted uplink costs a counter and one glance at the list of watchers; only refusals and rare
events are formatted for the log at its usual level.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bittern.lorawan.radio import Reception
from bittern.mac.session import Session
from bittern.network.events import (
    FrameRefused,
    GatewayRefused,
    MacCommandIgnored,
    NetworkEvent,
)
from bittern.types import Refusal

logger = logging.getLogger("bittern.network")

Watcher = Callable[[NetworkEvent], None]
TallyUplink = Callable[[Session, int, tuple[Reception, ...]], None]
"""Told of the session as it was, the full counter, and who heard it, the best first."""

_LEVELS = {
    "uplink": logging.DEBUG,
    "retransmission": logging.DEBUG,
    "transmitted": logging.DEBUG,
    "join_received": logging.DEBUG,
    "refusal": logging.WARNING,
    "mac_ignored": logging.WARNING,
    "mac_declined": logging.WARNING,
    "mac_unanswered": logging.WARNING,
    "gateway_refusal": logging.WARNING,
    "downlink_unreported": logging.WARNING,
    "downlink_discarded": logging.WARNING,
}

_UNLOGGED = frozenset({"event", "at", "payload"})
"""`payload` is what the device said in confidence: it goes to its destination, never to a log."""


class Journal:
    """One for the whole server."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.mac_problems: Counter[str] = Counter()
        self._watchers: list[Watcher] = []
        self._listeners: list[Watcher] = []
        self.tally: TallyUplink | None = None
        """Told of every accepted uplink, where somebody counts them: no event is made for it."""

    def record(self, event: NetworkEvent) -> None:
        name = str(event.__struct_config__.tag)
        self.events[name] += 1
        if isinstance(event, FrameRefused | GatewayRefused):
            self.refusals[event.refusal] += 1
        elif isinstance(event, MacCommandIgnored):
            self.mac_problems[event.problem] += 1
        level = _LEVELS.get(name, logging.INFO)
        if logger.isEnabledFor(level):
            logger.log(level, "%s %s", name, _words(event))
        for watcher in self._watchers:
            watcher(event)
        for listener in self._listeners:
            listener(event)

    @property
    def watched(self) -> bool:
        return bool(self._watchers) or logger.isEnabledFor(logging.DEBUG)

    def count_uplink(self) -> None:
        """An accepted uplink that nobody watches: only its count is kept."""
        self.events["uplink"] += 1

    def count_refusal(self, refusal: Refusal) -> None:
        """A refusal of a kind that was told a moment ago: only its count is kept."""
        self.events["refusal"] += 1
        self.refusals[refusal] += 1

    @contextmanager
    def watching(self, watcher: Watcher) -> Iterator[None]:
        """`watcher` is called with every event, at once; it must not block or raise."""
        self._watchers.append(watcher)
        try:
            yield
        finally:
            self._watchers.remove(watcher)

    @contextmanager
    def listening(self, listener: Watcher) -> Iterator[None]:
        """The same, but uplinks need not be told: they cost nothing more for it."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    @contextmanager
    def tallying(self, tally: TallyUplink) -> Iterator[None]:
        """`tally` is told of every accepted uplink, and nothing else; there is one at a time."""
        self.tally = tally
        try:
            yield
        finally:
            self.tally = None


def _words(event: NetworkEvent) -> str:
    """`dev_eui=… fcnt=… refusal=…`: one structured line."""
    shown = (
        (name, getattr(event, name)) for name in event.__struct_fields__ if name not in _UNLOGGED
    )
    return " ".join(f"{name}={_word(value)}" for name, value in shown if value is not None)


def _word(value: object) -> str:
    text = str(value)
    return f'"{text}"' if " " in text else text
