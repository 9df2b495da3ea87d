from __future__ import annotations

from typing import Any

import pytest

from bittern.api.device_registrar import DeviceRegistrar, is_registered_already
from bittern.api.errors import ApiError
from bittern.store.records import Destination, DeviceProfile, ServiceProfile
from bittern.testing.memory_store import MemoryStore
from bittern.types import EUI64, DevEUI, Instant

ACCOUNT = "111122223333"
EUI = "70B3D57ED0000001"
KEY = "01" * 16
NOW = Instant(1_700_000_000.0)


def given(**lorawan: Any) -> dict[str, Any]:
    return {
        "Type": "LoRaWAN",
        "DestinationName": "plant",
        "LoRaWAN": {
            "DevEui": EUI,
            "DeviceProfileId": "device",
            "ServiceProfileId": "service",
            "OtaaV1_0_x": {"AppKey": KEY, "JoinEui": EUI},
        }
        | lorawan,
    }


@pytest.fixture
async def store() -> MemoryStore:
    made = MemoryStore()
    await made.add_destination(
        Destination(account=ACCOUNT, name="plant", expression="a", created_at=NOW)
    )
    await made.add_device_profile(DeviceProfile(account=ACCOUNT, id="device"))
    await made.add_service_profile(ServiceProfile(account=ACCOUNT, id="service"))
    return made


def registrar(store: MemoryStore, account: str = ACCOUNT) -> DeviceRegistrar:
    return DeviceRegistrar(store, account, region="eu-west-1", now=NOW)


async def refusals(store: MemoryStore, *asked: dict[str, Any]) -> list[ApiError]:
    """What the rehearsal and the deed refuse, which is the same."""
    found = []
    for one in asked:
        with pytest.raises(ApiError) as rehearsed:
            await registrar(store).rehearse(one)
        with pytest.raises(ApiError) as done:
            await registrar(store).create(one)
        assert str(rehearsed.value) == str(done.value)
        found.append(done.value)
    return found


async def test_a_device_is_made_as_by_the_api(store: MemoryStore) -> None:
    tags = [{"Key": "site", "Value": "north"}]
    await registrar(store).create(given() | {"Name": "pump", "Tags": tags})
    device = await store.device(DevEUI(EUI64.from_hex(EUI)))
    assert device is not None
    assert (device.account, device.name, device.created_at) == (ACCOUNT, "pump", NOW)
    note = await store.note(ACCOUNT, "tags", f"WirelessDevice/{device.id}")
    assert note is not None
    assert note.body == '{"site":"north"}'


async def test_a_rehearsal_changes_nothing(store: MemoryStore) -> None:
    await registrar(store).rehearse(given())
    assert await store.devices() == []


async def test_a_token_is_of_no_matter(store: MemoryStore) -> None:
    await registrar(store).create(given() | {"ClientRequestToken": "once"})
    (error,) = await refusals(store, given() | {"ClientRequestToken": "once"})
    assert is_registered_already(error)


async def test_what_the_api_refuses_is_refused(store: MemoryStore) -> None:
    tag = {"Key": "site", "Value": "north"}
    errors = await refusals(
        store,
        given(DevEui="zz"),
        given(DeviceProfileId="other"),
        given(OtaaV1_0_x={"AppKey": KEY}),
        given(OtaaV1_0_x={"AppKey": "01" * 15, "JoinEui": EUI}),
        given() | {"DestinationName": "nowhere"},
        given() | {"Tags": [tag, tag]},
        given() | {"Name": 7},
        given() | {"Nmae": "pump"},
        given(Otaa={}),
        {"Type": "Sidewalk", "DestinationName": "plant"},
    )
    told = [error.message for error in errors]
    for text, part in zip(
        told,
        [
            "loRaWAN.devEui",
            "DeviceProfile other does not exist",
            "loRaWAN.otaaV1_0_x.joinEui",
            "loRaWAN.otaaV1_0_x.appKey",
            "Destination nowhere does not exist",
            "same key twice",
            "'name'",
            "has no Nmae",
            "has no LoRaWAN.Otaa",
            "Sidewalk",
        ],
        strict=True,
    ):
        assert part in text
        assert "0101" not in text
    assert not any(map(is_registered_already, errors))


async def test_a_device_of_another_account_is_told_as_registered(store: MemoryStore) -> None:
    await registrar(store).create(given())
    (error,) = await refusals(store, given())
    assert error.message == f"WirelessDevice {EUI.lower()} exists already"
    with pytest.raises(ApiError, match="DeviceProfile device does not exist"):
        await registrar(store, "444455556666").rehearse(given())
