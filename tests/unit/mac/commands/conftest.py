from __future__ import annotations

from collections.abc import Callable

import pytest

from bittern.lorawan.regions.plan import lora
from bittern.mac.commands.surroundings import Surroundings
from bittern.types import Instant


@pytest.fixture
def surroundings() -> Callable[..., Surroundings]:
    def make(**fields: object) -> Surroundings:
        given = {
            "received_at": Instant(1_700_000_000.0),
            "snr_db": 5.0,
            "data_rate": lora(7, 125),
            "gateway_count": 1,
        }
        return Surroundings(**{**given, **fields})

    return make
