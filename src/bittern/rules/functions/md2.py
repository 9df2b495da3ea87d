"""MD2 (RFC 1319). No library has it any more; AWS IoT SQL does."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import islice

BLOCK = 16


def md2(message: bytes) -> bytes:
    """16 bytes. It is broken as a hash, and here to be compatible."""
    padding = BLOCK - len(message) % BLOCK
    padded = message + bytes([padding]) * padding
    state = bytes(3 * BLOCK)
    for block in _blocks(padded + _checksum(padded)):
        state = _compress(state[:BLOCK], block)
    return state[:BLOCK]


def _blocks(message: bytes) -> Iterator[bytes]:
    return (message[at : at + BLOCK] for at in range(0, len(message), BLOCK))


def _checksum(padded: bytes) -> bytes:
    """RFC 1319, 3.2."""
    table, checksum, last = _substitution(), bytearray(BLOCK), 0
    for block in _blocks(padded):
        for at, byte in enumerate(block):
            checksum[at] ^= table[byte ^ last]
            last = checksum[at]
    return bytes(checksum)


def _compress(digest: bytes, block: bytes) -> bytes:
    """RFC 1319, 3.4."""
    table = _substitution()
    state = bytearray(digest + block + bytes(a ^ b for a, b in zip(digest, block, strict=True)))
    last = 0
    for turn in range(18):
        for at in range(3 * BLOCK):
            state[at] ^= table[last]
            last = state[at]
        last = (last + turn) % 256
    return bytes(state)


@cache
def _substitution() -> bytes:
    """The permutation of RFC 1319, 3.2: 0 to 255 shuffled by the digits of pi."""
    table, digits = list(range(256)), _digits_of_pi()
    for last in range(1, 256):
        at = _draw(digits, last + 1)
        table[at], table[last] = table[last], table[at]
    return bytes(table)


def _draw(digits: Iterator[int], below: int) -> int:
    """A number from as many digits as `below` needs; those that would favour some are skipped."""
    width = 1 if below <= 10 else 2 if below <= 100 else 3
    while True:
        drawn = int("".join(map(str, islice(digits, width))))
        if drawn < below * (10**width // below):
            return drawn % below


def _digits_of_pi() -> Iterator[int]:
    """3, 1, 4, … by Machin's formula, as many as the shuffle takes."""
    one = 10**760
    pi = 4 * (4 * _arctangent(5, one) - _arctangent(239, one))
    return map(int, str(pi)[:750])


def _arctangent(inverse: int, one: int) -> int:
    """Of 1 / `inverse`, times `one`."""
    power = one // inverse
    total, divisor = power, 1
    while power:
        power //= -inverse * inverse
        divisor += 2
        total += power // divisor
    return total
