import msgspec
import pytest

from bittern.network.directory import Directory
from bittern.testing import examples
from bittern.testing.memory_store import MemoryStore
from bittern.types import EUI64, GatewayEUI


@pytest.fixture
async def store() -> MemoryStore:
    made = MemoryStore()
    await made.open()
    await examples.register(made)
    await made.add_gateway(examples.GATEWAY)
    await made.add_certificate(examples.CERTIFICATE)
    return made


async def test_a_device_comes_with_all_that_its_frames_need(store):
    context = await Directory(store).device(examples.DEV_EUI)
    assert context is not None
    assert context.device == examples.device()
    assert context.profile == examples.DEVICE_PROFILE
    assert context.service == examples.SERVICE_PROFILE
    assert context.plan.name == "EU868"


async def test_an_unknown_device_is_none_and_found_once_it_is_added(store):
    directory = Directory(store)
    assert await directory.device(examples.dev_eui(5)) is None
    await store.add_device(examples.device(5))
    assert await directory.device(examples.dev_eui(5)) is not None


async def test_what_was_changed_is_read_again_when_the_change_is_followed(store):
    directory = Directory(store)
    before = await directory.device(examples.DEV_EUI)
    last = await store.last_change()
    await store.remove_device(examples.DEV_EUI)
    await store.add_device(examples.device(name="renamed"))
    assert await directory.device(examples.DEV_EUI) == before
    directory.follow(await store.changes(last))
    after = await directory.device(examples.DEV_EUI)
    assert after is not None
    assert after.device.name == "renamed"


async def test_a_gateway_tells_its_plan_and_sub_bands(store):
    directory = Directory(store)
    plan = await directory.plan_of_gateway(examples.GATEWAY_EUI)
    assert plan is not None
    assert plan.name == "EU868"
    assert await directory.sub_bands_of_gateway(examples.GATEWAY_EUI) == ()


async def test_a_gateway_of_a_fixed_plan_hears_the_customary_sub_band_unless_told_otherwise(store):
    directory = Directory(store)
    for number, (sub_bands, heard) in enumerate((((), (2,)), ((3,), (3,)))):
        eui = GatewayEUI(EUI64.from_int(number))
        await store.add_gateway(
            msgspec.structs.replace(
                examples.GATEWAY, id=str(eui), gateway_eui=eui, region="US915", sub_bands=sub_bands
            )
        )
        assert await directory.sub_bands_of_gateway(eui) == heard


async def test_a_removed_gateway_has_no_plan(store):
    directory = Directory(store)
    await directory.plan_of_gateway(examples.GATEWAY_EUI)
    last = await store.last_change()
    await store.remove_gateway(examples.GATEWAY_EUI)
    directory.follow(await store.changes(last))
    assert await directory.plan_of_gateway(examples.GATEWAY_EUI) is None


async def test_a_certificate_is_asked_for_every_time(store):
    directory = Directory(store)
    fingerprint = examples.CERTIFICATE.fingerprint
    assert await directory.certificate(fingerprint) == examples.CERTIFICATE
    await store.set_certificate_active(fingerprint, False)
    assert await directory.certificate(fingerprint) == msgspec.structs.replace(
        examples.CERTIFICATE, active=False
    )


async def test_a_destination_is_kept_until_it_changes(store):
    directory = Directory(store)
    account, name = examples.DESTINATION.account, examples.DESTINATION.name
    assert await directory.destination(account, name) == examples.DESTINATION
    assert await directory.destination("111111111111", name) is None
