"""Notes, and what came with them: every engine does the same."""

from __future__ import annotations

import msgspec
import pytest

from bittern.errors import Conflict, NotFound
from bittern.store.notes import Note, note_from_row, note_to_row
from bittern.store.protocol import Store
from bittern.testing.examples import (
    CERTIFICATE,
    DESTINATION,
    DEV_EUI,
    DEVICE_PROFILE,
    FIRMWARE,
    GATEWAY,
    GATEWAY_EUI,
    NOW,
    SERVICE_PROFILE,
    dev_eui,
    device,
    register,
)
from bittern.types import Instant

NOTE = Note(kind="tags", name="Destination/plant", at=NOW, body='{"a":"b"}')


def later(seconds: float) -> Instant:
    return Instant(NOW + seconds)


def test_a_note_survives_its_row() -> None:
    assert note_from_row(note_to_row(NOTE)) == NOTE


async def test_a_note_is_kept_by_account_kind_and_name(store: Store) -> None:
    await store.put_notes(NOTE)
    assert await store.note(NOTE.account, "tags", NOTE.name) == NOTE
    assert await store.note("111122223333", "tags", NOTE.name) is None
    assert await store.note(NOTE.account, "logs", NOTE.name) is None


async def test_a_later_note_takes_the_place_of_an_earlier_one(store: Store) -> None:
    await store.put_notes(NOTE)
    after = msgspec.structs.replace(NOTE, body="{}", at=later(1))
    await store.put_notes(after)
    assert await store.note(NOTE.account, "tags", NOTE.name) == after


async def test_a_note_that_is_too_new_is_not_replaced_and_nothing_else_is_kept(
    store: Store,
) -> None:
    await store.put_notes(NOTE)
    other = msgspec.structs.replace(NOTE, name="other")
    refused = msgspec.structs.replace(NOTE, body="{}", only_if_older_than=NOW)
    with pytest.raises(Conflict):
        await store.put_notes(other, refused)
    assert await store.note(NOTE.account, "tags", NOTE.name) == NOTE
    assert await store.note(NOTE.account, "tags", "other") is None
    old_enough = msgspec.structs.replace(refused, only_if_older_than=later(1))
    await store.put_notes(old_enough)
    found = await store.note(NOTE.account, "tags", NOTE.name)
    assert found == msgspec.structs.replace(NOTE, body="{}")


async def test_notes_are_listed_page_by_page_in_order_of_name(store: Store) -> None:
    made = [msgspec.structs.replace(NOTE, name=name) for name in "cab"]
    await store.put_notes(*made, msgspec.structs.replace(NOTE, kind="logs", name="aa"))
    assert [one.name for one in await store.notes(NOTE.account, "tags", limit=2)] == ["a", "b"]
    assert [one.name for one in await store.notes(NOTE.account, "tags", after="b")] == ["c"]


async def test_a_note_is_removed_once(store: Store) -> None:
    await store.put_notes(NOTE)
    assert await store.remove_note(NOTE.account, "tags", NOTE.name)
    assert not await store.remove_note(NOTE.account, "tags", NOTE.name)


async def test_old_notes_of_one_kind_are_trimmed(store: Store) -> None:
    old = [msgspec.structs.replace(NOTE, kind=kind) for kind in ("tags", "attempt")]
    new = msgspec.structs.replace(NOTE, kind="attempt", name="new", at=later(9))
    await store.put_notes(*old, new)
    assert await store.trim_notes("attempt", later(5)) == 1
    assert await store.notes(NOTE.account, "attempt") == [new]
    assert await store.notes(NOTE.account, "tags") == [old[0]]


async def test_what_is_refused_for_its_note_is_not_added(store: Store) -> None:
    await register(store, devices=0)
    await store.put_notes(NOTE)
    notes = [msgspec.structs.replace(NOTE, only_if_older_than=NOW)]
    other = msgspec.structs.replace
    with pytest.raises(Conflict):
        await store.add_device(device(), notes=notes)
    with pytest.raises(Conflict):
        await store.add_device_profile(other(DEVICE_PROFILE, id="other"), notes=notes)
    with pytest.raises(Conflict):
        await store.add_service_profile(other(SERVICE_PROFILE, id="other"), notes=notes)
    with pytest.raises(Conflict):
        await store.add_destination(other(DESTINATION, name="other"), notes=notes)
    with pytest.raises(Conflict):
        await store.add_firmware(other(FIRMWARE, id="other"), notes=notes)
    assert await store.devices() == []
    assert await store.device_profile("other") is None
    assert await store.service_profile("other") is None
    assert await store.destination(DESTINATION.account, "other") is None
    assert await store.firmware("other") is None


async def test_a_note_is_not_kept_with_what_is_refused(store: Store) -> None:
    await register(store)
    with pytest.raises(Conflict):
        await store.add_device(device(), notes=[NOTE])
    assert await store.note(NOTE.account, "tags", NOTE.name) is None


async def test_a_note_is_kept_with_what_is_added(store: Store) -> None:
    await store.add_gateway(GATEWAY, notes=[NOTE])
    assert await store.note(NOTE.account, "tags", NOTE.name) == NOTE


async def test_devices_and_gateways_are_found_by_id(store: Store) -> None:
    await register(store)
    await store.add_gateway(GATEWAY)
    assert await store.device_by_id(device().id) == device()
    assert await store.device_by_id("nobody") is None
    assert await store.gateway_by_id(GATEWAY.id) == GATEWAY
    assert await store.gateway_by_id("nobody") is None
    assert await store.gateways_of(GATEWAY.account) == [GATEWAY]
    assert await store.gateways_of(GATEWAY.account, GATEWAY_EUI) == []
    assert await store.gateways_of("111122223333") == []


async def test_devices_of_an_account_are_filtered_and_paged(store: Store) -> None:
    await register(store, devices=3)
    euis = [dev_eui(number) for number in range(3)]
    account = device().account

    async def found(**wanted: object) -> list[object]:
        return [one.dev_eui for one in await store.devices_of(account, **wanted)]  # type: ignore[arg-type]

    assert await found() == euis
    assert await found(limit=2) == euis[:2]
    assert await found(after=euis[1]) == euis[2:]
    assert await found(destination=DESTINATION.name) == euis
    assert await found(destination="other") == []
    assert await found(device_profile_id=DEVICE_PROFILE.id) == euis
    assert await found(device_profile_id="other") == []
    assert await found(service_profile_id=SERVICE_PROFILE.id) == euis
    assert await found(service_profile_id="other") == []
    assert await store.devices_of("111122223333") == []


async def test_a_profile_is_removed_when_no_device_has_it(store: Store) -> None:
    await register(store)
    for remove, profile in (
        (store.remove_device_profile, DEVICE_PROFILE),
        (store.remove_service_profile, SERVICE_PROFILE),
    ):
        with pytest.raises(Conflict):
            await remove(profile.id)
    await store.remove_device(DEV_EUI)
    await store.remove_device_profile(DEVICE_PROFILE.id)
    await store.remove_service_profile(SERVICE_PROFILE.id)
    assert await store.device_profiles() == []
    assert await store.service_profiles() == []
    with pytest.raises(NotFound):
        await store.remove_device_profile(DEVICE_PROFILE.id)


async def test_a_certificate_is_removed_from_its_gateway(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    await store.add_certificate(CERTIFICATE)
    await store.remove_certificate(CERTIFICATE.fingerprint)
    assert await store.certificates_of(GATEWAY_EUI) == []
    with pytest.raises(NotFound):
        await store.remove_certificate(CERTIFICATE.fingerprint)
