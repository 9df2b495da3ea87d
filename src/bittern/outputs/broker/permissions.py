"""What a user of the embedded broker may publish and subscribe to. Pure.

Allow lists of topic filters; what no pattern covers is denied. `%u` in a pattern is the user's own
name. Topics that begin with `$`, `$aws/...` first of all, are the server's: no pattern lets a
client publish there, and to subscribe there takes a pattern that begins with `$`, too.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from bittern.outputs.mqtt.topics import is_filter, matches

RESERVED = "$"


class Permissions(msgspec.Struct, frozen=True, kw_only=True):
    """Patterns of one user, with its name filled in. None: whatever clients may at all."""

    publish: tuple[str, ...] | None = None
    subscribe: tuple[str, ...] | None = None

    def may_publish(self, topic: str) -> bool:
        if topic.startswith(RESERVED):
            return False
        return self.publish is None or any(matches(pattern, topic) for pattern in self.publish)

    def may_subscribe(self, topic_filter: str) -> bool:
        """Whether every topic that the filter matches is among those of one pattern."""
        return self.subscribe is None or any(
            covers(pattern, topic_filter) for pattern in self.subscribe
        )


EVERYTHING = Permissions()


def permissions_of(
    username: str, publish: Iterable[str] | None, subscribe: Iterable[str] | None
) -> Permissions:
    return Permissions(
        publish=None if publish is None else tuple(p.replace("%u", username) for p in publish),
        subscribe=None
        if subscribe is None
        else tuple(p.replace("%u", username) for p in subscribe),
    )


def flaw(pattern: str, *, to_publish: bool) -> str | None:
    """Why a pattern cannot be used."""
    if not is_filter(pattern):
        return "not a topic filter: + and # stand for whole levels, # for the last ones"
    if to_publish and pattern.startswith(RESERVED):
        return "topics that begin with $ are the server's: clients publish nothing there"
    return None


def covers(pattern: str, topic_filter: str) -> bool:
    """Whether each topic that matches ``topic_filter`` matches ``pattern`` (MQTT 3.1.1, 4.7)."""
    if topic_filter[:1] == "$" and pattern[:1] in ("+", "#"):
        return False
    allowed, wanted = pattern.split("/"), topic_filter.split("/")
    for place, level in enumerate(allowed):
        if level == "#":
            return True
        if place >= len(wanted) or wanted[place] == "#":
            return False
        if level not in ("+", wanted[place]):
            return False
    return len(allowed) == len(wanted)
