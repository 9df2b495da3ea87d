"""Where keys may be looked at: each place is one that a reader has to trust."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src/bittern"

MAY_REVEAL = {
    "lorawan/crypto.py",  # to encrypt and to sign
    "store/codec.py",  # to seal
}
"""Files that call `AES128Key.reveal`."""
MAY_DISCLOSE = {
    "api/operations/activations.py",
    "cli/device_add.py",
    "cli/device_text.py",
    "cli/join_server_device.py",
    "cli/join_server_peer.py",  # the key-encryption key, to the peer that shares it
}
"""Files that tell a device's keys to their owner, by `store.disclosure.disclosed`."""


def calls(name: str) -> set[str]:
    """The files that call something of that name."""
    return {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if any(_is_call(node, name) for node in ast.walk(ast.parse(path.read_text())))
    }


def _is_call(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr=attr)):
            return attr == name
        case ast.Call(func=ast.Name(id=identifier)):
            return identifier == name
        case _:
            return False


def test_keys_are_revealed_in_two_places() -> None:
    assert calls("reveal") == MAY_REVEAL


def test_keys_are_told_only_by_what_their_owner_asks() -> None:
    assert calls("disclosed") == MAY_DISCLOSE


@pytest.mark.parametrize("module", ["pickle", "shelve", "marshal", "dill"])
def test_nothing_is_read_by_what_runs_it(module: str) -> None:
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert module not in {alias.name for alias in node.names}, path
            elif isinstance(node, ast.ImportFrom):
                assert node.module != module, path
