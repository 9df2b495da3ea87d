"""Columns of a file of devices, and the CreateWirelessDevice input that a row of them is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bittern.lorawan.versions import MacVersion, uses_nwk_key

COLUMNS = (
    "DevEui",
    "Name",
    "Description",
    "DestinationName",
    "DeviceProfileId",
    "ServiceProfileId",
    "Activation",
    "JoinEui",
    "AppEui",
    "AppKey",
    "NwkKey",
    "GenAppKey",
    "DevAddr",
    "FCntStart",
    "NwkSKey",
    "AppSKey",
    "FNwkSIntKey",
    "SNwkSIntKey",
    "NwkSEncKey",
    "Positioning",
    "FPorts",
    "Tags",
)
"""As they are written; read, they may differ in case, blanks, - and _."""
_ALIASES = {
    "destination": "DestinationName",
    "deviceprofile": "DeviceProfileId",
    "deviceprofilename": "DeviceProfileId",
    "serviceprofile": "ServiceProfileId",
    "serviceprofilename": "ServiceProfileId",
}
_KNOWN = {name.lower(): name for name in COLUMNS} | _ALIASES
TAG = "tag:"
"""Begins the name of a column that is one tag: ``tag:site``."""

_OF_KIND: Mapping[str, tuple[str, ...]] = {
    "OtaaV1_0_x": ("JoinEui", "AppEui", "AppKey", "GenAppKey"),
    "OtaaV1_1": ("JoinEui", "AppEui", "AppKey", "NwkKey"),
    "AbpV1_0_x": ("DevAddr", "FCntStart", "NwkSKey", "AppSKey"),
    "AbpV1_1": ("DevAddr", "FCntStart", "FNwkSIntKey", "SNwkSIntKey", "NwkSEncKey", "AppSKey"),
}
_ACTIVATION = {name for names in _OF_KIND.values() for name in names}
_SESSION_KEYS = {"NwkSKey", "AppSKey", "FNwkSIntKey", "SNwkSIntKey", "NwkSEncKey"}
_KIND = re.compile(r"(otaa|abp)[ _-]*(?:v?[ _-]*1[._]([01])(?:[._][x0-9])?)?", re.IGNORECASE)

Fields = Mapping[str, str]
"""What a row says, by column, without what is empty."""


class RowFault(ValueError):
    """A row that is no device; the text says which column, and never what stands in one."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Of one file, in its order."""

    names: Sequence[str]

    @classmethod
    def of(cls, header: Iterable[str]) -> Columns:
        """Raises ValueError, which tells every column that is not known."""
        texts = [text.strip() for text in header]
        names = [_name(text) for text in texts]
        unknown = [text or "(empty)" for text, name in zip(texts, names, strict=True) if not name]
        if unknown:
            raise ValueError(
                f"no such column: {', '.join(unknown)}; there are {', '.join(COLUMNS)}"
            )
        if "DevEui" not in names:
            raise ValueError("the first line names no column DevEui")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"more than one column {', '.join(twice)}")
        return cls(names)

    def fields(self, cells: Sequence[str]) -> Fields:
        """Raises `RowFault`."""
        if len(cells) != len(self.names):
            raise RowFault(f"{len(cells)} cells under {len(self.names)} columns")
        named = zip(self.names, (cell.strip() for cell in cells), strict=True)
        return {name: cell for name, cell in named if cell}


def _name(text: str) -> str:
    if text.lower().startswith(TAG) and len(text) > len(TAG):
        return TAG + text[len(TAG) :]
    return _KNOWN.get(re.sub(r"[ _-]", "", text).lower(), "")


def device_input(fields: Fields, version: MacVersion) -> dict[str, Any]:
    """The input of CreateWirelessDevice, of a device whose profile says `version`.

    Identities of profiles stand as they are. Raises `RowFault`.
    """
    lorawan: dict[str, Any] = {
        name: fields[name]
        for name in ("DevEui", "DeviceProfileId", "ServiceProfileId")
        if name in fields
    }
    kind = _kind(fields, version)
    lorawan[kind] = _activation(fields, kind)
    if "FPorts" in fields:
        lorawan["FPorts"] = _json(fields, "FPorts")
    given: dict[str, Any] = {"Type": "LoRaWAN", "LoRaWAN": lorawan}
    for name in ("Name", "Description", "DestinationName", "Positioning"):
        if name in fields:
            given[name] = fields[name]
    tags = _tags(fields)
    return given | ({"Tags": tags} if tags else {})


def _kind(fields: Fields, version: MacVersion) -> str:
    """AWS's name of the structure; what the column leaves open, the profile says."""
    text = fields.get("Activation", "ABP" if "DevAddr" in fields else "OTAA")
    match = _KIND.fullmatch(text)
    if match is None:
        raise RowFault("Activation: OTAA or ABP, or with the version: OTAA v1.0, ABP v1.1")
    is_1_1 = uses_nwk_key(version) if match[2] is None else match[2] == "1"
    return f"{match[1].capitalize()}{'V1_1' if is_1_1 else 'V1_0_x'}"


def _activation(fields: Fields, kind: str) -> dict[str, Any]:
    wanted = _OF_KIND[kind]
    others = [name for name in COLUMNS if name in fields and name in _ACTIVATION - set(wanted)]
    if others:
        raise RowFault(f"{', '.join(others)}: not of {kind}, which has {', '.join(wanted)}")
    made: dict[str, Any] = {
        name: fields[name] for name in wanted if name in fields and name not in _SESSION_KEYS
    }
    if kind == "OtaaV1_1" and "AppEui" in made:
        older = made.pop("AppEui")
        if made.setdefault("JoinEui", older).lower() != older.lower():
            raise RowFault("AppEui: not the same as JoinEui, whose older name it is")
    if "FCntStart" in made:
        made["FCntStart"] = _whole(made["FCntStart"])
    keys = {name: fields[name] for name in wanted if name in fields and name in _SESSION_KEYS}
    return made | ({"SessionKeys": keys} if keys else {})


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise RowFault("FCntStart: not a whole number")
    return int(text)


def _json(fields: Fields, name: str) -> Any:
    import msgspec

    try:
        return msgspec.json.decode(fields[name])
    except msgspec.DecodeError:
        raise RowFault(f"{name}: not JSON") from None


def _tags(fields: Fields) -> list[dict[str, str]]:
    """Of a column for each, and of the column Tags: ``site=north; floor=2`` or a JSON object."""
    tags = [
        {"Key": name.removeprefix(TAG), "Value": text}
        for name, text in fields.items()
        if name.startswith(TAG)
    ]
    text = fields.get("Tags", "")
    if text.startswith("{"):
        return tags + [{"Key": key, "Value": value} for key, value in _json(fields, "Tags").items()]
    for part in filter(None, (part.strip() for part in text.split(";"))):
        key, equals, value = part.partition("=")
        if not equals:
            raise RowFault("Tags: KEY=VALUE; KEY=VALUE")
        tags.append({"Key": key.strip(), "Value": value.strip()})
    return tags
