"""Profiles as they are printed, and what of their making both kinds share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
import typer

from bittern.cli import output
from bittern.store.records import DeviceProfile, ServiceProfile

P = TypeVar("P", DeviceProfile, ServiceProfile)
Make = Callable[[str, str, Mapping[str, Any]], P]


def made(
    make: Make[P],
    account: str,
    name: str,
    lorawan: Mapping[str, Any],
    beyond: Mapping[str, Any],
) -> P:
    """By the members that AWS knows, and by fields that only we have; None is what is not given.

    What CreateDeviceProfile or CreateServiceProfile refuses is wrong usage.
    """
    from bittern.api.errors import ApiError

    given = {member: value for member, value in lorawan.items() if value is not None}
    try:
        profile = make(account, name, given)
    except ApiError as error:
        raise typer.BadParameter(error.message) from None
    changes = {field: value for field, value in beyond.items() if value is not None}
    return msgspec.structs.replace(profile, **changes)


def document(profile: DeviceProfile | ServiceProfile) -> dict[str, Any]:
    """Every field, as the record has it."""
    told: dict[str, Any] = msgspec.to_builtins(profile)
    return told


def tell(profile: DeviceProfile | ServiceProfile, as_json: bool) -> None:
    """All that is set."""
    if as_json:
        output.print_json(document(profile))
        return
    told = {name.replace("_", " "): _told(value) for name, value in document(profile).items()}
    output.properties({name: text for name, text in told.items() if text})


def _told(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case tuple():
            return " ".join(
                "=".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in value
            )
        case _:
            return str(value)
