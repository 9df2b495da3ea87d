"""Hashes of Strings in UTF-8, as lower-case hexadecimal.

Source: AWS IoT Core developer guide, "Functions", Hashing functions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from bittern.errors import RuleLimitExceeded
from bittern.rules.functions.md2 import md2
from bittern.rules.functions.registry import Function, Implementation, function, of_text
from bittern.rules.values import utf8


def _hash(digest: Callable[[bytes], bytes]) -> Implementation:
    return of_text(lambda value: digest(utf8(value)).hex())


def _of(name: str) -> Callable[[bytes], bytes]:
    # Not for security: a machine in FIPS mode would refuse md5 and sha1 otherwise.
    return lambda content: hashlib.new(name, content, usedforsecurity=False).digest()


MAX_MD2 = 8192
"""Bytes. In Python a kilobyte takes some milliseconds."""


def _bounded_md2(content: bytes) -> bytes:
    if len(content) > MAX_MD2:
        raise RuleLimitExceeded(f"md2 of {len(content)} bytes, {MAX_MD2} are allowed")
    return md2(content)


FUNCTIONS: tuple[Function, ...] = (
    function("md2", "string", _hash(_bounded_md2)),
    *(
        function(name, "string", _hash(_of(name)))
        for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
    ),
)
