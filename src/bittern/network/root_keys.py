"""Root keys that are in a token: a port, and what is done by them there.

An answer to a join is a function of values. Where the root keys are not among the values it runs
where the token is asked, which blocks, beside the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from bittern.errors import KeyFileExposed, KeyProviderError
from bittern.mac.join_accept import JoinCredentials
from bittern.mac.refused import Refused
from bittern.types import AES128Key, DevEUI, Refusal

T = TypeVar("T")


class RootKeys(Protocol):
    """Whoever has the token."""

    async def using(self, keys: Sequence[AES128Key], work: Callable[[], T]) -> T:
        """Run `work`, during which the token does what is done by `keys`.

        Raises `KeyProviderRefused` for a key that is not there, `KeyProviderUnavailable` for a
        token that is away.
        """
        ...


async def by_root_keys(
    dev_eui: DevEUI,
    credentials: JoinCredentials,
    holder: RootKeys | None,
    work: Callable[[], T | Refused],
) -> T | Refused:
    """What `work` yields, which takes the root keys of `credentials` wherever they are."""
    both = (credentials.app_key, credentials.nwk_key)
    there = [key for key in both if key is not None and key.reference is not None]
    if not there:
        return work()
    if holder is None:
        reason = "its root keys are in a token, and keys.pkcs11_token names none"
        return Refused(Refusal.JOIN_SERVER_UNAVAILABLE, reason, dev_eui)
    try:
        return await holder.using(there, work)
    except (KeyProviderError, KeyFileExposed) as error:
        return Refused(Refusal.JOIN_SERVER_UNAVAILABLE, str(error), dev_eui)
