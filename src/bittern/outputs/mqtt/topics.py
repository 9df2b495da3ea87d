"""Topic names, topic filters and who subscribed to what (MQTT 3.1.1, 4.7). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

MAXIMUM_BYTES = 65_535
REMEMBERED_TOPICS = 10_000
"""Topics whose subscribers are remembered: a lookup then costs nothing, however many filters."""


def is_topic(text: str) -> bool:
    """A name that a message can be published to."""
    return bool(text) and "+" not in text and "#" not in text and _fits(text)


def is_filter(text: str) -> bool:
    """`+` and `#` occupy a whole level, `#` only the last (4.7.1)."""
    levels = text.split("/")
    return (
        bool(text)
        and _fits(text)
        and all(level == "+" or "+" not in level for level in levels)
        and all("#" not in level for level in levels[:-1])
        and (levels[-1] == "#" or "#" not in levels[-1])
    )


def _fits(text: str) -> bool:
    return "\0" not in text and len(text.encode()) <= MAXIMUM_BYTES


def matches(topic_filter: str, topic: str) -> bool:
    """Wildcards at the first level do not match topics that begin with `$` (4.7.2)."""
    if topic_filter == topic:
        return True
    if topic[:1] == "$" and topic_filter[:1] in ("+", "#"):
        return False
    wanted, given = topic_filter.split("/"), topic.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            # It stands for the level above it, too: "sport/#" matches "sport".
            return True
        if place >= len(given) or level not in ("+", given[place]):
            return False
    return len(wanted) == len(given)


class Subscriptions:
    """Topic filters by client, with the quality of service granted to each."""

    def __init__(self) -> None:
        self._by_client: dict[str, dict[str, int]] = {}
        self._remembered: dict[str, Sequence[tuple[str, int]]] = {}

    def __len__(self) -> int:
        """Clients with at least one filter."""
        return len(self._by_client)

    def add(self, client_id: str, topic_filter: str, qos: int) -> None:
        """An equal filter is replaced (3.8.4)."""
        self._by_client.setdefault(client_id, {})[topic_filter] = qos
        self._remembered.clear()

    def remove(self, client_id: str, topic_filters: Iterable[str]) -> None:
        own = self._by_client.get(client_id, {})
        for topic_filter in topic_filters:
            own.pop(topic_filter, None)
        if not own:
            self._by_client.pop(client_id, None)
        self._remembered.clear()

    def forget(self, client_id: str) -> None:
        if self._by_client.pop(client_id, None) is not None:
            self._remembered.clear()

    def of(self, client_id: str) -> Mapping[str, int]:
        return self._by_client.get(client_id, {})

    def subscribers(self, topic: str) -> Sequence[tuple[str, int]]:
        """Each client once, with the best quality of service of its filters that match."""
        found = self._remembered.get(topic)
        if found is None:
            if len(self._remembered) >= REMEMBERED_TOPICS:
                self._remembered.clear()
            found = self._remembered[topic] = self._find(topic)
        return found

    def _find(self, topic: str) -> Sequence[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        for client_id, filters in self._by_client.items():
            granted = [qos for text, qos in filters.items() if matches(text, topic)]
            if granted:
                found.append((client_id, max(granted)))
        return found
