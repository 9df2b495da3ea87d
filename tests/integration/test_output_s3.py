"""`s3` through trouble: nothing is lost, and objects of a device are put in its order."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from aws_services import MISSING, OWN, REASON, REGION, Moto, output_of, url_of
from chaos_proxy import Proxy
from output_chaos import carry, check_arrivals, free_port

pytestmark = [pytest.mark.integration, pytest.mark.skipif(bool(MISSING), reason=REASON)]
DEVICES, EACH = 10, 40


@pytest.fixture
async def moto(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Moto]:
    for name, value in OWN.items():
        monkeypatch.setenv(name, value)
    async with Moto(free_port()) as running:
        yield running


def latest(device: int, number: int) -> Mapping[str, str]:
    """One object for each device, of which the bucket keeps all versions."""
    return {"key": f"latest/{device}"}


async def test_nothing_is_lost_or_overtaken_in_trouble(
    moto: Moto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    s3 = moto.client("s3")
    s3.create_bucket(Bucket="uplinks", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="uplinks", VersioningConfiguration={"Status": "Enabled"})
    action = {"s3": {"bucketName": "uplinks", "key": "latest/${device}"}}
    async with (
        Proxy(free_port(), moto.port) as proxy,
        output_of(action, url_of(proxy.port), tmp_path) as output,
    ):
        troubles = [proxy.restart, proxy.slow, proxy.be_busy, proxy.lose_answers, proxy.restart]
        result = await carry(output, devices=DEVICES, each=EACH, fill=latest, troubles=troubles)
    assert result.rejected == []
    assert result.delivered == DEVICES * EACH
    assert all(proxy.spoiled[trouble] for trouble in ("busy", "loses_answers", "slow"))
    copies = check_arrivals(versions(s3), DEVICES, EACH)
    for device in range(DEVICES):
        last = s3.get_object(Bucket="uplinks", Key=f"latest/{device}")["Body"].read()
        assert json.loads(last) == {"device": device, "n": EACH - 1}
    with capsys.disabled():
        print(f"\ns3: {result}, {copies} copies, trouble {proxy.spoiled}")


def versions(s3: Any) -> list[tuple[int, int]]:
    """What was put, the oldest of each key first."""
    found: list[tuple[int, int]] = []
    listed = s3.list_object_versions(Bucket="uplinks", MaxKeys=1000)
    assert not listed["IsTruncated"]
    # The service lists the newest version of a key first.
    for one in reversed(listed["Versions"]):
        content = s3.get_object(Bucket="uplinks", Key=one["Key"], VersionId=one["VersionId"])
        document = json.loads(content["Body"].read())
        found.append((document["device"], document["n"]))
    return found
