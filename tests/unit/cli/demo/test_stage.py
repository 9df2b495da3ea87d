from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bittern.cli.demo import stage
from bittern.cli.demo.stage import _configuration, _folder, _free, verdict
from bittern.cli.demo.story import Story
from bittern.errors import Conflict


def story(*, joins: int = 0, uplinks: int = 0, downlinks: int = 0) -> Story:
    return Story(clock=lambda: 0.0, joins=joins, uplinks=uplinks, downlinks=downlinks)


def test_demo_that_showed_everything_succeeds(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(story(joins=1, uplinks=2, downlinks=1), in_time=True) == 0
    assert capsys.readouterr().out.startswith("1 joins, 2 uplinks arrived")


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"uplinks": 1, "downlinks": 1}, "no device joined"),
        ({"joins": 1, "downlinks": 1}, "no uplink arrived"),
        ({"joins": 1, "uplinks": 1}, "no downlink reached"),
    ],
)
def test_demo_that_lacked_something_fails_and_says_what(
    counts: dict[str, int], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verdict(story(**counts), in_time=True) == 1
    assert said in capsys.readouterr().err


def test_demo_that_was_interrupted_need_not_have_shown_everything() -> None:
    assert verdict(story(), in_time=False) == 0


def test_what_went_wrong_fails_in_any_case(capsys: pytest.CaptureFixture[str]) -> None:
    told = story(joins=1, uplinks=1, downlinks=1)
    told.went_wrong("silo: deaf")
    assert verdict(told, in_time=False) == 1
    assert "silo: deaf" in capsys.readouterr().err


def test_temporary_folder_is_gone_afterwards() -> None:
    with _folder(None) as folder:
        assert folder.is_dir()
    assert not folder.exists()


def test_named_folder_is_kept_and_must_be_new(tmp_path: Path) -> None:
    with _folder(tmp_path / "demo") as folder:
        (folder / "file").touch()
    assert (tmp_path / "demo/file").exists()
    with pytest.raises(Conflict, match="not empty"), _folder(tmp_path / "demo"):
        pass


def test_port_that_is_taken_gives_way_to_any() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        taken.listen()
        assert _free(port) == 0
    assert _free(port) == port


def test_every_listener_makes_way_for_who_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "_free", lambda port: 0)
    made = _configuration(tmp_path)
    assert {made.lns.port, made.cups.port, made.mqtt.port, made.api.port} == {0}
