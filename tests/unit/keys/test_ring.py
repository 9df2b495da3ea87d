from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.errors import SealBroken
from bittern.keys import ring as module
from bittern.keys.ring import NONCES_PER_DRAW, KeyRing, key_id_of

KEY = bytes(range(32))
WHERE = "session.keys:70b3d57ed0000001:1"
OVERHEAD = 1 + 24 + 16


def from_specification(key: bytes, associated: str, ciphertext: str) -> None:
    """Open a value of the XAES-256-GCM specification (C2SP), in our format."""
    sealed = b"\x01" + b"ABCDEFGHIJKLMNOPQRSTUVWX" + bytes.fromhex(ciphertext)
    assert KeyRing({1: key}).open(sealed, associated) == b"XAES-256-GCM"


def test_values_of_the_specification_open() -> None:
    """Its two examples: the mask of the first key needs no reduction, that of the second does."""
    from_specification(b"\x01" * 32, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271")
    from_specification(
        b"\x03" * 32,
        "c2sp.org/XAES-256-GCM",
        "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
    )


@given(st.binary(max_size=300), st.text(max_size=60))
def test_what_was_sealed_opens_where_it_was_put(plaintext: bytes, where: str) -> None:
    vault = KeyRing({1: KEY})
    sealed = vault.seal(plaintext, where)
    assert len(sealed) == len(plaintext) + OVERHEAD
    assert vault.open(sealed, where) == plaintext
    assert KeyRing({1: KEY}).open(sealed, where) == plaintext


def test_the_same_value_never_seals_to_the_same_bytes() -> None:
    vault = KeyRing({1: KEY})
    assert len({vault.seal(b"secret", WHERE)[13:25] for _ in range(100)}) == 100


def test_a_sealed_value_does_not_open_elsewhere() -> None:
    vault = KeyRing({1: KEY})
    with pytest.raises(SealBroken) as caught:
        vault.open(vault.seal(b"secret", WHERE), "session.keys:70b3d57ed0000002:1")
    assert "70b3d57ed0000002" in str(caught.value)


def test_no_changed_bit_is_accepted() -> None:
    vault = KeyRing({1: KEY})
    sealed = vault.seal(b"secret", WHERE)
    for place in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(SealBroken):
            vault.open(bytes(changed), WHERE)


@pytest.mark.parametrize("length", [0, 1, 25, OVERHEAD - 1])
def test_a_truncated_value_does_not_open(length: int) -> None:
    vault = KeyRing({1: KEY})
    with pytest.raises(SealBroken):
        vault.open(vault.seal(b"secret", WHERE)[:length], WHERE)


def test_another_key_does_not_open() -> None:
    sealed = KeyRing({1: KEY}).seal(b"secret", WHERE)
    with pytest.raises(SealBroken):
        KeyRing({1: bytes(32)}).open(sealed, WHERE)
    with pytest.raises(SealBroken):
        KeyRing({2: KEY}).open(sealed, WHERE)


def test_the_newest_key_seals_and_every_key_opens() -> None:
    before = KeyRing({1: KEY}).seal(b"before", WHERE)
    both = KeyRing({1: KEY, 2: bytes(32)})
    after = both.seal(b"after", WHERE)
    assert (before[0], after[0]) == (1, 2)
    assert both.open(before, WHERE) == b"before"
    assert KeyRing({2: bytes(32)}).open(after, WHERE) == b"after"


def test_the_first_half_of_the_nonce_is_drawn_again_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SEALS_PER_PREFIX", 3)
    vault = KeyRing({1: KEY})
    sealed = [vault.seal(b"secret", WHERE) for _ in range(7)]
    prefixes = [value[1:13] for value in sealed]
    assert [prefixes.count(prefix) for prefix in dict.fromkeys(prefixes)] == [3, 3, 1]
    assert {vault.open(value, WHERE) for value in sealed} == {b"secret"}


@pytest.mark.parametrize("keys", [{}, {0: KEY}, {256: KEY}, {1: KEY[1:]}])
def test_a_key_ring_has_whole_keys_with_ids_of_one_byte(keys: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="key"):
        KeyRing(keys)


def test_a_vault_does_not_print_its_keys() -> None:
    assert repr(KeyRing({1: KEY})) == "KeyRing(…)"


def test_a_forked_process_shares_no_nonce() -> None:
    ring = KeyRing({1: bytes(32)})
    ring.seal(b"before", "here")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, ring.seal(b"x", "here")[1:25])
        os._exit(0)
    os.waitpid(child, 0)
    theirs, ours = os.read(reading, 24), ring.seal(b"x", "here")[1:25]
    os.close(reading)
    os.close(writing)
    assert theirs[:12] != ours[:12]
    assert theirs[12:] != ours[12:]


