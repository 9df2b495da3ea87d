"""What holds for every test."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))
import tokens

# A slow machine is no fault of a test: time is measured in bench/, and never asserted.
settings.register_profile(
    "bittern", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("bittern")


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """This process, and those that it starts, have tokens of SoftHSM of their own."""
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
    label: str = request.node.name[:32]
    tokens.make(label)
    return label
