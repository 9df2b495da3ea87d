"""How a device is activated, from AWS's four structures and back.

Which of them fits depends on the version that its profile names; LoRaWAN 1.0.x has one root key
and one network session key. Keys are told only to those who may read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bittern.api.errors import ApiError
from bittern.api.operations.common import Answer, missing, wrong
from bittern.lorawan.crypto import SessionKeys, as_kind
from bittern.lorawan.versions import MacVersion, uses_nwk_key
from bittern.store.disclosure import disclosed, keys_of
from bittern.store.records import AbpActivation, Activation, DeviceProfile, OtaaActivation
from bittern.types import (
    EUI64,
    AppKey,
    AppSKey,
    DevAddr,
    FNwkSIntKey,
    GenAppKey,
    JoinEUI,
    NwkKey,
    NwkSEncKey,
    SNwkSIntKey,
)

KINDS = ("OtaaV1_1", "OtaaV1_0_x", "AbpV1_1", "AbpV1_0_x")
_SPELLED: Mapping[str, str] = {
    "app_key": "AppKey",
    "nwk_key": "NwkKey",
    "gen_app_key": "GenAppKey",
    "f_nwk_s_int_key": "FNwkSIntKey",
    "s_nwk_s_int_key": "SNwkSIntKey",
    "nwk_s_enc_key": "NwkSEncKey",
    "app_s_key": "AppSKey",
    "nwk_s_key": "NwkSKey",
}


def activation(given: Mapping[str, Any], profile: DeviceProfile) -> Activation:
    """From the member ``LoRaWAN``. ApiError unless exactly one structure is there, it is the one
    of the profile, and nothing of it is missing."""
    kinds = [kind for kind in KINDS if kind in given]
    if len(kinds) != 1:
        raise wrong("loRaWAN", f"Exactly one of {', '.join(KINDS)} must be given")
    kind = kinds[0]
    require_kind(kind, profile)
    return _READERS[kind](given[kind], f"loRaWAN.{_lower(kind)}")


def kind_of(activation: Activation, version: MacVersion) -> str:
    """AWS's name of its structure."""
    way = "Abp" if isinstance(activation, AbpActivation) else "Otaa"
    return f"{way}V1_1" if uses_nwk_key(version) else f"{way}V1_0_x"


def require_kind(kind: str, profile: DeviceProfile) -> None:
    """ApiError where a device that is activated so cannot be of this profile."""
    if kind.startswith("Otaa") and not profile.supports_join:
        raise wrong(f"loRaWAN.{_lower(kind)}", "the device profile says that devices do not join")
    if kind.endswith("V1_1") != uses_nwk_key(profile.mac_version):
        reason = f"the device profile says LoRaWAN {profile.mac_version}"
        raise wrong(f"loRaWAN.{_lower(kind)}", reason)


def document(activation: Activation, version: MacVersion, *, with_keys: bool) -> Answer:
    """The structure by its name; without keys where the caller may not read them."""
    named = keys_of(activation, version) if with_keys else {}
    keys = {_SPELLED[name]: disclosed(key) for name, key in named.items()}
    kind = kind_of(activation, version)
    if not isinstance(activation, AbpActivation):
        eui = str(activation.join_eui)
        # The older name of the same, which scripts for 1.0.x read.
        older = {} if uses_nwk_key(version) else {"AppEui": eui}
        return {kind: {"JoinEui": eui, **older, **keys}}
    session = {"SessionKeys": keys} if keys else {}
    start = {"FCntStart": activation.fcnt_start}
    return {kind: {"DevAddr": str(activation.dev_addr), **start, **session}}


def _otaa_1_1(given: Mapping[str, Any], path: str) -> Activation:
    return OtaaActivation(
        join_eui=_eui(given, path, "JoinEui"),
        app_key=AppKey.from_hex(_needed(given, path, "AppKey")),
        nwk_key=NwkKey.from_hex(_needed(given, path, "NwkKey")),
    )


def _otaa_1_0(given: Mapping[str, Any], path: str) -> Activation:
    named = [_eui(given, path, name) for name in ("JoinEui", "AppEui") if name in given]
    if not named:
        raise missing(f"{path}.joinEui")
    if len(set(named)) > 1:
        raise wrong(f"{path}.appEui", "Member must be the same as joinEui, whose older name it is")
    gen_app_key = given.get("GenAppKey")
    return OtaaActivation(
        join_eui=named[0],
        app_key=AppKey.from_hex(_needed(given, path, "AppKey")),
        gen_app_key=None if gen_app_key is None else GenAppKey.from_hex(gen_app_key),
    )


def _abp_1_1(given: Mapping[str, Any], path: str) -> Activation:
    keys, inside = _session_keys(given, path)
    return _abp(
        given,
        path,
        SessionKeys(
            FNwkSIntKey.from_hex(_needed(keys, inside, "FNwkSIntKey")),
            SNwkSIntKey.from_hex(_needed(keys, inside, "SNwkSIntKey")),
            NwkSEncKey.from_hex(_needed(keys, inside, "NwkSEncKey")),
            AppSKey.from_hex(_needed(keys, inside, "AppSKey")),
        ),
    )


def _abp_1_0(given: Mapping[str, Any], path: str) -> Activation:
    keys, inside = _session_keys(given, path)
    nwk_s_key = FNwkSIntKey.from_hex(_needed(keys, inside, "NwkSKey"))
    app_s_key = AppSKey.from_hex(_needed(keys, inside, "AppSKey"))
    s_int, enc = as_kind(SNwkSIntKey, nwk_s_key), as_kind(NwkSEncKey, nwk_s_key)
    return _abp(given, path, SessionKeys(nwk_s_key, s_int, enc, app_s_key))


_READERS = {
    "OtaaV1_1": _otaa_1_1,
    "OtaaV1_0_x": _otaa_1_0,
    "AbpV1_1": _abp_1_1,
    "AbpV1_0_x": _abp_1_0,
}


def _abp(given: Mapping[str, Any], path: str, keys: SessionKeys) -> Activation:
    dev_addr = DevAddr.from_hex(_needed(given, path, "DevAddr"))
    return AbpActivation(dev_addr=dev_addr, keys=keys, fcnt_start=given.get("FCntStart", 0))


def _session_keys(given: Mapping[str, Any], path: str) -> tuple[Mapping[str, Any], str]:
    if "SessionKeys" not in given:
        raise missing(f"{path}.sessionKeys")
    return given["SessionKeys"], f"{path}.sessionKeys"


def _eui(given: Mapping[str, Any], path: str, name: str) -> JoinEUI:
    return JoinEUI(EUI64.from_hex(_needed(given, path, name)))


def _needed(given: Mapping[str, Any], path: str, name: str) -> str:
    if name not in given:
        raise _missing(path, name)
    value: str = given[name]
    return value


def _missing(path: str, name: str) -> ApiError:
    return missing(f"{path}.{_lower(name)}")


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]
