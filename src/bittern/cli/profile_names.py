"""Profiles as a person names them: by their ids, which programs have given, or by their names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from bittern.errors import Conflict, NotFound
from bittern.store.pages import everything
from bittern.store.protocol import Store
from bittern.store.records import DeviceProfile, ServiceProfile

P = TypeVar("P", DeviceProfile, ServiceProfile)


async def device_profile_of(store: Store, account: str, text: str) -> DeviceProfile:
    """Raises `NotFound`, and `Conflict` for a name of several."""
    pages = partial(store.device_profiles, account)
    return await _named("device profile", account, text, store.device_profile, pages)


async def service_profile_of(store: Store, account: str, text: str) -> ServiceProfile:
    """Raises `NotFound`, and `Conflict` for a name of several."""
    pages = partial(store.service_profiles, account)
    return await _named("service profile", account, text, store.service_profile, pages)


async def _named(
    kind: str,
    account: str,
    text: str,
    by_id: Callable[[str], Awaitable[P | None]],
    pages: Callable[..., Awaitable[list[P]]],
) -> P:
    profile = await by_id(text)
    if profile is not None and profile.account == account:
        return profile
    found = [one async for one in everything(pages, lambda one: one.id) if one.name == text]
    if not found:
        raise NotFound(kind, text)
    if len(found) > 1:
        raise Conflict(kind, text, "is the name of several: name one by its id")
    return found[0]
