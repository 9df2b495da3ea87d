from __future__ import annotations

import hashlib
import io

import pytest

from bittern.errors import SealBroken
from bittern.upkeep.streams import PIECE, TAG, open_stream, seal_stream, sealed_size

KEY = bytes(range(32))


def nothing(more: int) -> None:
    """Nobody watches."""


def sealed(content: bytes, key: bytes = KEY) -> bytes:
    target = io.BytesIO()
    digest = seal_stream(io.BytesIO(content), len(content), key, target, nothing)
    assert digest == hashlib.sha256(target.getvalue()).hexdigest()
    return target.getvalue()


def opened(data: bytes, size: int, key: bytes = KEY) -> bytes:
    target = io.BytesIO()
    open_stream(io.BytesIO(data), size, key, target, where="it", done=nothing)
    return target.getvalue()


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE])
def test_a_file_comes_back_whole(size):
    content = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    data = sealed(content)
    assert len(data) == sealed_size(size)
    assert opened(data, size) == content


def test_a_changed_byte_anywhere_is_noticed():
    data = sealed(b"secret")
    for place in range(len(data)):
        spoiled = bytearray(data)
        spoiled[place] ^= 1
        with pytest.raises(SealBroken):
            opened(bytes(spoiled), 6)


def test_pieces_cannot_be_swapped_left_out_or_taken_for_the_end():
    content = bytes(2 * PIECE)
    data = sealed(content)
    one, other = data[: PIECE + TAG], data[PIECE + TAG :]
    for spoiled, size in ((other + one, 2 * PIECE), (one, PIECE), (other, PIECE)):
        with pytest.raises(SealBroken):
            opened(spoiled, size)


def test_a_part_does_not_open_under_the_key_of_another():
    with pytest.raises(SealBroken):
        opened(sealed(b"secret"), 6, bytes(32))


def test_a_file_that_shrinks_meanwhile_is_an_error():
    with pytest.raises(EOFError):
        seal_stream(io.BytesIO(b"short"), 10, KEY, io.BytesIO(), nothing)


def test_progress_tells_the_bytes_of_the_file():
    told: list[int] = []
    seal_stream(io.BytesIO(bytes(PIECE + 5)), PIECE + 5, KEY, io.BytesIO(), told.append)
    assert told == [PIECE, 5]
