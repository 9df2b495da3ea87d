"""EUI-64 as Basics Station writes them: ID6 for itself, dashed bytes for devices.

ID6 is four groups of 16 bits, written like the last half of an IPv6 address: ``16:c001:ff00:1``.
A run of zero groups shrinks to ``::`` in five shapes only: ``::d``, ``::c:d``, ``a::``, ``a:b::``
and ``a::d``; ``a:0:0:d`` is the last of them, ``a:0:c:d`` stays as it is.
"""

from __future__ import annotations

import re

from bittern.types import EUI64

_BYTES = re.compile(r"[0-9A-Fa-f]{16}|[0-9A-Fa-f]{2}(?:(-|:)[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){6}")
_GROUPS = re.compile(r"[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})*")


def parse_eui(text: str) -> EUI64:
    """From ID6, from bytes joined by ``-`` or ``:``, or from sixteen bare digits; either case.

    Raises ValueError with what was expected.
    """
    if _BYTES.fullmatch(text):
        return EUI64(bytes.fromhex(text.replace("-", "").replace(":", "")))
    return _parse_id6(text)


def format_id6(eui: EUI64) -> str:
    """As a station names itself, for example in its request to ``/router-info``."""
    a, b, c, d = (int.from_bytes(eui[at : at + 2], "big") for at in (0, 2, 4, 6))
    if not a and not b:
        return f"::{c:x}:{d:x}" if c else f"::{d:x}"
    if not c and not d:
        return f"{a:x}:{b:x}::" if b else f"{a:x}::"
    if not b and not c:
        return f"{a:x}::{d:x}"
    return f"{a:x}:{b:x}:{c:x}:{d:x}"


def format_dashed(eui: EUI64) -> str:
    """Upper-case bytes joined by dashes, as in every other field of a station's messages."""
    return eui.hex("-").upper()


def _parse_id6(text: str) -> EUI64:
    head, shortened, tail = text.partition("::")
    first, last = _groups(text, head), _groups(text, tail)
    zeros = 4 - len(first) - len(last)
    if zeros < 0 or (zeros > 0) != bool(shortened) or text == "::":
        raise _not_an_eui(text)
    groups = first + [0] * zeros + last
    return EUI64(b"".join(group.to_bytes(2, "big") for group in groups))


def _groups(text: str, part: str) -> list[int]:
    if not part:
        return []
    if not _GROUPS.fullmatch(part):
        raise _not_an_eui(text)
    return [int(group, 16) for group in part.split(":")]


def _not_an_eui(text: str) -> ValueError:
    return ValueError(f"not an EUI-64 such as 16:c001:ff00:1 or 00-16-C0-01-FF-00-00-01: {text!r}")
