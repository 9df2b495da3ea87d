"""The port of a join server's answers; what it does is in `../test_join_registry.py`."""

from __future__ import annotations

import inspect

import pytest

from bittern.store.join_keys import JoinKeys
from bittern.store.join_registry import JoinRegistry
from bittern.store.protocol import Store

METHODS = [name for name in vars(JoinKeys) if not name.startswith("_")]


def test_a_registry_is_such_a_port(store: Store) -> None:
    port: JoinKeys = JoinRegistry(store)
    assert all(callable(getattr(port, name)) for name in METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_a_registry_takes_what_the_port_says(name: str) -> None:
    promised = inspect.signature(getattr(JoinKeys, name))
    assert inspect.signature(getattr(JoinRegistry, name)) == promised
