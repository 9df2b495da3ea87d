"""A store is all its ports; what each of them does is in `ports/`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Protocol

import pytest

from bittern.store import ports
from bittern.store.protocol import Store
from bittern.store.sqlite import SqliteStore
from bittern.testing.memory_store import MemoryStore


def ports_found() -> set[type]:
    """The protocols of the files that have methods to await."""
    modules = [
        importlib.import_module(f"{ports.__name__}.{module.name}")
        for module in pkgutil.iter_modules(ports.__path__)
    ]
    classes = {one for module in modules for one in vars(module).values() if inspect.isclass(one)}
    return {one for one in classes if Protocol in one.__bases__ and methods(one)}


def methods(port: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(port, inspect.iscoroutinefunction)}


def test_a_store_offers_every_port() -> None:
    assert len(ports_found()) > 10
    assert ports_found() == set(Store.__bases__) - {Protocol}


def test_no_two_ports_share_a_method() -> None:
    names = [name for port in ports_found() for name in methods(port)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("engine", [SqliteStore, MemoryStore])
def test_an_engine_does_all_that_a_store_does(engine: type) -> None:
    undone = {name for name in methods(Store) if getattr(engine, name) is getattr(Store, name)}
    assert methods(Store) <= methods(engine)
    assert undone == set()
