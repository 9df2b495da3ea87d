"""Signatures seen lately, so that a recorded request cannot be carried out again.

A signature says when it was made only to the second, and boto3 signs none of the headers that tell
two attempts apart. Two equal calls within a second, and a retry within the same second, therefore
have the *same* signature and are legitimate. So a signature may come again for `REPEAT_S` after it
came first, which covers one second of the client's clock and the network's delays, and never
afterwards: what somebody recorded is worthless seconds later, not after five minutes or, for a
presigned address, days.

Only requests that change something are remembered, and only after their signature has been
verified: a stranger cannot push anything out. Each process remembers for itself.
"""

from __future__ import annotations

from collections import OrderedDict

from bittern.api.errors import INVALID_SIGNATURE, ApiError
from bittern.api.sigv4 import Claim
from bittern.types import Instant

REPEAT_S = 5.0
MAX_REMEMBERED = 100_000


class Replays:
    """A bounded memory; the oldest go first."""

    def __init__(self, limit: int = MAX_REMEMBERED) -> None:
        self._limit = limit
        self._seen: OrderedDict[str, tuple[Instant, Instant]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def admit(self, claim: Claim, now: Instant) -> None:
        """ApiError if the request of `claim`, which is verified, was carried out before."""
        first = self._seen.get(claim.signature)
        if first is None:
            self._seen[claim.signature] = (now, claim.valid_until)
            self._forget(now)
        elif now - first[0] > REPEAT_S:
            raise ApiError(INVALID_SIGNATURE, "this signature was used before; sign anew")

    def _forget(self, now: Instant) -> None:
        while self._seen:
            oldest = next(iter(self._seen))
            if len(self._seen) <= self._limit and self._seen[oldest][1] >= now:
                return
            del self._seen[oldest]
