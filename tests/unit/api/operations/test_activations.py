"""What clients are told of activations is in `test_devices.py`."""

from __future__ import annotations

import pytest

from bittern.api.errors import ApiError
from bittern.api.operations.activations import activation, document, kind_of, require_kind
from bittern.lorawan.versions import MacVersion
from bittern.store.records import DeviceProfile, JoinServerActivation
from bittern.types import EUI64, JoinEUI

ABP = {
    "AbpV1_0_x": {
        "DevAddr": "26011bda",
        "SessionKeys": {"NwkSKey": "00" * 16, "AppSKey": "11" * 16},
    }
}


def test_an_activation_keeps_its_kind() -> None:
    made = activation(ABP, DeviceProfile(id="x"))
    assert kind_of(made, MacVersion.LORAWAN_1_0_3) == "AbpV1_0_x"
    told = document(made, MacVersion.LORAWAN_1_0_3, with_keys=False)
    assert told == {"AbpV1_0_x": {"DevAddr": "26011bda", "FCntStart": 0}}
    told = document(made, MacVersion.LORAWAN_1_0_3, with_keys=True)
    assert told["AbpV1_0_x"]["SessionKeys"] == ABP["AbpV1_0_x"]["SessionKeys"]


@pytest.mark.parametrize(
    ("version", "kind"),
    [(MacVersion.LORAWAN_1_0_3, "OtaaV1_0_x"), (MacVersion.LORAWAN_1_1, "OtaaV1_1")],
)
def test_a_device_whose_root_keys_are_elsewhere_joins_and_has_none_to_tell(
    version: MacVersion, kind: str
) -> None:
    elsewhere = JoinServerActivation(join_eui=JoinEUI(EUI64.from_int(9)))
    told = document(elsewhere, version, with_keys=True)
    assert set(told) == {kind}
    assert set(told[kind]) <= {"JoinEui", "AppEui"}
    assert told[kind]["JoinEui"] == "0000000000000009"


def test_root_keys_are_needed_to_make_a_device_here() -> None:
    with pytest.raises(ApiError, match="appKey"):
        activation({"OtaaV1_0_x": {"JoinEui": "00" * 8}}, DeviceProfile(id="x"))


def test_a_kind_must_be_that_of_the_profile() -> None:
    with pytest.raises(ApiError):
        require_kind("AbpV1_1", DeviceProfile(id="x"))
    with pytest.raises(ApiError):
        require_kind("OtaaV1_0_x", DeviceProfile(id="x", supports_join=False))
