"""An HTTP request and its answer as values. The shell reads the one and writes the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Request:
    """As it came: nothing is decoded, for the signature covers what was on the wire."""

    method: str
    path: str
    """With its percent escapes: a ``%2F`` is part of a name, a ``/`` is not."""
    query: str
    """Without the ``?``; with its percent escapes."""
    headers: Mapping[str, str]
    """By lower-case name; repeated ones joined with commas."""
    body: bytes = field(default=b"", repr=False)

    @classmethod
    def of(
        cls, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes = b""
    ) -> Self:
        """From the request line's `target` and the headers in their order."""
        path, _, query = target.partition("?")
        gathered: dict[str, str] = {}
        for name, value in headers:
            lower = name.lower()
            gathered[lower] = f"{gathered[lower]},{value}" if lower in gathered else value
        return cls(method, path, query, gathered, body)


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back. An empty body goes without a content type."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    error: str | None = None
    """The error's code, for the log and the metrics; None: the operation succeeded."""
