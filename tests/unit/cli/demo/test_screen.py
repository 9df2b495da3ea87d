from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.live import Live

from bittern.cli.demo.screen import Board, line_of, shown
from bittern.cli.demo.story import DeviceState, Happening, Story
from bittern.types import EUI64, DevAddr

SILO = EUI64.from_hex("70b3d57ed0000005")


def story() -> Story:
    device = DeviceState("silo", "OTAA 1.0.3 US915", last_payload="fill 71 %", sent=4, arrived=3)
    return Story(clock=lambda: 61.25, devices={SILO: device})


def drawn(told: Story, width: int = 120, height: int = 40) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    with console.capture() as captured:
        console.print(Board(told, Live(console=console)).drawn(width, height))
    return captured.get().splitlines()


def test_line_is_time_kind_name_and_text() -> None:
    assert line_of(Happening(7.123, "uplink", "silo", "fill 71 %")).plain == (
        "   7.1 s  uplink   silo         fill 71 %"
    )
    assert line_of(Happening(7.1, "note", "", "look")).plain == "look"


def test_lines_in_a_pipe_are_plain(capsys: pytest.CaptureFixture[str]) -> None:
    told = story()
    with shown(told):
        told.went_wrong("silo: deaf")
    assert capsys.readouterr().out == "  61.2 s  WRONG                 silo: deaf\n"


def test_board_shows_each_device() -> None:
    told = story()
    text = "\n".join(drawn(told))
    assert "joining" in text
    assert "fill 71 %" in text
    told.devices[SILO].dev_addr = DevAddr.from_hex("00aabbcc")
    assert "00aabbcc" in "\n".join(drawn(told))


def test_board_keeps_the_last_lines_that_fit() -> None:
    told = story()
    for number in range(100):
        told.note(f"line {number}")
    lines = [line.strip() for line in drawn(told, height=24)]
    assert "line 99" in lines
    assert "line 50" not in lines
    assert len(lines) <= 24


def test_board_leaves_columns_out_where_they_do_not_fit() -> None:
    told = story()
    told.went_wrong("x" * 200)
    wide, narrow = drawn(told, width=120), drawn(told, width=80)
    assert "HEARD AT" in "".join(wide)
    assert "HEARD AT" not in "".join(narrow)
    assert "OTAA 1.0.3 US915" in "".join(narrow)
    assert max(map(len, narrow)) <= 80
