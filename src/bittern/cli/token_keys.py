"""Root keys on their way into the token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from bittern.config import Configuration
from bittern.keys.root_keys import TokenRootKeys
from bittern.store.records import OtaaActivation
from bittern.types import AES128Key, DevEUI


@asynccontextmanager
async def token_of(configuration: Configuration) -> AsyncIterator[TokenRootKeys]:
    """Raises `KeyProviderUnavailable` where the configuration names none."""
    token = TokenRootKeys(configuration.keys)
    try:
        yield token
    finally:
        await token.close()


@asynccontextmanager
async def in_token(
    token: TokenRootKeys, dev_eui: DevEUI, activation: OtaaActivation
) -> AsyncIterator[OtaaActivation]:
    """What is to be stored instead, inside this context; where that fails the token forgets them.

    Raises `Conflict` where the token has root keys of the device.
    """
    taken: dict[str, AES128Key] = {}
    try:
        for name in ("app_key", "nwk_key", "gen_app_key"):
            key: AES128Key | None = getattr(activation, name)
            if key is not None and key.reference is None:
                taken[name] = await token.take(dev_eui, key)
        yield msgspec.structs.replace(activation, **taken)
    except BaseException:
        for key in taken.values():
            await token.forget(key)
        raise
