"""Which of the owed messages are in memory, and from where the store must be read back.

Memory is bounded: past the capacity further messages stay in the store alone, and from then on
every new one does, until the store has been read back to its end. Otherwise a device's new message
would overtake its old one. Sans-IO; sequences are the store's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bittern.outputs.port import Delivery

ARRIVALS = 4096
"""New messages that are kept while a page is read: those that the page did not have yet. Without
them a busy server would read its newest messages back from the store for ever."""


class Backlog:
    """Begins as after a restart: the store may owe anything, so it is to be read first."""

    def __init__(self, capacity: int, *, owes_nothing: bool = False) -> None:
        """`owes_nothing`: the store is known to owe nothing yet; it need not be read."""
        self.capacity = capacity
        self._held: set[int] = set()
        self._cursor: int | None = None if owes_nothing else 0
        self._page_asked = False
        self._arrivals: list[Delivery] = []
        self._left_meanwhile: list[int] = []
        """The lowest sequence that had no room among the arrivals, if there is one."""
        self.last_seen = 0
        """The newest sequence that was offered or read."""

    def __len__(self) -> int:
        """Messages in memory, also those delivered and not yet struck off."""
        return len(self._held)

    def __contains__(self, sequence: int) -> bool:
        return sequence in self._held

    @property
    def reading(self) -> bool:
        """Messages were left in the store."""
        return self._cursor is not None

    @property
    def room(self) -> int:
        return self.capacity - len(self._held)

    def offered(self, delivery: Delivery) -> bool:
        """A new message: True takes it into memory, False leaves it in the store for now."""
        sequence, held = delivery.sequence, self._held
        self.last_seen = max(self.last_seen, sequence)
        if sequence in held:
            return False
        if self._cursor is None and len(held) < self.capacity:
            held.add(sequence)
            return True
        if not self._page_asked:
            self._leave(sequence)
        elif len(self._arrivals) < ARRIVALS:
            self._arrivals.append(delivery)
        else:
            self._left_meanwhile[:] = [min([sequence, *self._left_meanwhile])]
        return False

    def begin_page(self) -> int:
        """A page is about to be asked of the store: after which sequence."""
        self._page_asked = True
        return self._cursor or 0

    def page(self, deliveries: Sequence[Delivery], after: int, *, complete: bool) -> list[Delivery]:
        """The page after `after` has come; returns what to take into memory.

        `complete`: the store owed no more than this when it was asked.
        """
        taken = self._take(deliveries)
        left = self._not_held(deliveries) + self._left_meanwhile
        if complete and not left:
            taken += self._take(self._arrivals)
        left += self._not_held(self._arrivals)
        last = deliveries[-1].sequence if deliveries else after
        self.last_seen = max(self.last_seen, last)
        if left:
            self._cursor = min(last, min(left) - 1)
        else:
            self._cursor = None if complete else last
        self._end_page()
        return taken

    def page_failed(self) -> None:
        """The store could not be read."""
        left = self._not_held(self._arrivals) + self._left_meanwhile
        self._end_page()
        for sequence in left:
            self._leave(sequence)

    def adopt(self, sequence: int) -> None:
        """A message that is in memory already is owed here from now on, whatever room there is."""
        self._held.add(sequence)
        self.last_seen = max(self.last_seen, sequence)

    def look_again(self) -> None:
        """Somebody else has put messages into the store: it is read from its beginning."""
        if self._page_asked:
            self._left_meanwhile[:] = [1]
        else:
            self._leave(1)

    def done(self, sequences: Iterable[int]) -> None:
        """Struck off the store."""
        self._held.difference_update(sequences)

    def _take(self, deliveries: Iterable[Delivery]) -> list[Delivery]:
        """Those not in memory yet, until it is full."""
        taken: list[Delivery] = []
        for delivery in deliveries:
            if delivery.sequence in self._held:
                continue
            if len(self._held) >= self.capacity:
                break
            self._held.add(delivery.sequence)
            taken.append(delivery)
        return taken

    def _not_held(self, deliveries: Iterable[Delivery]) -> list[int]:
        return [d.sequence for d in deliveries if d.sequence not in self._held]

    def _leave(self, sequence: int) -> None:
        """In the store alone. Commits need not be seen in order: the cursor stays before it."""
        before = sequence - 1
        self._cursor = before if self._cursor is None else min(self._cursor, before)

    def _end_page(self) -> None:
        self._page_asked = False
        self._arrivals.clear()
        self._left_meanwhile.clear()
