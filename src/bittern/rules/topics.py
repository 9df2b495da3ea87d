"""Topic filters of the FROM clause.

Source: AWS IoT Core developer guide, "FROM clause" and "Topic filters"; MQTT 3.1.1, 4.7.
"""

from __future__ import annotations

from collections.abc import Callable

MAX_BYTES = 256


def problem(topic_filter: str) -> str:
    """What is wrong with it; empty if nothing is."""
    if not topic_filter:
        return "the topic filter is empty"
    if len(topic_filter.encode("utf-8", "replace")) > MAX_BYTES:
        return f"the topic filter is longer than {MAX_BYTES} bytes"
    if "\0" in topic_filter:
        return "a topic filter has no NUL character"
    *above, last = topic_filter.split("/")
    if any("#" in level for level in above) or "#" in last.replace("#", "", last == "#"):
        return "# stands alone, as the last level of a topic filter"
    if any("+" in level and level != "+" for level in (*above, last)):
        return "+ stands alone in its level of a topic filter"
    return ""


def matcher(topic_filter: str) -> Callable[[str], bool]:
    """Whether a topic is one of the filter's, which has no problem."""
    if "+" not in topic_filter and "#" not in topic_filter:
        return topic_filter.__eq__
    wanted = topic_filter.split("/")
    rest = wanted[-1] == "#"
    levels = wanted[:-1] if rest else wanted
    hidden = wanted[0] in ("+", "#")

    def matches(topic: str) -> bool:
        # MQTT 3.1.1, 4.7.2: a leading wildcard does not reach topics that begin with $.
        if hidden and topic.startswith("$"):
            return False
        found = topic.split("/")
        if len(found) < len(levels) or (len(found) > len(levels) and not rest):
            return False
        return all(one in ("+", other) for one, other in zip(levels, found, strict=False))

    return matches
