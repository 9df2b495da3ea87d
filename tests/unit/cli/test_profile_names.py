from __future__ import annotations

import pytest

from bittern.cli.profile_names import device_profile_of, service_profile_of
from bittern.errors import Conflict, NotFound
from bittern.store.records import DeviceProfile, ServiceProfile
from bittern.testing.memory_store import MemoryStore

ACCOUNT = "111122223333"


async def test_a_profile_goes_by_its_id_and_its_name() -> None:
    store = MemoryStore()
    for number, name in enumerate(("meters", "twins", "twins")):
        await store.add_device_profile(DeviceProfile(account=ACCOUNT, id=str(number), name=name))
    await store.add_device_profile(DeviceProfile(id="elsewhere", name="other"))
    await store.add_service_profile(ServiceProfile(account=ACCOUNT, id="s", name="plain"))
    assert (await device_profile_of(store, ACCOUNT, "0")).name == "meters"
    assert (await device_profile_of(store, ACCOUNT, "meters")).id == "0"
    assert (await service_profile_of(store, ACCOUNT, "plain")).id == "s"
    with pytest.raises(Conflict, match="several"):
        await device_profile_of(store, ACCOUNT, "twins")
    for text in ("elsewhere", "other", "plain"):
        with pytest.raises(NotFound, match=text):
            await device_profile_of(store, ACCOUNT, text)
