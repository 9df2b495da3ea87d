"""A server of the API in memory, anew for each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bittern.pki.authority import Authority, open_authority

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/api"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit/api/operations"))
from api_site import Api
from api_world import World
from oracle import NOW, at


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return open_authority(tmp_path_factory.mktemp("pki"), NOW)


@pytest.fixture
def api(authority: Authority) -> Iterator[Api]:
    """No request may end in a fault, whatever a test asks for."""
    made = Api(authority)
    with at(NOW):
        yield made
    assert made.faults == []


@pytest.fixture
def world(api: Api, tmp_path: Path) -> World:
    return World(api, tmp_path)
