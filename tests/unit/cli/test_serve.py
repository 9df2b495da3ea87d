from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bittern.app import Addresses
from bittern.cli.serve import (
    _ready,
    gateways_at_most,
    raise_file_limit,
    run_on_uvloop,
    stop_on_signals,
    tell_file_limit,
)
from bittern.config import Configuration

ADDRESSES = Addresses(
    lns="wss://127.0.0.1:1",
    cups="https://127.0.0.1:4",
    api="http://127.0.0.1:2",
    mqtt="mqtt://127.0.0.1:3",
    feed="/x/f.sock",
)


def test_ready_line_is_one_line_with_every_address(tmp_path: Path) -> None:
    line = _ready(Configuration(data_dir=tmp_path), ADDRESSES, as_json=False)
    assert line.startswith("bittern ")
    assert line.split(" ready ")[1].split() == [
        "lns=wss://127.0.0.1:1",
        "cups=https://127.0.0.1:4",
        "api=http://127.0.0.1:2",
        "mqtt=mqtt://127.0.0.1:3",
        "feed=/x/f.sock",
        f"data_dir={tmp_path}",
    ]


def test_ready_line_may_be_json(tmp_path: Path) -> None:
    ready = json.loads(_ready(Configuration(data_dir=tmp_path), ADDRESSES, as_json=True))
    assert (ready["event"], ready["pid"]) == ("ready", os.getpid())
    assert ready["lns"] == "wss://127.0.0.1:1"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_first_signal_asks_to_stop_and_the_second_is_the_systems(number: signal.Signals) -> None:
    async def work() -> bool:
        stop = stop_on_signals()
        os.kill(os.getpid(), number)
        async with asyncio.timeout(5):
            await stop.wait()
        return asyncio.get_running_loop().remove_signal_handler(number)

    assert run_on_uvloop(work()) is False
    assert signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)


@pytest.fixture
def soft_limit() -> Iterator[int]:
    """Lower than what the system would allow."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lower = before[1] // 2
    resource.setrlimit(resource.RLIMIT_NOFILE, (lower, before[1]))
    yield lower
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_as_many_files_may_be_open_as_the_system_allows(soft_limit: int) -> None:
    allowed = raise_file_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (allowed, allowed)
    assert allowed > soft_limit


def test_a_limit_that_cannot_be_raised_stays_and_is_told(
    soft_limit: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("not allowed to raise maximum limit")

    with monkeypatch.context() as patched:
        patched.setattr(resource, "setrlimit", refuse)
        assert raise_file_limit() == soft_limit
    assert f"open files stay at limit={soft_limit}" in caplog.text


def test_handshakes_under_way_leave_less_room_for_gateways() -> None:
    usual = Configuration()
    stormy = msgspec.structs.replace(usual, lns=msgspec.structs.replace(usual.lns, handshakes=5000))
    assert gateways_at_most(20_000, usual) == 20_000 - 256 - 2 * 128
    assert gateways_at_most(20_000, stormy) == 20_000 - 256 - 2 * 5000
    assert gateways_at_most(1024, stormy) == 0


def test_a_limit_for_few_gateways_is_a_warning_with_its_cure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    tell_file_limit(1024, Configuration())
    tell_file_limit(20_000, Configuration())
    tell_file_limit(resource.RLIM_INFINITY, Configuration())
    low, high = caplog.records
    assert (low.levelname, high.levelname) == ("WARNING", "INFO")
    assert "limit=1024 gateways_at_most=512; raise it by" in low.getMessage()
    assert high.getMessage() == "open files limit=20000 gateways_at_most=19488"


def test_port_in_use_is_told(bittern, tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = tmp_path / "bittern.toml"
        free = "".join(f"[{name}]\nport = 0\n" for name in ("lns", "cups", "api"))
        config.write_text(f"{free}[mqtt]\nport = {taken.getsockname()[1]}\n")
        done = bittern("serve", "--config", config)
    assert done.exit_code == 1
    assert "address already in use" in done.stderr


@pytest.mark.parametrize(("allowed", "dumpable"), [("false", "False"), ("true", "True")])
def test_core_dumps_are_forbidden_unless_they_are_asked_for(
    tmp_path: Path, allowed: str, dumpable: str
) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o755)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from bittern.cli.serve import harden\n"
            "from bittern.cli.workspace import Workspace\n"
            "from bittern.upkeep.process import is_dumpable\n"
            "harden(Workspace.of(None, None).configuration)\n"
            "print(is_dumpable())",
        ],
        env=os.environ | {"BITTERN_SERVER__CORE_DUMPS": allowed, "BITTERN_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.strip() == dumpable
    assert f"closed to others: {data_dir} (mode 755)" in done.stderr
    assert ("core dumps are allowed" in done.stderr) == (allowed == "true")
