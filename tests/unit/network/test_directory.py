import msgspec
import pytest

from bittern.lorawan.radio import Reception
from bittern.lorawan.regional_parameters import RegionalParameters
from bittern.lorawan.regions import plan
from bittern.mac.refused import Refused
from bittern.network.deduplication import Gathered
from bittern.network.directory import Directory
from bittern.testing import examples
from bittern.testing.memory_store import MemoryStore
from bittern.types import EUI64, GatewayEUI, Refusal


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


# Revisions of the regional parameters


async def of_revision(store, region, revision):
    profile = msgspec.structs.replace(
        examples.DEVICE_PROFILE, id="older", region=region, reg_params_revision=revision
    )
    await store.add_device_profile(profile)
    await store.add_device(examples.device(7, device_profile_id="older"))
    context = await Directory(store).device(examples.dev_eui(7))
    assert context is not None
    return context


def heard_at(data_rate, copies=2):
    reception = Reception(
        gateway_eui=examples.GATEWAY_EUI,
        frequency_hz=915_200_000,
        data_rate=data_rate,
        rssi_dbm=-80,
        snr_db=5.0,
        received_at=examples.NOW,
        xtime=1,
        rctx=0,
    )
    return Gathered(b"frame", (reception,) * copies)


async def test_a_device_has_the_plan_of_the_revision_that_its_profile_names(store):
    context = await of_revision(store, "EU868", "RP001-1.0.2")
    assert context.plan is plan("EU868", RegionalParameters.RP001_1_0_2)
    assert context.wanted.plan is context.plan
    assert 8 not in context.plan.data_rates


async def test_a_device_whose_profile_names_no_revision_has_the_newest_plan(store):
    context = await of_revision(store, "US915", "")
    assert context.plan is plan("US915")
    heard = heard_at(3)
    assert context.as_it_counts(heard) is heard


async def test_the_bounds_of_adr_are_those_of_the_revision(store):
    assert (await of_revision(store, "AU915", "RP001-1.0.2")).wanted.bounds.max_data_rate == 3


async def test_a_device_of_cn470_before_rp002_is_of_another_plan(store):
    context = await of_revision(store, "CN470", "RP001-1.0.3")
    assert context.plan.name == "CN470-96"
    assert context.plan.cf_list((1,)) == bytes([0xFF, *bytes(14), 1])
    assert len(context.plan.uplink_channels()) == 96


async def test_an_unknown_revision_that_was_stored_counts_as_the_newest(store):
    assert (await of_revision(store, "US915", "RP009")).plan is plan("US915")


async def test_a_data_rate_has_the_number_of_the_device_in_every_copy(store):
    context = await of_revision(store, "AU915", "1.0.2")
    counted = context.as_it_counts(heard_at(5))
    assert isinstance(counted, Gathered)
    assert [one.data_rate for one in counted.receptions] == [3, 3]
    assert counted.best == msgspec.structs.replace(heard_at(5).best, data_rate=3)


async def test_a_data_rate_of_the_same_number_is_left_alone(store):
    heard = heard_at(3)
    assert (await of_revision(store, "AU915", "RP002-1.0.1")).as_it_counts(heard) is heard


async def test_a_data_rate_that_the_revision_does_not_have_is_refused(store):
    refused = (await of_revision(store, "EU868", "RP002-1.0.1")).as_it_counts(heard_at(8))
    assert isinstance(refused, Refused)
    assert (refused.refusal, refused.dev_eui) == (Refusal.WRONG_REGION, examples.dev_eui(7))
    assert "EU868 of RP002-1.0.1" in refused.reason
    assert "DR8" in refused.reason
