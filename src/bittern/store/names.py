"""Names that resources may have, whoever gives them."""

from __future__ import annotations

import re

FORBIDDEN = "<>^#~$"
LONGEST = 256
"""Characters, as the model of ``iotwireless`` has it."""

_DESTINATION = re.compile(r"[a-zA-Z0-9_-]{1,128}")


def checked_name(text: str) -> str:
    """Of a device, gateway or profile. Raises ValueError."""
    if not set(FORBIDDEN).isdisjoint(text):
        raise ValueError(f"must not contain any of {' '.join(FORBIDDEN)}")
    if len(text) > LONGEST:
        raise ValueError(f"must have length less than or equal to {LONGEST}")
    return text


def checked_destination(text: str) -> str:
    """The name of one. Raises ValueError."""
    if _DESTINATION.fullmatch(text) is None:
        raise ValueError("letters, digits, - and _; at most 128 characters")
    return text
