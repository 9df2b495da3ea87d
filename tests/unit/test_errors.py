from __future__ import annotations

import inspect
import re

import pytest

from bittern import errors
from bittern.errors import (
    AuthorityUnusable,
    BitternError,
    ConfigurationError,
    Conflict,
    DeliveryRejected,
    FrameError,
    GatewayProtocolError,
    KeyFileExposed,
    KeyProviderRefused,
    KeyProviderUnavailable,
    NotFound,
    SchemaTooNew,
    SealBroken,
    StaleSession,
    StoreUnavailable,
)
from bittern.types import EUI64

EUI = EUI64.from_hex("0004a30b001a2b3c")


def classes() -> dict[str, type[BitternError]]:
    found = dict(inspect.getmembers(errors, inspect.isclass))
    return {name: kind for name, kind in found.items() if issubclass(kind, BitternError)}


def drawn_tree() -> dict[str, str]:
    """Each class of the docstring's drawing, and the one it hangs from."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if drawn := re.match(r"((?:[│ ] {3})*)[├└]── (\w+)", line):
            depth = len(drawn[1]) // 4
            path[depth:] = [drawn[2]]
            parents[drawn[2]] = path[depth - 1] if depth else "BitternError"
    return parents


def test_the_drawing_is_the_tree() -> None:
    drawn = drawn_tree()
    real = {name: kind.__bases__[0].__name__ for name, kind in classes().items()}
    del real["BitternError"]
    assert real == drawn


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (FrameError("too short"), "too short"),
        (GatewayProtocolError("no msgtype"), "no msgtype"),
        (ConfigurationError(["a: b", "c: d"]), "a: b\nc: d"),
        (AuthorityUnusable("ca.key", "missing"), "ca.key: missing"),
        (
            StaleSession(EUI, 7),
            "session of 0004a30b001a2b3c has moved on from revision 7",
        ),
        (StoreUnavailable("disk full"), "store unavailable: disk full"),
        (SchemaTooNew(9, 4), "database schema is version 9, this bittern knows up to 4"),
        (Conflict("gateway", "x"), "gateway x exists already"),
        (NotFound("device", "x"), "no device x"),
        (KeyFileExposed("data.key", 0o644), "data.key has mode 0644; it must be 0600"),
        (
            KeyProviderRefused("file", "file data.key", "another key", "bring it back"),
            "key provider file, file data.key: another key; bring it back",
        ),
        (
            KeyProviderUnavailable("aws-kms", "arn", "no route"),
            "key provider aws-kms, arn: no route",
        ),
        (SealBroken("device x"), "sealed value of device x does not open"),
        (DeliveryRejected("too long"), "too long"),
    ],
)
def test_an_error_says_its_condition(error: BitternError, text: str) -> None:
    assert str(error) == text


def test_an_error_keeps_its_fields() -> None:
    error = StaleSession(EUI, 7)
    assert (error.dev_eui, error.revision) == (EUI, 7)


def test_every_error_is_documented() -> None:
    for kind in classes().values():
        assert inspect.getdoc(kind), kind
