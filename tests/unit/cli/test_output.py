from __future__ import annotations

import json

import pytest

from bittern.cli import output
from bittern.types import Instant


def test_json_is_for_a_person_too(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"a": [1], "b": "ü"})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"a": [1], "b": "ü"}
    assert "\n  " in printed


def test_table_in_a_pipe_has_no_frame_no_colour_and_no_wrapping(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.table(["A", "B"], [["x" * 150, "[bold]y[/]"], ["z", ""]], empty="none")
    assert capsys.readouterr().out.splitlines() == [
        "A" + " " * 150 + " B",
        "x" * 150 + "  [bold]y[/]",
        "z",
    ]


def test_table_without_rows_says_so_beside_the_data(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(["A"], [], empty="no things")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "no things\n")


def test_properties_are_aligned_over_all_groups(capsys: pytest.CaptureFixture[str]) -> None:
    output.properties({"a": "1", "long": "2"}, {"b": "3"})
    assert capsys.readouterr().out.splitlines() == ["a     1", "long  2", "", "b     3"]


def test_every_line_of_a_complaint_names_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    output.complain("one\ntwo")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "bittern: one\nbittern: two\n")


def test_time_for_programs_is_utc() -> None:
    assert output.utc(Instant(1_800_000_000.25)) == "2027-01-15T08:00:00.250Z"


def test_time_for_people_has_its_offset() -> None:
    assert output.local_time(Instant(0.0))[-6] in "+-"
