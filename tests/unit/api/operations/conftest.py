"""A front over a store in memory, and what clients of it are told."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bittern.pki.authority import Authority, open_authority

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from api_site import Api
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


class Refusal:
    """What a client was told."""

    code = ""
    message = ""
    resource: tuple[str | None, str | None] = (None, None)


@pytest.fixture
def refused() -> Any:
    """``with refused("ConflictException") as refusal:``"""

    @contextlib.contextmanager
    def expecting(code: str) -> Iterator[Refusal]:
        refusal = Refusal()
        with pytest.raises(ClientError) as caught:
            yield refusal
        response = caught.value.response
        refusal.code, refusal.message = response["Error"]["Code"], response["Error"]["Message"]
        refusal.resource = response.get("ResourceType"), response.get("ResourceId")
        assert refusal.code == code, refusal.message

    return expecting
