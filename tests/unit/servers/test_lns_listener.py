"""How a websocket of a gateway ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import WSMsgType

from bittern.servers import lns_listener
from bittern.testing.lns_client import EUI, lns_client


async def test_a_close_of_the_gateway_is_answered(tmp_path: Path) -> None:
    async with lns_client(tmp_path) as station:
        socket = await station.connect("/router-info")
        assert await socket.close(code=1000)
        assert socket.close_code == 1000


async def test_a_reason_too_long_for_a_close_frame_is_cut_between_characters(
    tmp_path: Path,
) -> None:
    async with lns_client(tmp_path) as station:
        socket = await station.open()
        connection = station.site.server._hub.find(EUI)
        assert connection is not None
        connection.end("ä" * 100)
        message = await socket.receive()
        assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, 1001, "ä" * 61)


async def test_who_does_not_answer_our_close_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lns_listener, "LINGER_S", 0.01)
    async with lns_client(tmp_path) as station:
        await station.open()
        await station.site.server._hub.close_all("enough")  # the client reads nothing meanwhile
        assert station.site.server.connected() == []
