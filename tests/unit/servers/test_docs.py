from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web

from bittern.servers.docs import Docs


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    app = web.Application()
    app.add_routes(Docs("1.2.3").routes())
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with ClientSession(f"http://{host}:{port}") as session:
        yield session
    await runner.cleanup()


async def test_the_index_and_the_pages_are_html_that_runs_nothing(client: ClientSession) -> None:
    for path, told in (("/docs", "iotwireless"), ("/docs/iotwireless", "CreateWirelessDevice")):
        async with client.get(path) as answer:
            assert answer.status == 200
            assert answer.content_type == "text/html"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            text = await answer.text()
            assert told in text
            assert "1.2.3" in text


async def test_a_description_names_the_server_by_which_it_was_asked_for(
    client: ClientSession,
) -> None:
    async with client.get("/docs/sts/openapi.json", headers={"Host": "iot.plant:81"}) as answer:
        described = await answer.json()
    assert described["servers"] == [{"url": "http://iot.plant:81"}]
    assert described["info"]["version"] == "1.2.3"


async def test_a_service_that_is_not_there_is_not_found(client: ClientSession) -> None:
    for path in ("/docs/s3", "/docs/s3/openapi.json"):
        async with client.get(path) as answer:
            assert answer.status == 404
            assert "'s3' is no service of this server" in await answer.text()
