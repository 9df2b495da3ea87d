from __future__ import annotations

from collections.abc import Callable

import pytest

from bittern.lorawan.commands import DownlinkCommand, pack_commands
from bittern.mac.commands.requests import sent
from bittern.mac.commands.surroundings import Surroundings
from bittern.mac.session import Session
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


@pytest.fixture
def asked() -> Callable[..., Session]:
    """The session after these commands were sent, each as a request of its own."""

    def ask(session: Session, *requests: DownlinkCommand) -> Session:
        for request in requests:
            session = sent(session, pack_commands([request]))
        return session

    return ask
