from __future__ import annotations

from collections.abc import Callable

import pytest

from bittern.mac.commands.surroundings import Surroundings
from bittern.types import Instant


@pytest.fixture
def surroundings(want) -> Callable[..., Surroundings]:
    """On the first channel of EU868 at DR5, with nothing wanted, unless told."""

    def make(**fields: object) -> Surroundings:
        given = {
            "received_at": Instant(1_700_000_000.0),
            "snr_db": 5.0,
            "data_rate": 5,
            "frequency_hz": 868_100_000,
            "gateway_count": 1,
        }
        if "wanted" not in fields:
            given["wanted"] = want()
        return Surroundings(**{**given, **fields})

    return make
