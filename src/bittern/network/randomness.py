"""The operating system's randomness, drawn in blocks.

Each draw lets go of the interpreter's lock, and thousands of small ones in a second mean thousands
of moments in which another thread takes it.
"""

from __future__ import annotations

from collections.abc import Callable

BLOCK_SIZE = 4096


class BlockRandomness:
    """A `Randomness` over `draw`, which is `os.urandom`. No bit is given twice."""

    def __init__(self, draw: Callable[[int], bytes]) -> None:
        self._draw = draw
        self._block = b""
        self._at = 0

    def getrandbits(self, k: int, /) -> int:
        """A number below 2**k."""
        size = (k + 7) // 8
        if self._at + size > len(self._block):
            self._block, self._at = self._draw(max(BLOCK_SIZE, size)), 0
        taken = self._block[self._at : self._at + size]
        self._at += size
        return int.from_bytes(taken, "big") >> (8 * size - k)
