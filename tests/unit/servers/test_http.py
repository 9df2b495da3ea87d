from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web
from prometheus_client import CollectorRegistry

from bittern.errors import StoreUnavailable
from bittern.outputs.port import Health
from bittern.servers.http import Check, HttpServer
from bittern.servers.metrics import Figures, registry


async def well() -> Health:
    return Health(True, "")


async def ill() -> Health:
    return Health(False, "the broker is away")


async def raising() -> Health:
    raise StoreUnavailable("disk full")


async def silent() -> Health:
    await asyncio.Event().wait()
    raise AssertionError


async def hello(_: web.Request) -> web.Response:
    return web.json_response("hello")


@asynccontextmanager
async def served(
    *routes: web.AbstractRouteDef, metrics: CollectorRegistry | None = None, **checks: Check
) -> AsyncIterator[ClientSession]:
    server = HttpServer(
        "127.0.0.1",
        0,
        version="1.2.3",
        checks=checks,
        metrics=metrics or CollectorRegistry(),
        routes=routes,
    )
    async with server:
        host, port = server.address
        assert port
        async with ClientSession(f"http://{host}:{port}") as client:
            yield client


async def test_health_is_200_while_everything_works() -> None:
    async with served(store=well) as client, client.get("/health") as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert await answer.json() == {
            "status": "ok",
            "version": "1.2.3",
            "checks": {"store": {"working": True}},
        }


@pytest.mark.parametrize(
    ("check", "detail"), [(ill, "the broker is away"), (raising, "store unavailable: disk full")]
)
async def test_health_is_503_and_says_what_is_wrong(check: Check, detail: str) -> None:
    async with served(store=well, mqtt=check) as client, client.get("/health") as answer:
        assert answer.status == 503
        told = await answer.json()
    assert told["status"] == "failing"
    assert told["checks"]["store"] == {"working": True}
    assert told["checks"]["mqtt"] == {"working": False, "detail": detail}


async def test_part_that_does_not_answer_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bittern.servers.http.CHECK_LIMIT_S", 0.01)
    async with served(store=silent) as client, client.get("/health") as answer:
        assert answer.status == 503
        assert (await answer.json())["checks"]["store"]["detail"] == "no answer within 0.01 s"


async def test_metrics_are_served_to_prometheus() -> None:
    figures = Figures(version="1.2.3", statistics={"intake": lambda: {"copies": 3}})
    async with served(metrics=registry(figures)) as client, client.get("/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        assert "bittern_intake_copies_total 3.0" in await answer.text()


async def test_other_routes_are_served_beside() -> None:
    async with served(web.get("/hello", hello)) as client, client.get("/hello") as answer:
        assert await answer.json() == "hello"


async def test_what_is_not_there_is_404() -> None:
    async with served() as client, client.get("/nothing") as answer:
        assert answer.status == 404


async def test_taken_port_is_an_error_of_the_system() -> None:
    async with served() as client:
        base = client._base_url
        assert base is not None and base.port is not None
        second = HttpServer(
            "127.0.0.1", base.port, version="", checks={}, metrics=CollectorRegistry()
        )
        with pytest.raises(OSError, match="address already in use"):
            await second.__aenter__()
