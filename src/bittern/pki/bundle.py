"""A key and its certificates in memory, for `ssl`, which loads them from files only."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


class Bundle:
    """PEM text that does not print."""

    __slots__ = ("_pem",)

    def __init__(self, pem: bytes) -> None:
        self._pem = pem

    def load_into(self, context: ssl.SSLContext) -> None:
        """The key never gets to a disk: where the system knows files in memory, it is one that no
        folder has."""
        with _file(self._pem) as name:
            context.load_cert_chain(name)

    def __repr__(self) -> str:
        return "Bundle(…)"


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    if not hasattr(os, "memfd_create"):
        with _temporary(content) as name:
            yield name
        return
    descriptor = os.memfd_create("identity", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


@contextmanager
def _temporary(content: bytes) -> Iterator[str]:
    """For its owner alone, and for a moment."""
    with tempfile.NamedTemporaryFile(prefix="bittern-") as file:  # mode 0600
        try:
            file.write(content)
            file.flush()
            yield file.name
        finally:
            file.seek(0)
            file.write(bytes(len(content)))
            file.flush()
