from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bittern.cli.certificate_text import (
    certificate_document,
    certificate_standing,
    certificate_told,
    certificate_use,
)
from bittern.store.gateway_records import CupsContact, GatewayConnection, GatewayState
from bittern.testing.examples import CERTIFICATE, FOREIGN_CERTIFICATE, NOW
from bittern.types import Instant

NEWER = msgspec.structs.replace(
    CERTIFICATE, fingerprint="ef" * 32, purpose="lns", created_at=Instant(NOW + 1)
)
OLDER = msgspec.structs.replace(CERTIFICATE, purpose="lns")


def state(lns: str = "", cups: str = "") -> GatewayState:
    return GatewayState(
        connection=GatewayConnection(connected=True, changed_at=NOW, certificate=lns),
        cups=CupsContact(at=NOW, certificate=cups),
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "active"),
        ({"active": False}, "inactive"),
        ({"not_after": NOW}, "expired"),
        ({"revoked_at": NOW, "revoked_because": "stolen"}, "stolen"),
    ],
)
def test_standing_says_why_it_does_not_count(changes: dict[str, Any], told: str) -> None:
    certificate = msgspec.structs.replace(CERTIFICATE, **changes)
    assert told in certificate_standing(certificate, NOW)


def test_place_where_it_was_shown_is_told() -> None:
    fingerprint = CERTIFICATE.fingerprint
    both = state(fingerprint, fingerprint)
    assert certificate_use(CERTIFICATE, [CERTIFICATE], both).endswith("CUPS and the LNS")
    assert certificate_use(CERTIFICATE, [CERTIFICATE], state(fingerprint)).endswith("to the LNS")


def test_certificate_is_superseded_when_the_gateway_shows_a_newer_one() -> None:
    told = certificate_use(OLDER, [OLDER, NEWER], state(NEWER.fingerprint))
    assert told.startswith("superseded")


def test_newer_certificate_that_nobody_shows_supersedes_nothing() -> None:
    assert certificate_use(OLDER, [OLDER, NEWER], state()) == "not seen with the gateway"


def test_certificate_for_cups_is_not_superseded_by_one_for_the_lns() -> None:
    cups = msgspec.structs.replace(OLDER, purpose="cups")
    told = certificate_use(cups, [cups, NEWER], state(NEWER.fingerprint))
    assert told == "not seen with the gateway"


def test_renewal_and_outside_authority_are_told() -> None:
    renewed = msgspec.structs.replace(FOREIGN_CERTIFICATE, renew=True)
    told = certificate_told(renewed, [renewed], GatewayState(), NOW)
    assert told["for"] == "CUPS, signed by an outside authority"
    assert "asks next" in told["renewal"]
    assert certificate_document(renewed)["is_foreign"]
    assert certificate_document(renewed)["renew"]
