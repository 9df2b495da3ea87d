from __future__ import annotations

from pathlib import Path

from bench.ledger import Ledger


def test_two_processes_see_the_same_ledger(tmp_path: Path) -> None:
    ours = Ledger.create(tmp_path / "ledger", 3, run=9)
    theirs = Ledger(tmp_path / "ledger")
    assert (theirs.uplinks, theirs.run) == (3, 9)
    theirs.arrived((9, 2), 5.0)
    assert ours.received == 1
    assert ours.received_at.tolist() == [0.0, 0.0, 5.0]
    ours.close()
    theirs.close()


def test_second_arrival_counts_as_doubled_and_keeps_the_first_time(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path / "ledger", 2, run=1)
    for at in (1.0, 2.0, 3.0):
        ledger.arrived((1, 0), at)
    assert (ledger.received, ledger.doubled) == (1, 2)
    assert ledger.received_at[0] == 1.0
    assert ledger.times_received[0] == 3
    ledger.close()


def test_message_of_another_run_is_foreign(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path / "ledger", 2, run=1)
    for identity in ((2, 0), (1, 2), None):
        ledger.arrived(identity, 1.0)
    assert (ledger.received, ledger.doubled, ledger.foreign) == (0, 0, 3)
    ledger.close()
