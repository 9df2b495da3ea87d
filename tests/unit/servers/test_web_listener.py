from __future__ import annotations

import pytest
from aiohttp import ClientSession, web

from bittern.servers.acceptor import AcceptorLimits
from bittern.servers.web_listener import WebListener
from bittern.types import Refusal


class House:
    def __init__(self, port: int = 0) -> None:
        self.listener = WebListener(
            web.ServerRunner(web.Server(self._answer), shutdown_timeout=1.0),
            host="127.0.0.1",
            port=port,
            context=None,
            connections=10,
            silence_s=5.0,
            limits=AcceptorLimits(),
            on_failed=self._failed,
        )

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.listener.asked(request)
        return web.Response(text=f"{self.listener.inside} inside")

    def _failed(self, refusal: Refusal | None, reason: str, peer: str) -> None:
        raise AssertionError(reason)


async def test_who_comes_is_let_in_and_counted() -> None:
    house = House()
    async with house.listener as listener:
        host, port = listener.address
        async with ClientSession() as client, client.get(f"http://{host}:{port}") as answer:
            assert await answer.text() == "1 inside"
        assert listener.turned_away == 0


async def test_before_and_after_nobody_listens() -> None:
    listener = House().listener
    for _ in range(2):
        assert listener.inside == 0
        with pytest.raises(RuntimeError, match="nobody listens"):
            _ = listener.address
        async with listener:
            assert listener.address[1] > 0


async def test_a_taken_port_is_an_error_and_leaves_nothing() -> None:
    async with House().listener as first:
        second = House(first.address[1]).listener
        with pytest.raises(OSError):
            await second.__aenter__()
        with pytest.raises(RuntimeError):
            _ = second.address
