"""A frame that was not let in, as a value."""

from __future__ import annotations

import msgspec

from bittern.types import DevEUI, Refusal


class Refused(msgspec.Struct, frozen=True):
    """`reason` says, for a person, what did not match; no key is in it."""

    refusal: Refusal
    reason: str
    dev_eui: DevEUI | None = None
    """Where it is certain, or only one device comes into question."""
