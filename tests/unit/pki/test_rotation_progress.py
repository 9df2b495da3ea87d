"""What keeps a gateway from the next authority."""

from __future__ import annotations

from typing import Any

import pytest

from bittern.pki.rotation_progress import LastUse, Progress, Signer, hindrance
from bittern.types import Instant

BEGAN = Instant(1_800_000_000.0)
BEFORE, AFTER = Instant(BEGAN - 86_400), Instant(BEGAN + 60)


def progress(**known: Any) -> Progress:
    return Progress(**({"began": BEGAN, "lns": None, "cups": None} | known))


def use(signer: Signer, at: Instant = AFTER) -> LastUse:
    return LastUse(at, signer)


def test_gateway_has_moved_when_it_shows_the_next_authoritys_at_both_places() -> None:
    assert hindrance(progress(lns=use("next"), cups=use("next"))) is None


def test_earlier_certificates_that_are_not_in_use_keep_nobody() -> None:
    known = progress(lns=use("next"), cups=use("next"), earlier=frozenset(["any"]))
    assert hindrance(known) is None


def test_gateway_that_never_asks_cups_has_moved_when_the_lns_sees_it() -> None:
    assert hindrance(progress(lns=use("next"))) is None


def test_gateway_that_was_never_seen_has_moved_when_nothing_earlier_counts() -> None:
    assert hindrance(progress()) is None


@pytest.mark.parametrize("purpose", ["any", "cups", "lns"])
def test_gateway_that_was_never_seen_is_kept_by_any_earlier_certificate(purpose: str) -> None:
    told = hindrance(progress(earlier=frozenset([purpose])))
    assert told is not None
    assert "never seen" in told


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"lns": use("earlier")}, "has never asked CUPS"),
        ({"lns": use("earlier"), "cups": use("earlier", BEFORE)}, "has not asked CUPS since 2027"),
        ({"lns": use("next"), "cups": use("earlier", BEFORE)}, "has not asked CUPS since 2027"),
        ({"lns": use("earlier"), "cups": use("earlier")}, "has not come back with what"),
        ({"cups": use("earlier")}, "has not come back with what"),
        ({"lns": use("earlier"), "cups": use("next")}, "still shows an earlier certificate"),
        ({"lns": use("earlier", BEFORE), "cups": use("next")}, "was not seen on the LNS since"),
        ({"cups": use("next"), "earlier": frozenset(["lns"])}, "has never connected to the LNS"),
        ({"lns": use("outside"), "cups": None}, "the LNS a certificate of an outside authority"),
        ({"lns": use("next"), "cups": use("outside")}, "CUPS a certificate of an outside"),
        ({"lns": use("unknown")}, "no longer registered"),
    ],
)
def test_what_keeps_a_gateway_is_told(known: dict[str, Any], words: str) -> None:
    told = hindrance(progress(**known))
    assert told is not None
    assert words in told


@pytest.mark.parametrize("at_cups", ["earlier", "next"])
def test_what_cups_withholds_is_the_reason(at_cups: Signer) -> None:
    known = progress(lns=use("earlier"), cups=use(at_cups), withheld=("lns: it does not answer",))
    assert hindrance(known) == "CUPS withholds from it: lns: it does not answer"


def test_gateway_that_only_cups_knows_has_moved_when_no_earlier_one_is_for_the_lns() -> None:
    assert hindrance(progress(cups=use("next"), earlier=frozenset(["cups"]))) is None
