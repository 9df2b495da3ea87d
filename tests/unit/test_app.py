import asyncio
import logging
import ssl
from pathlib import Path

import aiohttp
import msgspec
import pytest

from bittern import app
from bittern.app import Background, follow_changes, running, steady_utc, task
from bittern.config import Configuration, load
from bittern.errors import StoreUnavailable
from bittern.store.records import Change
from bittern.testing import examples
from bittern.testing.memory_store import MemoryStore
from bittern.types import EUI64, GatewayEUI


def free_ports(data_dir: Path) -> Configuration:
    ports = {f"BITTERN_{listener}__PORT": "0" for listener in ("API", "LNS", "MQTT", "CUPS")}
    return msgspec.structs.replace(load(None, ports), data_dir=data_dir)


async def test_a_first_start_makes_what_is_missing_and_listens_everywhere(tmp_path: Path):
    data_dir = tmp_path / "data"
    async with running(free_ports(data_dir)) as addresses:
        assert addresses.lns.startswith("wss://127.0.0.1:")
        assert addresses.mqtt.startswith("mqtt://127.0.0.1:")
        async with aiohttp.ClientSession() as session:
            answer = await session.get(f"{addresses.api}/health")
            assert (await answer.json())["status"] == "ok"
            metrics = await (await session.get(f"{addresses.api}/metrics")).text()
    assert "bittern_lns_connections 0.0" in metrics
    assert (data_dir / "bittern.db").exists()
    assert not (data_dir / "run" / "feed.sock").exists()


async def test_a_second_start_finds_what_the_first_one_made(tmp_path: Path):
    configuration = free_ports(tmp_path / "data")
    async with running(configuration):
        authority = (tmp_path / "data" / "pki" / "ca.crt").read_bytes()
    async with running(configuration):
        assert (tmp_path / "data" / "pki" / "ca.crt").read_bytes() == authority


async def test_everything_that_is_written_is_for_its_owner_alone(tmp_path: Path):
    async with running(free_ports(tmp_path / "data")):
        for path in (tmp_path / "data").rglob("*"):
            public = path.name.endswith(".crt")
            assert path.stat().st_mode & (0o022 if public else 0o077) == 0, path


async def test_the_front_end_of_gateways_takes_nobody_without_a_certificate(tmp_path: Path):
    async with running(free_ports(tmp_path / "data")) as addresses:
        port = int(addresses.lns.rpartition(":")[2])
        context = ssl.create_default_context(cafile=tmp_path / "data" / "pki" / "ca.crt")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("localhost", port, ssl=context)


def test_the_clock_does_not_go_back():
    now = steady_utc()
    readings = [now() for _ in range(1000)]
    assert readings == sorted(readings)


async def test_short_work_in_the_background_is_finished_at_the_end():
    done = asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0)
        done.set()

    async with Background() as background:
        background.start(work(), "work")
    assert done.is_set()


async def test_repeated_work_goes_on_after_a_fault_and_ends_with_the_server(
    caplog: pytest.LogCaptureFixture,
):
    runs = 0
    often = asyncio.Event()

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 3:
            often.set()
        raise StoreUnavailable("disk full")

    with caplog.at_level(logging.ERROR):
        async with Background() as background:
            background.repeat(work, 0.0, "renew")
            await often.wait()
    assert "disk full" in caplog.text
    assert "renew" in caplog.text


async def test_a_task_is_cancelled_when_its_context_ends():
    cancelled = asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with task(forever(), "forever"):
        await asyncio.sleep(0)
    assert cancelled.is_set()


async def never() -> None:
    raise AssertionError("nothing was missed")


async def test_all_is_read_anew_when_more_was_changed_than_is_listed(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(app, "CHANGE_POLL_S", 0.0)
    store = MemoryStore(changes_kept=2)
    await store.open()
    heard: list[list[Change]] = []
    started_over = asyncio.Event()

    async def start_over() -> None:
        started_over.set()

    async with task(follow_changes(store, (heard.append,), start_over), "follow"):
        await asyncio.sleep(0)
        for number in range(5):
            eui = GatewayEUI(EUI64.from_int(number))
            await store.add_gateway(
                msgspec.structs.replace(examples.GATEWAY, id=str(eui), gateway_eui=eui)
            )
        await started_over.wait()
        await store.add_destination(examples.DESTINATION)
        while not heard:
            await asyncio.sleep(0)
    assert [change.kind for change in heard[0]] == ["destination"]


async def test_every_follower_hears_of_what_another_process_changed(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(app, "CHANGE_POLL_S", 0.0)
    store = MemoryStore()
    await store.open()
    heard: list[list[Change]] = []
    async with task(follow_changes(store, (heard.append, heard.append), never), "follow"):
        await asyncio.sleep(0)
        await store.add_gateway(examples.GATEWAY)
        while len(heard) < 2:
            await asyncio.sleep(0)
    first, second = heard
    assert first == second
    assert [change.kind for change in first] == ["gateway"]
