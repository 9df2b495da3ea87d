"""Apache Kafka itself, one broker without ZooKeeper, on free loopback ports.

BITTERN_KAFKA_LIBS names a folder with its jars and theirs (org.apache.kafka:kafka_2.13, 3.9, and
an slf4j binding); a `java` of version 17 or later runs them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from bittern.errors import DeliveryRejected
from bittern.outputs.port import Message

sys.path.insert(0, str(Path(__file__).parent))
from output_chaos import Program, carry, check_arrivals, free_port, made

LIBS = os.environ.get("BITTERN_KAFKA_LIBS")
JAVA = shutil.which("java")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(LIBS is None, reason="BITTERN_KAFKA_LIBS names no folder with Kafka"),
    pytest.mark.skipif(JAVA is None, reason="java is not installed"),
    pytest.mark.timeout(240),
]


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Program]:
    port, controller = free_port(), free_port()
    properties = tmp_path / "server.properties"
    properties.write_text(
        "process.roles=broker,controller\nnode.id=1\n"
        f"controller.quorum.voters=1@127.0.0.1:{controller}\n"
        f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n"
        f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n"
        "controller.listener.names=CONTROLLER\n"
        f"log.dirs={tmp_path}/kafka\nnum.partitions=3\n"
        "offsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\n"
        "transaction.state.log.min.isr=1\nmessage.max.bytes=100000\n"
    )
    java = [str(JAVA), "-Xmx512m", "-cp", f"{LIBS}/*"]
    subprocess.run(
        [*java, "kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c",
         str(properties)],
        check=True, capture_output=True,
    )  # fmt: skip
    async with Program([*java, "kafka.Kafka", str(properties)], port) as program:
        yield program


def parameters(running: Program, **more: Any) -> dict[str, Any]:
    client = {"bootstrap.servers": f"127.0.0.1:{running.port}", "acks": "all"}
    return {"topic": "up", "clientProperties": client, **more}


async def records(running: Program) -> list[Any]:
    """All there are, by partition and then in order."""
    consumer = AIOKafkaConsumer(
        "up", bootstrap_servers=f"127.0.0.1:{running.port}", auto_offset_reset="earliest"
    )
    await consumer.start()
    found: list[Any] = []
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        while len(found) < sum(ends.values()):
            for some in (await consumer.getmany(timeout_ms=1000)).values():
                found += some
    finally:
        await consumer.stop()
    return found


async def test_topic_gets_everything_in_order_through_all_troubles(
    running: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with made("kafka", parameters(running), tmp_path) as output:
        assert await output.publish([Message("", b'{"device":0,"n":0}', "0-0")]) == {}
        result = await carry(
            output, each=80, troubles=[running.restart, running.freeze, running.kill],
            within_s=150,
        )  # fmt: skip
    documents = [json.loads(record.value) for record in await records(running)]
    again = check_arrivals([(one["device"], one["n"]) for one in documents], 20, 80)
    assert result.rejected == []
    with capsys.disabled():
        print(f"\nkafka: {result}, {again} twice")


async def test_record_has_key_headers_and_partition(running: Program, tmp_path: Path) -> None:
    more = {"key": "k", "partition": "2", "headers": [{"key": "site", "value": "lake"}]}
    async with made("kafka", parameters(running, **more), tmp_path) as output:
        failures = await output.publish(
            [Message("", b"1", "m1"), Message("", os.urandom(200_000), "large")]
        )
    assert list(failures) == [1]
    assert isinstance(failures[1], DeliveryRejected)
    [record] = await records(running)
    assert (record.key, record.value, record.partition) == (b"k", b"1", 2)
    assert dict(record.headers) == {"Bittern-Message-Id": b"m1", "site": b"lake"}
