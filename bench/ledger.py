"""What was sent and what arrived, in a file that sender and subscriber share.

Times are of the monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Self

_HEADER = 64
_RECEIVED, _DOUBLED, _FOREIGN, _RUN = 0, 1, 2, 3


class Ledger:
    """One run. Every array has one place for each uplink."""

    def __init__(self, path: Path) -> None:
        """Open what ``create`` made."""
        self.path = path
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self.uplinks = (len(self._map) - _HEADER) // 17
        whole = memoryview(self._map)
        self._head = whole[:_HEADER].cast("Q")
        n = self.uplinks
        self.sent_at = whole[_HEADER : _HEADER + 8 * n].cast("d")
        """0 until sent."""
        self.received_at = whole[_HEADER + 8 * n : _HEADER + 16 * n].cast("d")
        """Of the first copy; 0 until received."""
        self.times_received = whole[_HEADER + 16 * n :]
        whole.release()

    @classmethod
    def create(cls, path: Path, uplinks: int, run: int) -> Self:
        with path.open("wb") as file:
            file.truncate(_HEADER + 17 * uplinks)
        ledger = cls(path)
        ledger._head[_RUN] = run
        return ledger

    @property
    def run(self) -> int:
        return self._head[_RUN]

    @property
    def received(self) -> int:
        """Different uplinks that arrived."""
        return self._head[_RECEIVED]

    @property
    def doubled(self) -> int:
        """Arrivals beyond the first one of their uplink."""
        return self._head[_DOUBLED]

    @property
    def foreign(self) -> int:
        """Messages that are not of this run."""
        return self._head[_FOREIGN]

    def arrived(self, identity: tuple[int, int] | None, at: float) -> None:
        if identity is None or identity[0] != self._head[_RUN] or identity[1] >= self.uplinks:
            self._head[_FOREIGN] += 1
            return
        number = identity[1]
        times = self.times_received[number]
        if times:
            self._head[_DOUBLED] += 1
        else:
            self.received_at[number] = at
            self._head[_RECEIVED] += 1
        self.times_received[number] = min(times + 1, 255)

    def close(self) -> None:
        for view in (self._head, self.sent_at, self.received_at, self.times_received):
            view.release()
        self._map.close()
