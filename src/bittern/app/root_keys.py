"""The token that has root keys of devices, where there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bittern.config import Configuration
from bittern.keys.root_keys import TokenRootKeys


@asynccontextmanager
async def root_keys_of(configuration: Configuration) -> AsyncIterator[TokenRootKeys | None]:
    """None where the configuration names no token. It is not asked before a device needs it: a
    token that is away keeps nobody else from being served."""
    keys = configuration.keys
    if keys.pkcs11_module is None or keys.pkcs11_token is None:
        yield None
        return
    token = TokenRootKeys(keys)
    try:
        yield token
    finally:
        await token.close()
