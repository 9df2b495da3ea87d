import itertools

from bittern.network.randomness import BLOCK_SIZE, BlockRandomness


class Counting:
    """Every draw gives other bytes."""

    def __init__(self) -> None:
        self.draws = 0
        self._next = itertools.count()

    def __call__(self, size: int) -> bytes:
        self.draws += 1
        return bytes(next(self._next) % 251 for _ in range(size))


def test_a_block_serves_many_requests():
    draw = Counting()
    randomness = BlockRandomness(draw)
    for _ in range(BLOCK_SIZE // 16):
        randomness.getrandbits(128)
    assert draw.draws == 1
    randomness.getrandbits(128)
    assert draw.draws == 2


def test_no_bytes_are_given_twice():
    randomness = BlockRandomness(Counting())
    assert [randomness.getrandbits(8) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert randomness.getrandbits(16) == 0x0506


def test_numbers_have_as_many_bits_as_were_asked_for():
    randomness = BlockRandomness(lambda size: b"\xff" * size)
    for bits in (1, 7, 8, 25, 128, 8 * BLOCK_SIZE + 3):
        assert randomness.getrandbits(bits) == (1 << bits) - 1
