"""InfluxDB 1, started here on free loopback ports."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bittern.outputs.port import Message

sys.path.insert(0, str(Path(__file__).parent))
from output_chaos import Program, carry, check_arrivals, free_port, made

PROGRAM = shutil.which("influxd")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PROGRAM is None, reason="influxd is not installed"),
]


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Program]:
    assert PROGRAM is not None
    port, folder = free_port(), tmp_path / "influx"
    configuration = tmp_path / "influxdb.conf"
    configuration.write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{free_port()}"\n'
        f'[meta]\ndir = "{folder}/meta"\n'
        f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
        f'[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n'
        "[monitor]\nstore-enabled = false\n"
    )
    async with Program([PROGRAM, "-config", str(configuration)], port) as program:
        await query(program, "CREATE DATABASE lake")
        yield program


async def query(running: Program, text: str) -> Any:
    url = f"http://127.0.0.1:{running.port}/query"
    async with aiohttp.ClientSession() as session:
        answer = await session.post(url, params={"db": "lake", "epoch": "ns"}, data={"q": text})
        return json.loads(await answer.text())


def parameters(running: Program, **more: Any) -> dict[str, Any]:
    return {
        "url": f"http://127.0.0.1:{running.port}",
        "version": 1,
        "bucket": "lake",
        "measurement": "up",
        "tags": {"device": "${d}"},
        "fields": {"n": "${n}"},
        "fieldTypes": {"n": "integer"},
        "timestamp": "${t}",
        **more,
    }


def point(device: int, number: int) -> Mapping[str, str]:
    at = str(1_700_000_000_000_000_000 + number)
    return {"tags.device": str(device), "fields.n": str(number), "timestamp": at}


async def test_database_has_everything_once_through_all_troubles(
    running: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with made("influxdb", parameters(running), tmp_path) as output:
        result = await carry(
            output,
            each=80,
            fill=point,
            troubles=[running.restart, running.freeze, running.kill],
        )
    answer = await query(running, "SELECT device, n FROM up")
    rows = answer["results"][0]["series"][0]["values"]
    # The time is the number: the order of arrival is nothing that a point has.
    again = check_arrivals([(int(device), n) for _, device, n in rows], 20, 80)
    assert result.rejected == []
    assert result.unavailable > 0
    assert again == 0
    with capsys.disabled():
        print(f"\ninfluxdb: {result}, {again} twice")


async def test_texts_come_back_as_they_were(running: Program, tmp_path: Path) -> None:
    tag, text = 'a b,c=d"e', 'say "x" \\ twice\nü'
    more = {"tags": {"site id": "${s}"}, "fields": {"a,b": "${f}"}, "fieldTypes": {}}
    async with made("influxdb", parameters(running, **more), tmp_path) as output:
        filled = {"tags.site id": tag, "fields.a,b": text, "timestamp": "1"}
        assert await output.publish([Message("", b"", "m1", filled)]) == {}
    answer = await query(running, 'SELECT "site id", "a,b" FROM up')
    assert answer["results"][0]["series"][0]["values"] == [[1, tag, text]]


async def test_point_of_another_type_is_rejected_alone(running: Program, tmp_path: Path) -> None:
    filled = [point(1, 1), point(1, 2)]
    async with made("influxdb", parameters(running), tmp_path) as output:
        assert await output.publish([Message("", b"", "m0", point(1, 0))]) == {}
    others = parameters(running, fieldTypes={"n": "string"})
    async with made("influxdb", others, tmp_path) as output:
        failures = await output.publish([Message("", b"", "m", one) for one in filled])
    assert sorted(failures) == [0, 1]
    assert "conflict" in failures[0].reason
