"""Running a station: its configuration, its log and its end; a shell script stands in for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bittern.testing.genuine_station import (
    VARIABLE,
    GenuineStation,
    station_binary,
    station_conf,
)
from bittern.types import EUI64, GatewayEUI

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))


def script(folder: Path, text: str) -> Path:
    file = folder / "station"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def test_the_binary_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert station_binary() is None
    monkeypatch.setenv(VARIABLE, "/opt/station")
    assert station_binary() == Path("/opt/station")


def test_the_configuration_says_who_it_is_and_where_its_radio_is() -> None:
    conf = station_conf(EUI, Path("/tmp/radio"), has_pps=True)
    assert conf["station_conf"] == {"routerid": "16:c001:ff00:1", "log_level": "DEBUG"}
    board = conf["SX1301_conf"]
    assert isinstance(board, dict)
    assert (board["device"], board["pps"]) == ("/tmp/radio", True)


async def test_it_runs_in_its_home_and_its_log_is_read(tmp_path: Path) -> None:
    binary = script(tmp_path, 'cat station.conf; echo " $*"; exec sleep 60')
    async with GenuineStation(binary, tmp_path, station_conf(EUI, tmp_path)) as station:
        await station.until_logged("16:c001:ff00:1")
        await station.until_logged(f"--home {tmp_path} --temp {tmp_path} --log-file -")


async def test_what_is_not_logged_is_a_timeout_with_the_log(tmp_path: Path) -> None:
    binary = script(tmp_path, "echo something else; exec sleep 60")
    async with GenuineStation(binary, tmp_path, {}) as station:
        await station.until_logged("something")
        with pytest.raises(TimeoutError, match="'ready' is not in the log:\nsomething else"):
            await station.until_logged("ready", timeout_s=0.0)


async def test_a_station_that_does_not_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bittern.testing.genuine_station.END_S", 0.1)
    binary = script(tmp_path, "trap '' TERM; echo ready; while :; do sleep 0.05; done")
    async with GenuineStation(binary, tmp_path, {}) as station:
        await station.until_logged("ready")


async def test_a_station_that_has_ended_is_no_trouble(tmp_path: Path) -> None:
    async with GenuineStation(script(tmp_path, "echo done"), tmp_path, {}) as station:
        await station.until_logged("done")
