"""The functions of AWS IoT SQL, by family; names are written in any case."""

from __future__ import annotations

from bittern.rules.functions import (
    collections,
    external,
    hashes,
    messages,
    numbers,
    patterns,
    strings,
    times,
)
from bittern.rules.functions.registry import Function

FAMILIES = (collections, external, hashes, messages, numbers, patterns, strings, times)

FUNCTIONS: dict[str, Function] = {
    one.name.lower(): one for family in FAMILIES for one in family.FUNCTIONS
}
