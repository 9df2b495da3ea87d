from __future__ import annotations

import pytest

from bittern.api.errors import ApiError
from bittern.api.profile_records import device_profile, service_profile
from bittern.store.records import DeviceProfile, ServiceProfile

ACCOUNT = "111122223333"


def test_profiles_are_made_from_members_of_the_model() -> None:
    made = device_profile(ACCOUNT, "meters", {"RxFreq2": 8_695_250, "SupportsClassC": True})
    assert made == DeviceProfile(
        account=ACCOUNT,
        id=made.id,
        name="meters",
        rx2_frequency_hz=869_525_000,
        supports_class_c=True,
    )
    service = service_profile(ACCOUNT, "plain", {"DrMax": 4})
    assert service == ServiceProfile(account=ACCOUNT, id=service.id, name="plain", dr_max=4)
    assert made.id != service.id


def test_what_the_model_or_the_operation_does_not_allow_is_refused() -> None:
    for lorawan in ({"RxDelay1": 99}, {"MacVersion": "9.9"}, {"RxDelay1": "1"}):
        with pytest.raises(ApiError, match="loRaWAN"):
            device_profile(ACCOUNT, "meters", lorawan)
    for lorawan in ({"DrMax": 99}, {"DrMin": 5, "DrMax": 4}):
        with pytest.raises(ApiError, match="loRaWAN"):
            service_profile(ACCOUNT, "plain", lorawan)
