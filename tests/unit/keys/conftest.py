from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import tokens


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    if (reason := tokens.missing()) is not None:
        pytest.skip(reason)
    before = os.environ.get("SOFTHSM2_CONF")
    tokens.configure(tmp_path_factory.mktemp("softhsm"))
    yield
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


@pytest.fixture
def token(softhsm: None, request: pytest.FixtureRequest) -> str:
    """Label of a new token."""
    label = request.node.name[:32]
    tokens.make(label)
    return label
