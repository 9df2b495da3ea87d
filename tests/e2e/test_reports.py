"""What accounts have kept of their devices: summary metrics and the log of AWS, of real frames, and
both outlast the server.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bittern.simulator.device import Joined
from bittern.testing.program import Program

sys.path.insert(0, str(Path(__file__).parent))
from test_api_walk import DEVICE, Script, call, field_of, meter

pytestmark = pytest.mark.e2e


def sum_of(wireless: Any, name: str, *dimension: str) -> tuple[float, dict[str, float]]:
    """Over the hours that the test takes, and the values of the last of them."""
    now = datetime.now(UTC)
    query = {
        "QueryId": name,
        "MetricName": name,
        "AggregationPeriod": "OneHour",
        "StartTimestamp": now - timedelta(hours=1),
        "EndTimestamp": now + timedelta(hours=1),
    }
    if dimension:
        query["Dimensions"] = [dict(zip(("name", "value"), dimension, strict=True))]
    [result] = wireless.get_metrics(SummaryMetricQueries=[query])["SummaryMetricQueryResults"]
    assert result["QueryStatus"] == "Succeeded", result
    return sum(one["Sum"] for one in result["Values"]), result["Values"][-1]


async def test_what_was_heard_is_summed_and_logged(tmp_path: Path) -> None:
    log = tmp_path / "aws.log"
    program, home, device = Program(tmp_path, LOG__AWS_FILE=str(log)), tmp_path / "station", meter()
    async with program.serving() as ready:
        key = await program.json("access-key", "add")
        script = Script(ready["api"], key)
        device_id, gateway_id = await asyncio.to_thread(script.set_up, home)
        wireless = script.wireless
        await call(wireless.update_metric_configuration, SummaryMetric={"Status": "Enabled"})
        await call(wireless.update_log_levels_by_resource_types, DefaultLogLevel="INFO")
        async with field_of("simulated", home) as (air, hearing):
            device.join_request()
            assert isinstance(await air.exchange(device, [hearing]), Joined)
            for payload in (b"one", b"lost", b"two"):
                device.uplink(payload, fport=5)
                if payload != b"lost":
                    await air.exchange(device, [hearing])
            async with asyncio.timeout(20):
                while log.read_text().count("Uplink_Data") < 2:
                    await asyncio.sleep(0.1)
    async with program.serving() as ready:
        wireless = Script(ready["api"], key).wireless
        await asyncio.to_thread(are_right, wireless, device_id, gateway_id)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["wirelessDeviceId"] for line in lines} == {device_id}
    assert {line["devEui"] for line in lines} == {str(DEVICE)}
    assert [line["event"] for line in lines][:3] == ["Join", "Join", "Uplink_Data"]


def are_right(wireless: Any, device_id: str, gateway_id: str) -> None:
    of_device, of_gateway = ("DeviceId", device_id), ("GatewayId", gateway_id)
    for name, expected in (
        ("UplinkCount", 2),
        ("UplinkLostCount", 1),
        ("JoinRequestCount", 1),
        ("JoinAcceptCount", 1),
    ):
        assert sum_of(wireless, f"Device{name}", *of_device)[0] == expected
        assert sum_of(wireless, f"AwsAccount{name}")[0] == expected
        if "Lost" not in name:
            assert sum_of(wireless, f"Gateway{name}", *of_gateway)[0] == expected
    _, rssi = sum_of(wireless, "DeviceRSSI", *of_device)
    assert (rssi["Min"], rssi["Max"], rssi["Std"]) == (-71, -71, 0)
    _, snr = sum_of(wireless, "GatewaySNR", *of_gateway)
    assert snr["Avg"] == 8.5
    assert sum_of(wireless, "GatewayUpTime", *of_gateway)[0] > 0
    for name in ("DeviceCount", "GatewayCount", "ActiveDeviceCount", "ActiveGatewayCount"):
        assert sum_of(wireless, f"AwsAccount{name}")[1]["Max"] == 1
