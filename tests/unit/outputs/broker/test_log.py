from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from bittern.errors import SchemaTooNew, StoreUnavailable
from bittern.keys.ring import KeyRing
from bittern.outputs.broker.log import (
    VERSION,
    Changes,
    LoggedSession,
    LogLimits,
    Retained,
    SessionLog,
)
from bittern.outputs.broker.session import Entry
from bittern.types import Instant

NOW = Instant(1_000_000.0)
RING = KeyRing({1: b"k" * 32})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mqtt.db"


@pytest.fixture
def log(path: Path) -> Iterator[SessionLog]:
    with SessionLog(path, RING, LogLimits(messages=5, bytes=1000, expiry_s=100)) as log:
        yield log


def entries(*numbers: int, payload: bytes = b"{}") -> list[Entry]:
    return [Entry(number, b"site/meters", payload, retain=number == 0) for number in numbers]


def numbers(log: SessionLog, client_id: str, after: int = -1, limit: int = 100) -> list[int]:
    return [entry.number for entry in log.page(client_id, after, limit)]


def began(client_id: str = "a") -> Changes:
    return Changes(sessions={client_id: ("bittern", NOW)})


def test_everything_is_there_after_a_restart(path: Path) -> None:
    with SessionLog(path, RING) as log:
        changes = began()
        changes.subscriptions = {("a", "site/#"): 1, ("a", "other"): 0}
        changes.retained = {"site/state": Retained("site/state", b"on", 1, NOW)}
        changes.entries = [("a", entries(0, 7))]
        assert log.write(changes) == {}
    with SessionLog(path, RING) as log:
        sessions, retained = log.load(NOW)
        assert sessions == [
            LoggedSession("a", "bittern", NOW, 8, (("other", 0), ("site/#", 1))),
        ]
        assert retained == [Retained("site/state", b"on", 1, NOW)]
        first, second = log.page("a", -1, 10)
        assert (first.number, first.topic, first.payload, first.retain) == (
            0,
            b"site/meters",
            b"{}",
            True,
        )
        assert (second.number, second.retain) == (7, False)


def test_file_is_for_its_owner_alone_and_payloads_are_sealed(log: SessionLog, path: Path) -> None:
    changes = began()
    changes.entries = [("a", entries(1, payload=b"temperature 21"))]
    changes.retained = {"t": Retained("t", b"temperature 22", 0)}
    log.write(changes)
    for name in os.listdir(path.parent):
        file = path.parent / name
        assert b"temperature" not in file.read_bytes()
        assert not stat.S_IMODE(file.stat().st_mode) & 0o077


def test_pages_follow_each_other(log: SessionLog) -> None:
    changes = began()
    changes.entries = [("a", entries(1, 2, 3, 4, 5))]
    log.write(changes)
    assert numbers(log, "a", after=-1, limit=2) == [1, 2]
    assert numbers(log, "a", after=2, limit=2) == [3, 4]
    assert numbers(log, "b") == []


def test_acknowledged_messages_are_struck_off(log: SessionLog) -> None:
    changes = began()
    changes.entries = [("a", entries(1, 2, 3))]
    log.write(changes)
    log.write(Changes(acked=[("a", [1, 3, 99])]))
    assert numbers(log, "a") == [2]


def test_entry_that_is_written_again_counts_once(log: SessionLog) -> None:
    changes = began()
    changes.entries = [("a", entries(1, 2, 3, 4, 5))]
    log.write(changes)
    assert log.write(Changes(entries=[("a", entries(5))])) == {}
    assert numbers(log, "a") == [1, 2, 3, 4, 5]


def test_client_that_stays_away_loses_its_oldest_messages(log: SessionLog) -> None:
    changes = began()
    changes.entries = [("a", entries(*range(8)))]
    assert log.write(changes) == {"a": 3}
    assert numbers(log, "a") == [3, 4, 5, 6, 7]


def test_bytes_are_bounded_too(log: SessionLog) -> None:
    changes = began()
    changes.entries = [("a", entries(1, 2, 3, payload=b"x" * 400))]
    assert log.write(changes) == {"a": 1}
    assert numbers(log, "a") == [2, 3]


def test_bounds_of_one_client_do_not_touch_another(log: SessionLog) -> None:
    for client_id in ("a", "b"):
        changes = began(client_id)
        changes.entries = [(client_id, entries(1, 2, 3))]
        assert log.write(changes) == {}
    log.write(Changes(entries=[("a", entries(*range(4, 12)))]))
    assert numbers(log, "b") == [1, 2, 3]


