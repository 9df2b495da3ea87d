from __future__ import annotations

import pytest

from bench import rules
from bench.rules import STATEMENTS, UPLINK, clocked, measure
from bittern.rules import compile


def test_median_round_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 9.0, 10.0, 13.0, 20.0, 24.0])
    monkeypatch.setattr(rules.time, "perf_counter", lambda: next(times))
    assert clocked(lambda: None, 1, 3) == 4e6


def test_every_step_works_and_takes_time() -> None:
    figures = dict(measure(times=5, compilations=1))
    assert len(figures) == len(STATEMENTS) + 4
    assert all(microseconds > 0 for microseconds in figures.values())


@pytest.mark.parametrize("name", STATEMENTS)
def test_statements_do_what_their_names_say(name: str) -> None:
    selected = compile(STATEMENTS[name]).evaluate(UPLINK, rules.CONTEXT)
    assert (selected is None) == (name == "of another port")
    if selected is not None:
        assert len(selected.payload()) > len(b"{}")
