from __future__ import annotations

import pytest

from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.store.disclosure import disclosed, keys_of
from bittern.store.records import AbpActivation, JoinServerActivation, OtaaActivation
from bittern.types import (
    EUI64,
    AppKey,
    AppSKey,
    DevAddr,
    FNwkSIntKey,
    JoinEUI,
    NwkKey,
    NwkSEncKey,
    SNwkSIntKey,
)

JOIN_EUI = JoinEUI(EUI64(bytes(8)))


def key(number: int) -> bytes:
    return bytes([number]) * 16


def test_joining_device_has_the_root_keys_that_it_was_given() -> None:
    plain = OtaaActivation(join_eui=JOIN_EUI, app_key=AppKey(key(1)))
    assert keys_of(plain, MacVersion.LORAWAN_1_0_3) == {"app_key": AppKey(key(1))}
    both = OtaaActivation(join_eui=JOIN_EUI, app_key=AppKey(key(1)), nwk_key=NwkKey(key(2)))
    assert keys_of(both, MacVersion.LORAWAN_1_1) == {
        "app_key": AppKey(key(1)),
        "nwk_key": NwkKey(key(2)),
    }


def test_a_device_whose_root_keys_are_elsewhere_has_none_here() -> None:
    elsewhere = JoinServerActivation(join_eui=JOIN_EUI)
    assert all(keys_of(elsewhere, version) == {} for version in MacVersion)


@pytest.mark.parametrize(
    ("version", "names"),
    [
        (MacVersion.LORAWAN_1_0_4, ["nwk_s_key", "app_s_key"]),
        (
            MacVersion.LORAWAN_1_1,
            ["f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key"],
        ),
    ],
)
def test_session_keys_have_the_names_of_their_version(
    version: MacVersion, names: list[str]
) -> None:
    keys = SessionKeys(
        FNwkSIntKey(key(1)), SNwkSIntKey(key(2)), NwkSEncKey(key(3)), AppSKey(key(4))
    )
    activation = AbpActivation(dev_addr=DevAddr(bytes(4)), keys=keys)
    found = keys_of(activation, version)
    assert list(found) == names
    assert disclosed(found["app_s_key"]) == "04" * 16


def test_a_key_is_text_only_when_it_is_disclosed() -> None:
    assert "07" not in repr(AppKey(key(7)))
    assert disclosed(AppKey(key(7))) == "07" * 16


def test_a_key_in_a_token_is_told_by_nobody() -> None:
    activation = OtaaActivation(
        join_eui=JOIN_EUI, app_key=AppKey(key(1)), nwk_key=NwkKey.in_token("1 NwkKey")
    )
    assert keys_of(activation, MacVersion.LORAWAN_1_1) == {"app_key": AppKey(key(1))}
