from __future__ import annotations

from pathlib import Path

from bittern.keys.ring import KeyRing
from bittern.outputs.broker.log import Changes, Retained, SessionLog
from bittern.outputs.broker.sealed import SealedLog, of_message
from bittern.outputs.broker.session import Entry
from bittern.types import Instant

ONE, BOTH = KeyRing({1: b"o" * 32}), KeyRing({1: b"o" * 32, 2: b"n" * 32})
NOW = Instant(1_800_000_000.0)


def test_no_two_messages_have_one_place() -> None:
    places = {
        of_message("a", 1, b"b:c")[0],
        of_message("a:b", 1, b"c")[0],
        of_message("a", 11, b"b:c")[0],
        of_message("a", 1, b"\xff")[0],
    }
    assert len(places) == 4


def test_a_log_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    sealed = SealedLog(tmp_path / "mqtt.db")
    assert sealed.count() == {}
    assert sealed.reseal(ONE, 10) == 0
    assert not (tmp_path / "mqtt.db").exists()


def test_messages_and_retained_ones_are_sealed_anew(tmp_path: Path) -> None:
    path = tmp_path / "mqtt.db"
    entries = [Entry(number, b"site/a", b"on") for number in range(3)]
    with SessionLog(path, ONE) as log:
        log.write(
            Changes(
                sessions={"a": ("u", NOW)},
                entries=[("a", entries)],
                retained={"t": Retained("t", b"off", 1, NOW)},
            )
        )
        sealed = SealedLog(path)
        assert sealed.count() == {1: 4}
        while sealed.reseal(BOTH, 2):
            pass
        assert sealed.count() == {2: 4}
    with SessionLog(path, KeyRing({2: b"n" * 32})) as log:
        _, [retained] = log.load(NOW)
        assert retained.payload == b"off"
        assert [entry.payload for entry in log.page("a", -1, 9)] == [b"on"] * 3
