"""Whether a gateway has moved to the next authority, and what keeps it.

A gateway trusts who has signed what it shows: its files come in sets of trust, certificate and key.
So it has moved when what it last showed, to CUPS and to the LNS, is of the next authority.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from bittern.types import Instant

Signer = Literal["next", "earlier", "outside", "unknown"]
"""Of a certificate: the next authority, an earlier one, none of ours, or nobody knows since the
certificate is no longer registered."""


@dataclass(frozen=True, slots=True)
class LastUse:
    """The certificate that a gateway last showed at one place."""

    at: Instant
    """When it was last there."""
    signer: Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is known of one gateway."""

    began: Instant
    """When the next authority was introduced."""
    lns: LastUse | None
    """None: it was never there."""
    cups: LastUse | None
    earlier: frozenset[Literal["any", "cups", "lns"]] = frozenset()
    """What its certificates are for that count and are not of the next authority."""
    withheld: tuple[str, ...] = ()
    """What CUPS did not give it when it last asked, with the reasons."""


def hindrance(progress: Progress) -> str | None:
    """None where the gateway has moved; otherwise why not, in words for a person."""
    lns, cups = progress.lns, progress.cups
    if lns is None and cups is None:
        return _never_seen(progress)
    if cups is not None and cups.signer != "next":
        return _cups_hindrance(progress, cups)
    if lns is None:
        if progress.earlier & {"any", "lns"}:
            return "has moved at CUPS, and has never connected to the LNS"
        return None
    if lns.signer == "next":
        return None
    return _strange(lns, "the LNS") or _lns_hindrance(progress, lns)


def _never_seen(progress: Progress) -> str | None:
    if not progress.earlier:
        return None
    return "was never seen, and a certificate of an earlier authority still counts for it"


def _cups_hindrance(progress: Progress, cups: LastUse) -> str:
    if strange := _strange(cups, "CUPS"):
        return strange
    if cups.at < progress.began:
        return f"has not asked CUPS since {_date(cups.at)}, before the next authority was there"
    if progress.withheld:
        return f"CUPS withholds from it: {'; '.join(progress.withheld)}"
    return f"asked CUPS on {_date(cups.at)} and has not come back with what it was given"


def _lns_hindrance(progress: Progress, lns: LastUse) -> str:
    if progress.cups is None:
        return "has never asked CUPS: it uses files that were put there by hand, so make new ones"
    if lns.at < progress.began:
        return f"has moved at CUPS, and was not seen on the LNS since {_date(lns.at)}"
    if progress.withheld:
        return f"CUPS withholds from it: {'; '.join(progress.withheld)}"
    return "has moved at CUPS, and still shows an earlier certificate to the LNS"


def _strange(use: LastUse, place: str) -> str | None:
    if use.signer == "outside":
        return (
            f"shows {place} a certificate of an outside authority: whom it trusts is for you to"
            " know"
        )
    if use.signer == "unknown":
        return f"showed {place} a certificate that is no longer registered"
    return None


def _date(instant: Instant) -> str:
    return str(datetime.fromtimestamp(instant, UTC).date())
