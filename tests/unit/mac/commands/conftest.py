from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from bittern.lorawan.commands import DownlinkCommand, UplinkCommand, pack_commands
from bittern.mac.commands.notices import CommandProblem
from bittern.mac.commands.requests import forget_confirmed, sent
from bittern.mac.commands.schedule import schedule
from bittern.mac.commands.surroundings import Handled, Surroundings
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


@pytest.fixture
def is_named_unasked() -> Callable[..., None]:
    """An answer that nobody asked for is told of by name, and changes nothing."""

    def check(module: Any, answer: UplinkCommand, session: Session, heard: Surroundings) -> None:
        handled = module.handle(answer, session, heard)
        assert handled == Handled(session, problem=CommandProblem.NOT_ASKED)
        assert handled.session is session

    return check


@pytest.fixture
def is_not_asked_again() -> Callable[..., None]:
    """What the device has refused does not go out to it any more, though it is still wanted; by
    another one it would."""

    def check(module: Any, refusing: Session, heard: Surroundings) -> None:
        forgetful = msgspec.structs.replace(refusing, refused=(), requests=())
        settled = msgspec.structs.replace(refusing, requests=())
        asked_again = [
            any(isinstance(one, module.REQUEST) for one in schedule(session, heard, ()).requests)
            for session in (settled, forgetful)
        ]
        assert asked_again == [False, True]

    return check


@pytest.fixture
def is_repeated_until_confirmed() -> Callable[..., None]:
    """The device repeats an answer until it hears a downlink (TS001-1.0.4, 5): each one is good,
    and the request stays until an uplink comes without. What comes after that is unasked."""

    def check(module: Any, answer: UplinkCommand, session: Session, heard: Surroundings) -> None:
        first = module.handle(answer, session, heard)
        assert (first.problem, first.must_confirm) == (None, True)
        assert [request.answered for request in first.session.requests] == [True]
        for _ in range(2):
            again = module.handle(answer, first.session, heard)
            assert again == Handled(first.session, must_confirm=True)
            assert forget_confirmed(first.session, (answer,)) is first.session
        confirmed = forget_confirmed(first.session, ())
        assert confirmed.requests == ()
        assert module.handle(answer, confirmed, heard).problem is CommandProblem.NOT_ASKED

    return check
