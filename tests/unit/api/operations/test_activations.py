"""What clients are told of activations is in `test_devices.py`."""

from __future__ import annotations

import pytest

from bittern.api.errors import ApiError
from bittern.api.operations.activations import activation, document, kind_of, require_kind
from bittern.lorawan.versions import MacVersion
from bittern.store.records import DeviceProfile

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


def test_a_kind_must_be_that_of_the_profile() -> None:
    with pytest.raises(ApiError):
        require_kind("AbpV1_1", DeviceProfile(id="x"))
    with pytest.raises(ApiError):
        require_kind("OtaaV1_0_x", DeviceProfile(id="x", supports_join=False))
