"""The program as a person runs it, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e

PROGRAM = (sys.executable, "-m", "bittern")


def environment(folder: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("BITTERN_")}
    ports = {f"BITTERN_{name}__PORT": "0" for name in ("LNS", "CUPS", "MQTT", "API")}
    return own | ports | {"BITTERN_DATA_DIR": str(folder / "data"), "PYTHONWARNINGS": "error"}


def bittern(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


class Server:
    """`bittern serve --json`, ready."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, "serve", "--json"],
            cwd=folder,
            env=environment(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate(timeout=10)[1])
        self.ready: dict[str, Any] = json.loads(line)

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.ready['api']}{path}", timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(by)
        self.process.communicate(timeout=30)
        return self.process.returncode


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    if server.process.poll() is None:
        server.process.kill()
        server.process.communicate()


def test_first_start_makes_everything_and_says_where_it_is(server: Server, tmp_path: Path) -> None:
    assert server.ready["event"] == "ready"
    assert server.ready["data_dir"] == str(tmp_path / "data")
    assert re.fullmatch(r"wss://127\.0\.0\.1:\d+", server.ready["lns"])
    made = {path.name for path in (tmp_path / "data").rglob("*")}
    assert {"bittern.db", "data.key", "ca.key", "ca.crt", "server.pem", "mqtt.password"} <= made


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_server_ends_in_order_by_a_signal(server: Server, number: signal.Signals) -> None:
    assert server.end(number) == 0
    assert not Path(server.ready["feed"]).exists()


def test_server_tells_health_and_metrics(server: Server) -> None:
    health = json.loads(server.get("/health"))
    assert health["status"] == "ok"
    assert set(health["checks"]) == {"store", "mqtt", "delivery"}
    metrics = server.get("/metrics")
    assert re.search(r"^bittern_info\{version=", metrics, re.M)
    assert re.search(r"^bittern_intake_copies_total 0", metrics, re.M)


def test_tail_watches_until_the_server_ends(server: Server, tmp_path: Path) -> None:
    tail = subprocess.Popen(
        [*PROGRAM, "tail"],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert tail.stderr is not None
    first = tail.stderr.readline()
    assert server.end() == 0
    _, told = tail.communicate(timeout=30)
    assert first.startswith("watching bittern ")
    assert told == "the server has ended\n"
    assert tail.returncode == 0


def test_second_server_of_a_data_directory_is_refused(server: Server, tmp_path: Path) -> None:
    done = bittern(tmp_path, "serve")
    assert done.returncode == 1
    assert "another server is running" in done.stderr
    assert json.loads(server.get("/health"))["status"] == "ok"


def test_what_is_added_while_the_server_runs_is_there_for_the_next_one(
    server: Server, tmp_path: Path
) -> None:
    added = bittern(tmp_path, "device", "add", "70b3d57ed0000001", "--generate-keys", "--json")
    assert added.returncode == 0, added.stderr
    assert server.end() == 0
    listed = json.loads(bittern(tmp_path, "device", "list", "--json").stdout)
    assert [one["id"] for one in listed] == [json.loads(added.stdout)["id"]]


def test_demo_shows_joins_uplinks_and_a_downlink(tmp_path: Path) -> None:
    done = bittern(tmp_path, "demo", "--seconds", "20")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    kinds = re.findall(r"^ +\d+\.\d s  (\w+)", done.stdout, re.M)
    assert {"gateway", "join", "uplink", "send", "downlink"} <= set(kinds)
    assert "mosquitto_sub -h 127.0.0.1" in done.stdout
    assert "\x1b" not in done.stdout


def test_demo_plays_in_a_region_of_ones_own(tmp_path: Path) -> None:
    done = bittern(tmp_path, "demo", "--seconds", "20", "--region", "as923-1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "downlink" in done.stdout


def test_demo_says_where_it_can_play(tmp_path: Path) -> None:
    done = bittern(tmp_path, "demo", "--region", "CN470")
    assert done.returncode == 2
    assert "no simulated device for region 'CN470'" in done.stderr
    assert "AS923-4" in done.stderr


def test_demo_that_has_no_time_for_a_join_fails_and_says_so(tmp_path: Path) -> None:
    done = bittern(tmp_path, "demo", "--seconds", "2")
    assert done.returncode == 1
    assert "bittern: no device joined\n" in done.stderr


def test_demo_ends_by_ctrl_c(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [*PROGRAM, "demo", "--data-dir", str(tmp_path / "demo")],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    while (line := demo.stdout.readline()) and " uplink " not in line:
        pass
    demo.send_signal(signal.SIGINT)
    told, complaints = demo.communicate(timeout=30)
    assert (demo.returncode, complaints) == (0, "")
    assert told.splitlines()[-1].endswith("downlinks were received")
