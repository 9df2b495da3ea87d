"""The join server as its operator and that of a network use it, in processes of this test."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bittern.app.join_server import running_join_server
from bittern.cli.join_server import _asked, _ready
from bittern.cli.workspace import Workspace
from bittern.config import Configuration
from bittern.config.settings import JoinServer
from bittern.errors import ConfigurationError
from bittern.mac.refused import Refused
from bittern.types import EUI64, DevEUI, JoinEUI, NetID, Refusal

DEV_EUI, JOIN_EUI = "70b3d57ed0000001", "70b3d57ed0ffff01"
KEY = "0123456789abcdef0123456789abcdef"


def test_ready_line_says_where_it_listens(tmp_path: Path) -> None:
    configuration = Configuration(data_dir=tmp_path)
    told = _ready(configuration, "https://127.0.0.1:8444", as_json=False)
    assert f"ready join_server=https://127.0.0.1:8444 data_dir={tmp_path}" in told
    document = json.loads(_ready(configuration, "https://127.0.0.1:8444", as_json=True))
    assert document["event"] == "ready"
    assert document["join_server"] == "https://127.0.0.1:8444"


def test_a_network_asks_whose_device_it_is(bittern, tmp_path: Path) -> None:
    """By the files that `network add` has written, at a join server that runs."""
    folder = tmp_path / "network"
    bittern.done("join-server", "network", "add", "000000", "--out", folder / "join-server")
    named = ("--join-eui", JOIN_EUI, "--app-key", KEY)
    bittern.done("join-server", "device", "add", DEV_EUI, *named)
    at_js = Configuration(data_dir=bittern.data_dir, join_server=JoinServer(port=0))

    async def both() -> list[NetID | Refused]:
        async with running_join_server(at_js) as address:
            uri = address.replace("127.0.0.1", "localhost")
            asking = Workspace(Configuration(data_dir=folder, join_server=JoinServer(uri=uri)))
            async with asking.store(make=True):
                pass
            return [
                await _asked(asking, DevEUI(EUI64.from_hex(eui)), JoinEUI(EUI64.from_hex(JOIN_EUI)))
                for eui in (DEV_EUI, "0000000000000001")
            ]

    known, unknown = asyncio.run(both())
    assert known == NetID(bytes(3))
    assert isinstance(unknown, Refused)
    assert unknown.refusal is Refusal.UNKNOWN_DEV_EUI


def test_without_a_join_server_nobody_is_asked(bittern) -> None:
    bittern.done("destination", "add", "one", "--topic", "one")
    asked = bittern("join-server", "ask", DEV_EUI)
    assert asked.exit_code == 1
    assert "join_server.uri: absent" in asked.stderr


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    settings = JoinServer(uri="https://localhost:1")
    workspace = Workspace(Configuration(data_dir=tmp_path / "data", join_server=settings))

    async def asking() -> None:
        async with workspace.store(make=True):
            pass
        await _asked(workspace, DevEUI(EUI64(bytes(8))), JoinEUI(EUI64(bytes(8))))

    with pytest.raises(ConfigurationError, match=r"join_server\.certificate: file not found"):
        asyncio.run(asking())