def test_session_that_ends_takes_everything_with_it(log: SessionLog) -> None:
    changes = began()
    changes.subscriptions = {("a", "#"): 1}
    changes.entries = [("a", entries(1))]
    log.write(changes)
    log.write(Changes(ended={"a"}, sessions={"a": ("bittern", NOW)}))
    assert log.load(NOW)[0] == [LoggedSession("a", "bittern", NOW, 0, ())]
    assert numbers(log, "a") == []


def test_subscription_changes_and_goes(log: SessionLog) -> None:
    changes = began()
    changes.subscriptions = {("a", "x"): 1, ("a", "y"): 1}
    log.write(changes)
    log.write(Changes(subscriptions={("a", "x"): 0, ("a", "y"): None}))
    assert log.load(NOW)[0][0].subscriptions == (("x", 0),)


def test_session_past_its_time_ends_at_the_start(log: SessionLog) -> None:
    log.write(began())
    assert log.load(Instant(NOW + 99))[0]
    assert log.load(Instant(NOW + 101))[0] == []


def test_retained_message_is_removed_by_an_empty_one(log: SessionLog) -> None:
    log.write(Changes(retained={"t": Retained("t", b"1", 0)}))
    log.write(Changes(retained={"t": Retained("t", b"2", 1)}))
    assert log.load(NOW)[1] == [Retained("t", b"2", 1)]
    log.write(Changes(retained={"t": Retained("t", b"", 0)}))
    assert log.load(NOW)[1] == []


def test_write_is_all_or_nothing(log: SessionLog) -> None:
    changes = began()
    changes.entries = [("a", entries(1)), ("nobody", entries(1))]
    with pytest.raises(StoreUnavailable):
        log.write(changes)
    assert log.load(NOW)[0] == []


def test_full_disk_is_unavailable_and_recovers(log: SessionLog) -> None:
    log.write(began())
    assert log._database is not None
    (pages,) = log._database.execute("PRAGMA page_count").fetchone()
    log._database.execute(f"PRAGMA max_page_count = {pages}")
    big = Changes(entries=[("a", entries(1, payload=os.urandom(900_000)))])
    with pytest.raises(StoreUnavailable, match="full"):
        log.write(big)
    log._database.execute("PRAGMA max_page_count = 100000")
    log.write(Changes(entries=[("a", entries(2))]))
    assert numbers(log, "a") == [2]


def test_closed_log_is_unavailable(path: Path) -> None:
    with SessionLog(path, RING) as log:
        pass
    with pytest.raises(StoreUnavailable, match="closed"):
        log.write(began())


def test_file_of_the_first_version_is_taken_over(path: Path) -> None:
    database = sqlite3.connect(path)
    database.executescript(files("bittern.outputs.broker").joinpath("log.sql").read_text())
    sealed = RING.seal(b"on", "mqtt.retained:site/state")
    database.execute("INSERT INTO retained VALUES (?, ?, ?)", ("site/state", sealed, 1))
    database.commit()
    database.close()
    for _ in range(2):
        with SessionLog(path, KeyRing({1: b"k" * 32}, earlier=frozenset({1}))) as log:
            assert log.load(NOW) == ([], [Retained("site/state", b"on", 1, Instant(0.0))])


def test_file_of_a_later_version_is_refused(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    with pytest.raises(SchemaTooNew), SessionLog(path, RING):
        pass


def test_file_that_is_no_database_is_unavailable(path: Path) -> None:
    path.write_bytes(b"this is not a database, it only has its name" * 20)
    with pytest.raises(StoreUnavailable, match="not a database"), SessionLog(path, RING):
        pass


def test_changes_that_were_not_written_merge_with_later_ones() -> None:
    earlier = Changes(
        sessions={"a": ("u", NOW), "b": ("u", NOW)},
        subscriptions={("a", "x"): 1, ("b", "x"): 1, ("b", "y"): 1},
        retained={"t": Retained("t", b"1", 0)},
    )
    later = Changes(
        ended={"a"},
        subscriptions={("b", "x"): None},
        retained={"t": Retained("t", b"2", 0)},
    )
    assert earlier.and_then(later) == Changes(
        ended={"a"},
        sessions={"b": ("u", NOW)},
        subscriptions={("b", "x"): None, ("b", "y"): 1},
        retained={"t": Retained("t", b"2", 0)},
    )
