from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from bittern.app import Addresses
from bittern.cli.serve import _ready, run_on_uvloop, stop_on_signals
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
