"""Revisions of the regional parameters. What each did differently is in `regions/history.py`."""

from __future__ import annotations

import re
from enum import StrEnum

from bittern.lorawan.versions import MacVersion


class RegionalParameters(StrEnum):
    """In the order in which they were published.

    TS001-1.0.0 and TS001-1.0.1 are chapter 7 of the specifications LoRaWAN 1.0 and 1.0.1: the
    regional parameters became a document of their own with 1.0.2.
    """

    TS001_1_0_0 = "TS001-1.0.0"
    TS001_1_0_1 = "TS001-1.0.1"
    RP001_1_0_2 = "RP001-1.0.2"
    RP001_1_0_2_REV_B = "RP001-1.0.2-RevB"
    RP001_1_1_REV_A = "RP001-1.1-RevA"
    RP001_1_1_REV_B = "RP001-1.1-RevB"
    RP001_1_0_3_REV_A = "RP001-1.0.3-RevA"
    RP002_1_0_0 = "RP002-1.0.0"
    RP002_1_0_1 = "RP002-1.0.1"
    RP002_1_0_2 = "RP002-1.0.2"
    RP002_1_0_3 = "RP002-1.0.3"
    RP002_1_0_4 = "RP002-1.0.4"

    @classmethod
    def parse(cls, text: str, version: MacVersion | None = None) -> RegionalParameters:
        """From how people write it: ``RP002-1.0.1``, ``RP001 1.0.2 rev B``, ``1.0.3revA``,
        ``Regional Parameters v1.1rA``; or ``B`` alone, as the Backend Interfaces have it (TS002-
        1.1.0, "RegParamsRevision"), which takes the ``version`` of the device to tell B of what.

        A number without a document is of the first that had it, and one without a revision names
        the document that had none, or else the last. Raises ``ValueError`` with the known ones.
        """
        match = _FORM.fullmatch(_NOISE.sub("", text).strip(" _-"))
        if match is None:
            raise ValueError(f"{text!r} is no revision of the regional parameters; {_KNOWN}")
        number = _number(match["number"]) or _number(str(version or ""))
        if not number:
            raise ValueError(f"{text!r} does not say of which version; {_KNOWN}")
        document = _DOCUMENTS[(match["document"] or "").lower().replace("0", "")]
        revision = (match["revision"] or "").upper()
        for one in document:
            found = _BY_PARTS.get((one, number, revision))
            if found is not None:
                return found
        raise ValueError(f"there are no regional parameters {text.strip()}; {_KNOWN}")

    def published_until(self, other: RegionalParameters) -> bool:
        """Not after ``other``. (The texts themselves do not compare in this order.)"""
        return _ORDER[self] <= _ORDER[other]


_NOISE = re.compile(
    r"lorawan|regional|parameters|params|(?<![a-z])(?:reg|phy)(?![a-z])", re.IGNORECASE
)
_FORM = re.compile(
    r"(?:(?P<document>ts0*1|rp0*[12]))?[ _-]*"
    r"v?(?P<number>1[._]\d+(?:[._]\d+)?)?[ ._-]*"
    r"(?:revision|rev|r)?[ ._-]*(?P<revision>[ab])?",
    re.IGNORECASE | re.ASCII,
)
_DOCUMENTS = {
    "": ("TS001", "RP001", "RP002"),
    "ts1": ("TS001",),
    "rp1": ("RP001",),
    "rp2": ("RP002",),
}


def _number(text: str | None) -> str:
    """Three parts: 1.1 is 1.1.0."""
    parts = re.split("[._]", text) if text else []
    return ".".join([*parts, "0"] if len(parts) == 2 else parts)


def _parts(revision: RegionalParameters) -> tuple[str, str, str]:
    document, number, *rest = revision.value.split("-")
    return document, _number(number), "".join(rest).removeprefix("Rev")


_ORDER = {revision: order for order, revision in enumerate(RegionalParameters)}
_BY_PARTS = {_parts(revision): revision for revision in RegionalParameters} | {
    # Revision A of 1.0.2 is the document that did not say so.
    ("RP001", "1.0.2", "A"): RegionalParameters.RP001_1_0_2,
    ("RP001", "1.1.0", ""): RegionalParameters.RP001_1_1_REV_B,
    ("RP001", "1.0.3", ""): RegionalParameters.RP001_1_0_3_REV_A,
}
_KNOWN = "there are " + ", ".join(RegionalParameters)
