"""The one way by which a device's keys leave as text: its owner asked for them."""

from __future__ import annotations

from bittern.lorawan.versions import MacVersion, uses_nwk_key
from bittern.store.codec import secret_bytes
from bittern.store.records import (
    AbpActivation,
    Activation,
    JoinServerActivation,
    OtaaActivation,
)
from bittern.types import AES128Key


def keys_of(activation: Activation, version: MacVersion) -> dict[str, AES128Key]:
    """By the names that the specification of `version` gives them; still not printable. Those that
    are in a token are left out: nobody can tell them."""
    named: dict[str, AES128Key | None]
    match activation:
        case OtaaActivation():
            named = {
                "app_key": activation.app_key,
                "nwk_key": activation.nwk_key,
                "gen_app_key": activation.gen_app_key,
            }
        case AbpActivation(keys=keys) if uses_nwk_key(version):
            named = {
                "f_nwk_s_int_key": keys.f_nwk_s_int_key,
                "s_nwk_s_int_key": keys.s_nwk_s_int_key,
                "nwk_s_enc_key": keys.nwk_s_enc_key,
                "app_s_key": keys.app_s_key,
            }
        case JoinServerActivation():
            named = {}
        case AbpActivation(keys=keys):
            named = {"nwk_s_key": keys.f_nwk_s_int_key, "app_s_key": keys.app_s_key}
    return {name: key for name, key in named.items() if key is not None and key.reference is None}


def names_in_token(activation: Activation) -> list[str]:
    """Of the root keys that `keys_of` leaves out."""
    if not isinstance(activation, OtaaActivation):
        return []
    keys = {name: getattr(activation, name) for name in ("app_key", "nwk_key", "gen_app_key")}
    return [name for name, key in keys.items() if key is not None and key.reference is not None]


def disclosed(key: AES128Key) -> str:
    """32 lower-case hexadecimal digits."""
    return secret_bytes(key).hex()
