"""The whole server, started and ended."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path

import aiohttp
import msgspec
import pytest

from bittern.app import running
from bittern.config import Configuration
from bittern.installation import authorities
from bittern.pki.identity import server_identity
from bittern.types import Instant


async def test_a_first_start_makes_what_is_missing_and_listens_everywhere(
    configuration: Configuration,
) -> None:
    async with running(configuration) as addresses:
        assert addresses.lns.startswith("wss://127.0.0.1:")
        assert addresses.mqtt.startswith("mqtt://127.0.0.1:")
        async with aiohttp.ClientSession() as session:
            answer = await session.get(f"{addresses.api}/health")
            assert (await answer.json())["status"] == "ok"
            metrics = await (await session.get(f"{addresses.api}/metrics")).text()
    assert "bittern_lns_connections 0.0" in metrics
    assert (configuration.data_dir / "bittern.db").exists()
    assert not (configuration.data_dir / "run" / "feed.sock").exists()


async def test_a_second_start_finds_what_the_first_one_made(configuration: Configuration) -> None:
    async with running(configuration):
        authority = (configuration.data_dir / "pki" / "ca.crt").read_bytes()
    async with running(configuration):
        assert (configuration.data_dir / "pki" / "ca.crt").read_bytes() == authority


async def test_everything_that_is_written_is_for_its_owner_alone(
    configuration: Configuration,
) -> None:
    async with running(configuration):
        for path in configuration.data_dir.rglob("*"):
            public = path.name.endswith(".crt")
            assert path.stat().st_mode & (0o022 if public else 0o077) == 0, path


async def test_the_front_end_of_gateways_takes_nobody_without_a_certificate(
    configuration: Configuration,
) -> None:
    async with running(configuration) as addresses:
        port = int(addresses.lns.rpartition(":")[2])
        context = ssl.create_default_context(cafile=configuration.data_dir / "pki" / "ca.crt")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("localhost", port, ssl=context)


async def test_the_broker_speaks_tls_where_a_port_is_given_and_is_known_by_the_authority(
    configuration: Configuration,
) -> None:
    mqtt = msgspec.structs.replace(configuration.mqtt, tls_port=0)
    async with running(msgspec.structs.replace(configuration, mqtt=mqtt)) as addresses:
        assert addresses.mqtts is not None
        assert addresses.mqtts.startswith("mqtts://127.0.0.1:")
        port = int(addresses.mqtts.rpartition(":")[2])
        context = ssl.create_default_context(cafile=configuration.data_dir / "pki" / "ca.crt")
        _, writer = await asyncio.open_connection("localhost", port, ssl=context)
        writer.close()


async def test_the_broker_without_tls_stays_on_loopback(
    configuration: Configuration, caplog: pytest.LogCaptureFixture
) -> None:
    mqtt = msgspec.structs.replace(configuration.mqtt, host="0.0.0.0", tls_port=0)
    async with running(msgspec.structs.replace(configuration, mqtt=mqtt)) as addresses:
        assert addresses.mqtt.startswith("mqtt://127.0.0.1:")
        assert (addresses.mqtts or "").startswith("mqtts://0.0.0.0:")
    assert "mqtt listens without TLS at host=127.0.0.1 only" in caplog.text


async def test_the_api_speaks_tls_where_it_is_told_to(configuration: Configuration) -> None:
    api = msgspec.structs.replace(configuration.api, tls=True)
    async with running(msgspec.structs.replace(configuration, api=api)) as addresses:
        assert addresses.api.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=configuration.data_dir / "pki" / "ca.crt")
        async with aiohttp.ClientSession() as session:
            answer = await session.get(f"{addresses.api}/anything", ssl=context)
            assert answer.status == 403
            assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


async def test_the_api_may_show_a_certificate_of_the_world_outside(
    configuration: Configuration, tmp_path: Path
) -> None:
    now = Instant(time.time())
    authority = authorities(configuration, now).issuing
    identity = server_identity(tmp_path / "own", authority, ["127.0.0.1"], now)
    api = msgspec.structs.replace(configuration.api, tls=True, certificate=identity, key=identity)
    async with running(msgspec.structs.replace(configuration, api=api)) as addresses:
        context = ssl.create_default_context(cafile=configuration.data_dir / "pki" / "ca.crt")
        async with aiohttp.ClientSession() as session:
            answer = await session.get(f"{addresses.api}/health", ssl=context)
            assert answer.status == 200
