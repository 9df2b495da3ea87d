"""Sockets of the server's own user."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from bittern.errors import AlreadyServed
from bittern.servers.local_socket import listen, reachable


def test_only_the_owner_may_open_it(tmp_path: Path) -> None:
    path = tmp_path / "run" / "x.sock"
    with listen(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_name_too_long_for_an_address_is_reachable(tmp_path: Path) -> None:
    path = tmp_path / ("d" * 120) / "run" / "x.sock"
    with listen(path), socket.socket(socket.AF_UNIX) as client, reachable(path) as name:
        assert len(name) < 100
        client.connect(name)


def test_a_second_listener_is_refused_and_the_first_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "run" / "x.sock"
    with listen(path):
        with pytest.raises(AlreadyServed, match=str(tmp_path)):
            listen(path)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_what_a_killed_process_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "run" / "x.sock"
    listen(path).close()
    assert path.exists()
    with listen(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