def test_nonces_are_never_repeated_over_draws() -> None:
    ring = KeyRing({1: bytes(32)})
    nonces = {ring.seal(b"", "here")[1:25] for _ in range(3 * NONCES_PER_DRAW)}
    assert len(nonces) == 3 * NONCES_PER_DRAW


def test_what_is_derived_is_the_newest_keys_and_the_purposes() -> None:
    one, two = KeyRing({1: bytes(32)}), KeyRing({1: bytes(32), 2: bytes(range(32))})
    assert len(one.derived("tokens")) == 32
    assert one.derived("tokens") == KeyRing({1: bytes(32)}).derived("tokens")
    assert one.derived("tokens") != one.derived("other")
    assert two.derived("tokens") == KeyRing({2: bytes(range(32))}).derived("tokens")


def test_a_ring_takes_in_other_keys_while_it_is_used() -> None:
    ring = KeyRing({1: KEY})
    before = ring.seal(b"before", WHERE)
    ring.change({1: KEY, 2: bytes(32)}, 2, frozenset())
    assert ring.sealing_id == 2
    assert ring.ids == {1, 2}
    assert ring.open(before, WHERE) == b"before"
    assert key_id_of(ring.seal(b"after", WHERE)) == 2
    ring.change({2: bytes(32)}, 2, frozenset())
    with pytest.raises(SealBroken, match="no data key 1 is at hand"):
        ring.open(before, WHERE)


def test_an_id_that_is_used_again_is_another_key() -> None:
    ring = KeyRing({1: KEY})
    before = ring.seal(b"before", WHERE)
    ring.change({1: bytes(32)}, 1, frozenset())
    with pytest.raises(SealBroken):
        ring.open(before, WHERE)
    assert KeyRing({1: bytes(32)}).open(ring.seal(b"after", WHERE), WHERE) == b"after"


def test_an_older_key_may_seal() -> None:
    ring = KeyRing({1: KEY, 2: bytes(32)}, sealing=1)
    assert key_id_of(ring.seal(b"", WHERE)) == 1
    with pytest.raises(ValueError, match="not on the ring"):
        KeyRing({1: KEY}, sealing=2)


def test_an_earlier_name_of_a_place_counts_for_keys_of_that_time_only() -> None:
    old = KeyRing({1: KEY}).seal(b"secret", "old name")
    both = KeyRing({1: KEY, 2: bytes(32)}, earlier=frozenset({1}))
    assert both.open(old, "new name", "old name") == b"secret"
    with pytest.raises(SealBroken):
        KeyRing({1: KEY}).open(old, "new name", "old name")
    new = both.seal(b"secret", "old name")
    with pytest.raises(SealBroken):
        both.open(new, "new name", "old name")


def test_threads_that_seal_while_the_keys_change_seal_what_opens() -> None:
    keys = {1: KEY, 2: bytes(32)}
    ring = KeyRing(keys)
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            ring.change(keys, 3 - ring.sealing_id, frozenset())

    changing = threading.Thread(target=change)
    changing.start()
    try:
        for _ in range(3000):
            assert ring.open(ring.seal(b"x", WHERE), WHERE) == b"x"
    finally:
        stop.set()
        changing.join()
