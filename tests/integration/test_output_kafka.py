"""`kafka` at Apache Kafka itself: in the open, by TLS, and by login in each of three ways."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import trustme

sys.path.insert(0, str(Path(__file__).parent))
from kafka_services import JAVA, LIBS, MECHANISMS, NO_JAVA, NO_LIBS, Kafka
from output_chaos import Result, carry, check_arrivals, made

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.port import Message, Output

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(LIBS is None, reason=NO_LIBS),
    pytest.mark.skipif(JAVA is None, reason=NO_JAVA),
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]
WAYS = [
    ("PLAINTEXT", ""),
    *(("SASL_PLAINTEXT", mechanism) for mechanism in MECHANISMS),
    ("SSL", ""),
    *(("SASL_SSL", mechanism) for mechanism in MECHANISMS),
]
DEVICES, EACH = 20, 80


def name_of(way: tuple[str, str]) -> str:
    return "-".join(filter(None, way)).lower().replace("_", "-")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kafka]:
    folder = tmp_path_factory.mktemp("broker")
    async with Kafka(folder, folder / "secrets") as running:
        yield running


@pytest.fixture
def data_dir(kafka: Kafka, tmp_path: Path) -> Path:
    """With secrets of its own, which a test may spoil."""
    (tmp_path / "secrets").mkdir()
    for name in ("ca.pem", "own.pem", "password"):
        content = (kafka.folder / "secrets" / name).read_bytes()
        (tmp_path / "secrets" / name).write_bytes(content)
    return tmp_path


def output_of(kafka: Kafka, data_dir: Path, way: tuple[str, str], topic: str) -> Output:
    return made("kafka", {"topic": topic, **kafka.parameters(*way)}, data_dir)


async def test_everything_arrives_in_order_through_all_troubles_by_every_way(
    kafka: Kafka, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def through(way: tuple[str, str]) -> Result:
        async with output_of(kafka, data_dir, way, f"up-{name_of(way)}") as output:
            # The first message makes the topic.
            assert await output.publish([Message("", b'{"device":0,"n":0}', "0-0")]) == {}
            troubles = [kafka.restart, kafka.freeze, kafka.kill] if way == WAYS[0] else []
            return await carry(
                output, devices=DEVICES, each=EACH, troubles=troubles, pause_s=0.1, within_s=180
            )

    results = await asyncio.gather(*map(through, WAYS))
    # A short trouble is the producer's own to overcome.
    assert sum(result.unavailable for result in results) > 0
    for way, result in zip(WAYS, results, strict=True):
        found = await kafka.records(f"up-{name_of(way)}")
        documents = [json.loads(record.value) for record in found]
        again = check_arrivals([(one["device"], one["n"]) for one in documents], DEVICES, EACH)
        assert result.rejected == []
        with capsys.disabled():
            print(f"\nkafka, {name_of(way)}: {result}, {again} twice")


async def test_record_has_key_headers_and_partition(kafka: Kafka, data_dir: Path) -> None:
    more = {"key": "k", "partition": "2", "headers": [{"key": "site", "value": "lake"}]}
    parameters = {"topic": "keyed", **kafka.parameters(), **more}
    async with made("kafka", parameters, data_dir) as output:
        failures = await output.publish(
            [Message("", b"1", "m1"), Message("", os.urandom(200_000), "large")]
        )
    assert list(failures) == [1]
    assert isinstance(failures[1], DeliveryRejected)
    [record] = await kafka.records("keyed")
    assert (record.key, record.value, record.partition) == (b"k", b"1", 2)
    assert dict(record.headers) == {"Bittern-Message-Id": b"m1", "site": b"lake"}


@pytest.mark.parametrize("way", [way for way in WAYS if way[1]], ids=name_of)
async def test_a_wrong_password_is_told_and_the_right_one_is_taken_up(
    kafka: Kafka, data_dir: Path, way: tuple[str, str]
) -> None:
    right = (data_dir / "secrets/password").read_text()
    (data_dir / "secrets/password").write_text("wrong one\n")
    async with output_of(kafka, data_dir, way, f"login-{name_of(way)}") as output:
        with pytest.raises(DeliveryUnavailable, match=r"Authentication failed") as refused:
            await output.publish([Message("", b"1", "m1")])
        assert "wrong one" not in str(refused.value)
        assert not output.health().working
        (data_dir / "secrets/password").write_text(right)
        assert await output.publish([Message("", b"1", "m1")]) == {}
        assert output.health().working
    assert len(await kafka.records(f"login-{name_of(way)}")) == 1


@pytest.mark.parametrize("protocol", ["SSL", "SASL_SSL"])
async def test_a_broker_of_another_authority_is_refused(
    kafka: Kafka, data_dir: Path, protocol: str
) -> None:
    trustme.CA().cert_pem.write_to_path(str(data_dir / "secrets/ca.pem"))
    way = (protocol, "SCRAM-SHA-512" if "SASL" in protocol else "")
    async with output_of(kafka, data_dir, way, "refused") as output:
        with pytest.raises(DeliveryUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            await output.publish([Message("", b"1", "m1")])


@pytest.mark.parametrize("shown", ["another's", "none"])
async def test_without_a_certificate_that_it_knows_we_are_refused(
    kafka: Kafka, data_dir: Path, shown: str
) -> None:
    parameters: dict[str, Any] = {"topic": "refused", **kafka.parameters("SSL")}
    if shown == "none":
        parameters["tls"] = {"ca": "ca.pem"}
    issued = trustme.CA().issue_cert("bittern.example")
    issued.private_key_and_cert_chain_pem.write_to_path(str(data_dir / "secrets/own.pem"))
    async with made("kafka", parameters, data_dir) as output:
        with pytest.raises(DeliveryUnavailable, match="closed"):
            await output.publish([Message("", b"1", "m1")])
