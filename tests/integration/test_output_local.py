"""`cloudwatchLogs` and `cloudwatchMetric` of this machine: a full disk, rotation, a clock set back.

The disk is full by the system's own limit on the size of files, which needs no rights.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

sys.path.insert(0, str(Path(__file__).parent))
from output_chaos import Result, carry, check_arrivals

from bittern.outputs.cloudwatch_logs import CloudwatchLogsForm, LocalLogOutput
from bittern.outputs.cloudwatch_metric import CloudwatchMetricForm, MetricOutput
from bittern.outputs.local_log import LocalLog, Rotation
from bittern.outputs.rule_metrics import RuleMetrics

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
DEVICES, EACH = 20, 80
HALF = b'{"timestamp": 1, "mess'


class Disk:
    """The folder of the logs, and what happens to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "uplinks.jsonl"
        self.moved = 0

    async def fills_up(self) -> None:
        """No file grows beyond the end of what is there, but for half a line."""
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        size = self.path.stat().st_size if self.path.exists() else 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 30, hard))
        try:
            await asyncio.sleep(0.4)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    async def is_gone(self) -> None:
        """As when it is not mounted."""
        aside = self.folder.with_name("aside")
        self.folder.rename(aside)
        self.folder.write_bytes(b"")
        await asyncio.sleep(0.3)
        self.folder.unlink()
        aside.rename(self.folder)

    async def is_tidied(self) -> None:
        """Another program moves the file away."""
        self.moved += 1
        with contextlib.suppress(FileNotFoundError):
            # It has just been turned.
            self.path.rename(self.folder / f"uplinks.jsonl.moved{self.moved}")

    async def loses_power(self) -> None:
        """Half a line is there."""
        with self.path.open("ab") as file:
            file.write(HALF)

    def lines(self) -> list[bytes]:
        """Of all files, of each in its order."""
        return [line for path in self.folder.iterdir() for line in path.read_bytes().splitlines()]


def rotated(folder: Path, output: str, rotation: Rotation) -> LocalLogOutput:
    form = CloudwatchLogsForm(log_group_name="uplinks")
    return LocalLogOutput(f"rule/{output}", form, LocalLog(folder, rotation))


async def test_no_line_is_lost_when_the_disk_is_full_or_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = Disk(tmp_path / "logs")
    output = rotated(disk.folder, "1", Rotation(file_bytes=2**30))
    async with output:
        result = await carry(
            output,
            devices=DEVICES,
            each=EACH,
            troubles=[disk.fills_up, disk.loses_power, disk.is_gone, disk.fills_up],
        )
        assert output.health().working
    told = disk.lines()
    assert told.count(HALF) == 1
    copies = check_arrivals(arrivals([line for line in told if line != HALF]), DEVICES, EACH)
    assert result.rejected == []
    assert result.unavailable > 3
    tell(capsys, "cloudwatchLogs, local, disk full and gone", result, copies)


async def test_no_line_is_lost_when_files_are_turned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = Disk(tmp_path / "logs")
    rotation = Rotation(file_bytes=8192, kept=1000)
    async with (
        rotated(disk.folder, "1", rotation) as one,
        rotated(disk.folder, "2", rotation) as two,
    ):
        results = await asyncio.gather(
            carry(one, devices=DEVICES, each=EACH, troubles=[disk.is_tidied] * 3),
            carry(two, devices=DEVICES, each=EACH, troubles=[disk.fills_up]),
        )
    paths = sorted(disk.folder.iterdir(), key=lambda path: -path.stat().st_mtime_ns)
    assert len(paths) > 20
    assert all(path.stat().st_size <= rotation.file_bytes for path in paths)
    arrived = arrivals(
        [line for path in reversed(paths) for line in path.read_bytes().splitlines()]
    )
    # Both outputs write what every device sends: each message is there twice.
    copies = check_arrivals(arrived, DEVICES, EACH)
    assert copies >= DEVICES * EACH
    for name, result in zip(("one", "two"), results, strict=True):
        assert result.rejected == []
        tell(capsys, f"cloudwatchLogs, local, turned, output {name}", result, copies)


async def test_every_value_is_counted_once(capsys: pytest.CaptureFixture[str]) -> None:
    metrics, registry, clock = RuleMetrics(), CollectorRegistry(), [1e9]
    registry.register(metrics)
    form = CloudwatchMetricForm(
        metric_namespace="site", metric_name="n", metric_value="", metric_unit="Count"
    )

    async def is_read() -> None:
        for _ in range(20):
            generate_latest(registry)
            await asyncio.sleep(0.01)

    async def is_set_back() -> None:
        clock[0] -= 3600

    async with MetricOutput("rule/1", form, metrics, now=lambda: clock[0]) as output:
        result = await carry(
            output,
            devices=DEVICES,
            each=EACH,
            fill=measured,
            troubles=[is_read, is_set_back, is_read],
        )
    for device in range(DEVICES):
        series: Any = {"namespace": "site", "name": f"n{device}", "unit": "Count"}
        assert registry.get_sample_value("bittern_rule_metric_count", series) == EACH
        assert registry.get_sample_value("bittern_rule_metric_sum", series) == sum(range(EACH))
        assert registry.get_sample_value("bittern_rule_metric_last", series) == EACH - 1
    assert result.rejected == []
    tell(capsys, "cloudwatchMetric", result, 0)


def measured(device: int, number: int) -> Mapping[str, str]:
    return {"metricValue": str(number), "metricName": f"n{device}"}


def arrivals(lines: list[bytes]) -> list[tuple[int, int]]:
    documents = [json.loads(line)["message"] for line in lines]
    return [(one["device"], one["n"]) for one in documents]


def tell(capsys: pytest.CaptureFixture[str], name: str, result: Result, copies: int) -> None:
    with capsys.disabled():
        print(f"\n{name}: {result}; {copies} copies")
