"""Access keys: made, found again by what a request names, and judged by their policies."""

from __future__ import annotations

from base64 import b32encode, b64encode
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from bittern.api.front import Caller
from bittern.api.policy import READY, Policy, policy
from bittern.api.sigv4 import SecretAccessKey
from bittern.store.account_records import AccessKey, AccessSecret
from bittern.types import Instant

Randomness = Callable[[int], bytes]
"""So many bytes that nobody can guess."""

USE_PRECISION_S = 3600.0
"""How exactly the last use of an access key is kept: a write for each request would be too dear."""


class KeyDirectory(Protocol):
    """Where access keys are kept."""

    async def access_key(self, key_id: str) -> AccessKey | None: ...
    async def access_key_used(self, key_id: str, at: Instant) -> None: ...


def new_access_key(
    account: str,
    policies: tuple[str, ...],
    *,
    description: str = "",
    now: Instant,
    randomness: Randomness,
) -> AccessKey:
    """With an id of 80 and a secret of 240 bits, in the form of AWS's.

    Each of `policies` is a policy in JSON, or the name of a ready one. Raises `MalformedPolicy`.
    """
    compiled(policies)
    return AccessKey(
        id="AKIA" + b32encode(randomness(10)).decode(),
        account=account,
        secret=AccessSecret(b64encode(randomness(30)).decode()),
        policies=policies,
        description=description,
        created_at=now,
    )


@lru_cache(maxsize=256)
def compiled(policies: tuple[str, ...]) -> Policy:
    """All of them hold. Raises `MalformedPolicy`."""
    return policy(*(READY.get(text, text) for text in policies))


class Credentials:
    """Who has an access key, asked anew for each request: what was deactivated, is at once."""

    def __init__(self, directory: KeyDirectory) -> None:
        self._directory = directory
        self._uses: dict[str, Instant] = {}

    async def __call__(self, key_id: str) -> Caller | None:
        """None for a key that is inactive, too: a stranger learns nothing of it."""
        key = await self._directory.access_key(key_id)
        return _caller(key) if key is not None and key.active else None

    def is_use_due(self, key_id: str, at: Instant) -> bool:
        """Whether `used` has anything to keep, as far as this process knows: asked for each request
        whose signature was right, so there is one entry for each key at most."""
        is_due = self._uses.get(key_id, 0.0) + USE_PRECISION_S <= at
        if is_due:
            self._uses[key_id] = at
        return is_due

    async def used(self, key_id: str, at: Instant) -> None:
        """Keep that a request was let in."""
        key = await self._directory.access_key(key_id)
        if key is not None and (key.last_used_at or 0.0) + USE_PRECISION_S <= at:
            await self._directory.access_key_used(key_id, at)


def _caller(key: AccessKey) -> Caller:
    return Caller(
        account=key.account,
        access_key_id=key.id,
        arn=f"arn:aws:iam::{key.account}:user/{key.id}",
        policy=compiled(key.policies),
        secret=SecretAccessKey(key.secret.expose()),
    )
