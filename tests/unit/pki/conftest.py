from __future__ import annotations

import pytest

from bittern.pki.authority import Authority, open_authority
from bittern.types import Instant


@pytest.fixture(scope="session")
def now() -> Instant:
    return Instant(1_800_000_000.75)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory, now: Instant) -> Authority:
    return open_authority(tmp_path_factory.mktemp("pki"), now)
