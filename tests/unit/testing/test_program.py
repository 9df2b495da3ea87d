"""The program in a folder of its own."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from bittern import __version__
from bittern.testing.program import LISTENERS, Program, free_ports


def test_free_ports_differ() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5


async def test_a_command_says_what_it_prints(tmp_path: Path) -> None:
    assert (await Program(tmp_path).run("--version")).split()[-1] == __version__


async def test_a_command_that_fails_is_told_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="nothing of bittern in"):
        await Program(tmp_path).run("gateway", "list")


async def test_a_server_listens_where_it_was_told_and_ends_in_order(tmp_path: Path) -> None:
    program = Program(tmp_path, LOG__FORMAT="json")
    async with program.serving() as ready:
        assert ready["lns"].endswith(f":{program.ports['LNS']}")
        with urllib.request.urlopen(f"{ready['api']}/health", timeout=10) as answer:
            assert json.loads(answer.read())["status"] == "ok"
        assert await program.json("gateway", "list") == []
    await program.until_logged("stopped")
    assert set(program.ports) == set(LISTENERS)


async def test_what_is_not_logged_is_waited_for_in_vain(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match="is not in the server's log"):
        await Program(tmp_path).until_logged("never", timeout_s=0.01)
