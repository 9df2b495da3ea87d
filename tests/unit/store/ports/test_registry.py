"""What operators register: every engine does the same."""

from __future__ import annotations

import msgspec
import pytest

from bittern.errors import Conflict, NotFound, StaleSession
from bittern.store.ports.sessions import Deliver
from bittern.store.protocol import Store
from bittern.store.records import AbpActivation, OtaaActivation
from bittern.testing import examples
from bittern.testing.examples import (
    CERTIFICATE,
    DESTINATION,
    DEV_ADDR,
    DEV_EUI,
    DEVICE_PROFILE,
    FOREIGN_CERTIFICATE,
    GATEWAY,
    GATEWAY_EUI,
    NOW,
    SERVICE_PROFILE,
    activated,
    delivery,
    dev_eui,
    device,
    downlink,
    join_state,
    news,
    next_session,
    register,
    session,
    session_keys,
)
from bittern.types import EUI64, AppKey, GatewayEUI, GenAppKey

OTAA = OtaaActivation(
    join_eui=examples.JOIN_EUI,
    app_key=AppKey(bytes(16)),
    gen_app_key=GenAppKey(b"generic app key."),
)


ABP = AbpActivation(dev_addr=DEV_ADDR, keys=session_keys(), fcnt_start=12)


@pytest.mark.parametrize("activation", [OTAA, ABP], ids=["otaa", "abp"])
async def test_a_device_comes_back_as_it_was_added(store: Store, activation: object) -> None:
    await register(store, devices=0)
    added = device(activation=activation, description="roof, Süd")
    await store.add_device(added)
    found = await store.device(DEV_EUI)
    assert found == added
    assert found is not None
    assert type(found.activation) is type(activation)
    assert await store.device(dev_eui(1)) is None


async def test_a_personalized_device_has_its_session_at_once(store: Store) -> None:
    await register(store, devices=0)
    await store.add_device(device(activation=ABP), session(generation=0))
    assert await store.sessions_at(DEV_ADDR) == [session(generation=0)]


async def test_a_device_is_added_once(store: Store) -> None:
    await register(store)
    with pytest.raises(Conflict, match=f"device {DEV_EUI} exists already"):
        await store.add_device(device(id="another"), session())
    with pytest.raises(Conflict, match=device().id):
        await store.add_device(device(1, id=device().id), session(1))
    assert await store.devices() == [device()]
    assert await store.sessions_at(DEV_ADDR) == []


@pytest.mark.parametrize("reference", ["destination", "device_profile_id", "service_profile_id"])
async def test_a_device_names_what_is_there(store: Store, reference: str) -> None:
    await register(store, devices=0)
    with pytest.raises(NotFound, match="nowhere"):
        await store.add_device(device(**{reference: "nowhere"}), session())
    assert await store.devices() == []
    assert await store.sessions_at(DEV_ADDR) == []


async def test_a_device_of_another_account_does_not_see_the_destination(store: Store) -> None:
    await register(store, devices=0)
    with pytest.raises(NotFound):
        await store.add_device(device(account="111122223333"))


async def test_devices_come_in_pages_by_dev_eui(store: Store) -> None:
    await register(store, devices=0)
    for number in (2, 0, 3, 1):
        await store.add_device(device(number))
    assert await store.devices(limit=2) == [device(0), device(1)]
    assert await store.devices(after=dev_eui(1), limit=2) == [device(2), device(3)]
    assert await store.devices(after=dev_eui(3)) == []


async def test_a_device_is_replaced_and_goes_on(store: Store) -> None:
    before = await activated(store)
    await store.enqueue(downlink())
    await store.add_device(device(1))
    since = await store.last_change()
    other = msgspec.structs.replace(DEVICE_PROFILE, id="other")
    await store.add_device_profile(other)
    changed = device(name="valve", description="in the cellar", device_profile_id="other", id="new")
    await store.replace_device(changed)
    assert await store.device(DEV_EUI) == changed
    assert await store.devices() == [changed, device(1)]
    assert await store.sessions_of(DEV_EUI) == [before]
    assert await store.join_state(DEV_EUI) == join_state()
    assert await store.queued(DEV_EUI) == [downlink()]
    assert await news(store, since) == [("profile", "other"), ("device", str(DEV_EUI))]


async def test_a_device_gets_other_keys(store: Store) -> None:
    await register(store)
    activation = AbpActivation(dev_addr=DEV_ADDR, keys=session_keys())
    await store.replace_device(device(activation=activation))
    assert await store.device(DEV_EUI) == device(activation=activation)
    assert await store.sessions_of(DEV_EUI) == []


@pytest.mark.parametrize(
    "different",
    [
        {"destination": "nowhere"},
        {"device_profile_id": "nowhere"},
        {"service_profile_id": "nowhere"},
        {"account": "111122223333"},
    ],
)
async def test_a_replaced_device_names_what_is_there(
    store: Store, different: dict[str, str]
) -> None:
    await register(store)
    since = await store.last_change()
    with pytest.raises(NotFound):
        await store.replace_device(device(**different))
    assert await store.device(DEV_EUI) == device()
    assert await store.changes(since) == []


async def test_a_replaced_device_has_an_id_of_its_own(store: Store) -> None:
    await register(store, devices=2)
    with pytest.raises(Conflict, match=device(1).id):
        await store.replace_device(device(id=device(1).id))
    assert await store.devices() == [device(0), device(1)]


async def test_a_device_goes_with_all_that_is_its_own(store: Store) -> None:
    await activated(store)
    await store.add_device(device(1))
    await store.enqueue(downlink(0))
    await store.enqueue(downlink(1, dev_eui=dev_eui(1)))
    await store.remove_device(DEV_EUI)
    assert await store.devices() == [device(1)]
    assert await store.sessions_at(DEV_ADDR) == []
    assert await store.join_state(DEV_EUI) is None
    assert await store.queued(DEV_EUI) == []
    assert len(await store.queued(dev_eui(1))) == 1


async def test_a_device_added_again_starts_anew(store: Store) -> None:
    await activated(store)
    await store.remove_device(DEV_EUI)
    await store.add_device(device())
    assert await store.join_state(DEV_EUI) is None
    await store.activate(None, join_state(), session())


async def test_the_session_of_a_device_added_again_is_another_one(store: Store) -> None:
    """Somebody may still hold the one that ended: of the same generation, and as far advanced."""
    await register(store, devices=0)
    held = session(generation=0, revision=1 << 60)
    await store.add_device(device(activation=ABP), held)
    await store.remove_device(DEV_EUI)
    again = session(generation=0, revision=(1 << 62) - 1)
    await store.add_device(device(activation=ABP), again)
    with pytest.raises(StaleSession):
        await store.advance(held, next_session(held), Deliver(delivery()))
    assert await store.sessions_of(DEV_EUI) == [again]
    await store.advance(again, next_session(again))
    assert [one.revision for one in await store.sessions_of(DEV_EUI)] == [1 << 62]


async def test_what_is_not_there_cannot_be_removed(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.remove_device(DEV_EUI)
    with pytest.raises(NotFound):
        await store.remove_gateway(GATEWAY_EUI)
    with pytest.raises(NotFound):
        await store.remove_destination("000000000000", "nowhere")
    with pytest.raises(NotFound):
        await store.set_certificate_active("00" * 32, False)
    assert await store.last_change() == 0


async def test_what_is_not_there_cannot_be_replaced(store: Store) -> None:
    with pytest.raises(NotFound, match=f"device {DEV_EUI}"):
        await store.replace_device(device())
    with pytest.raises(NotFound, match=f"gateway {GATEWAY_EUI}"):
        await store.replace_gateway(GATEWAY)
    with pytest.raises(NotFound, match=f"certificate {CERTIFICATE.fingerprint}"):
        await store.replace_certificate(CERTIFICATE)
    with pytest.raises(NotFound, match=f"destination {DESTINATION.name}"):
        await store.replace_destination(DESTINATION)
    assert await store.last_change() == 0


async def test_profiles_come_back_as_they_were_added(store: Store) -> None:
    other = msgspec.structs.replace(DEVICE_PROFILE, id="zz", rx2_frequency_hz=869_525_000)
    await store.add_device_profile(other)
    await store.add_device_profile(DEVICE_PROFILE)
    await store.add_service_profile(SERVICE_PROFILE)
    assert await store.device_profile("zz") == other
    assert await store.device_profiles(DESTINATION.account) == [DEVICE_PROFILE, other]
    assert await store.service_profile(SERVICE_PROFILE.id) == SERVICE_PROFILE
    assert await store.service_profiles(DESTINATION.account) == [SERVICE_PROFILE]
    assert await store.device_profile("nothing") is None
    assert await store.service_profile("nothing") is None


async def test_a_profile_is_added_once(store: Store) -> None:
    await store.add_device_profile(DEVICE_PROFILE)
    await store.add_service_profile(SERVICE_PROFILE)
    with pytest.raises(Conflict, match="device profile"):
        await store.add_device_profile(DEVICE_PROFILE)
    with pytest.raises(Conflict, match="service profile"):
        await store.add_service_profile(SERVICE_PROFILE)


async def test_a_gateway_comes_back_as_it_was_added(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    found = await store.gateway(GATEWAY_EUI)
    assert found == GATEWAY
    assert found is not None
    assert type(found.join_eui_filters[0]) is tuple
    assert await store.gateway(GatewayEUI(EUI64(bytes(8)))) is None


async def test_a_gateway_is_added_once(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    with pytest.raises(Conflict):
        await store.add_gateway(msgspec.structs.replace(GATEWAY, id="another"))
    other = GatewayEUI(EUI64(bytes(8)))
    with pytest.raises(Conflict):
        await store.add_gateway(msgspec.structs.replace(GATEWAY, gateway_eui=other))


async def test_gateways_come_in_pages_by_eui(store: Store) -> None:
    gateways = [
        msgspec.structs.replace(GATEWAY, id=str(number), gateway_eui=dev_eui(number))
        for number in range(3)
    ]
    for gateway in reversed(gateways):
        await store.add_gateway(gateway)
    assert await store.gateways(limit=2) == gateways[:2]
    assert await store.gateways(after=GatewayEUI(dev_eui(1))) == gateways[2:]


async def test_a_gateway_is_replaced_and_keeps_its_certificates(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    await store.add_certificate(CERTIFICATE)
    since = await store.last_change()
    changed = msgspec.structs.replace(
        GATEWAY, id="new", beaconing=False, lns_uri="wss://lns.example:8887", remote_shell=True
    )
    await store.replace_gateway(changed)
    assert await store.gateway(GATEWAY_EUI) == changed
    assert await store.certificates_of(GATEWAY_EUI) == [CERTIFICATE]
    assert await news(store, since) == [("gateway", str(GATEWAY_EUI))]


async def test_a_replaced_gateway_has_an_id_of_its_own(store: Store) -> None:
    other = msgspec.structs.replace(GATEWAY, id="other", gateway_eui=GatewayEUI(dev_eui(0)))
    await store.add_gateway(GATEWAY)
    await store.add_gateway(other)
    with pytest.raises(Conflict, match="gateway other"):
        await store.replace_gateway(msgspec.structs.replace(GATEWAY, id="other"))
    assert await store.gateway(GATEWAY_EUI) == GATEWAY


async def test_a_gateway_goes_with_its_certificates(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    await store.add_certificate(CERTIFICATE)
    await store.remove_gateway(GATEWAY_EUI)
    assert await store.gateways() == []
    assert await store.certificate(CERTIFICATE.fingerprint) is None


async def test_a_certificate_comes_back_as_it_was_added(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    newer = msgspec.structs.replace(CERTIFICATE, fingerprint="00" * 32)
    await store.add_certificate(CERTIFICATE)
    await store.add_certificate(newer)
    assert await store.certificate(CERTIFICATE.fingerprint) == CERTIFICATE
    assert await store.certificates_of(GATEWAY_EUI) == [CERTIFICATE, newer]
    with pytest.raises(Conflict):
        await store.add_certificate(CERTIFICATE)


async def test_a_certificate_belongs_to_a_gateway(store: Store) -> None:
    with pytest.raises(NotFound, match="gateway"):
        await store.add_certificate(CERTIFICATE)


async def test_a_certificate_is_deactivated_and_activated(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    await store.add_certificate(CERTIFICATE)
    for active in (False, True):
        await store.set_certificate_active(CERTIFICATE.fingerprint, active)
        found = await store.certificate(CERTIFICATE.fingerprint)
        assert found == msgspec.structs.replace(CERTIFICATE, active=active)


async def test_a_certificate_is_replaced(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    await store.add_certificate(CERTIFICATE)
    since = await store.last_change()
    revoked = msgspec.structs.replace(
        CERTIFICATE, active=False, revoked_at=NOW, revoked_because="it was stolen"
    )
    await store.replace_certificate(revoked)
    assert await store.certificate(CERTIFICATE.fingerprint) == revoked
    assert await store.certificates_of(GATEWAY_EUI) == [revoked]
    assert await news(store, since) == [("certificate", CERTIFICATE.fingerprint)]


async def test_a_replaced_certificate_belongs_to_a_gateway(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    await store.add_certificate(CERTIFICATE)
    nobody = GatewayEUI(dev_eui(0))
    with pytest.raises(NotFound, match=f"gateway {nobody}"):
        await store.replace_certificate(msgspec.structs.replace(CERTIFICATE, gateway_eui=nobody))
    assert await store.certificate(CERTIFICATE.fingerprint) == CERTIFICATE


async def test_foreign_certificates_are_found_without_the_others(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    first = msgspec.structs.replace(FOREIGN_CERTIFICATE, fingerprint="00" * 32)
    for certificate in (FOREIGN_CERTIFICATE, CERTIFICATE, first):
        await store.add_certificate(certificate)
    assert await store.foreign_certificates() == [first, FOREIGN_CERTIFICATE]
    await store.replace_certificate(msgspec.structs.replace(first, pem=""))
    await store.set_certificate_active(FOREIGN_CERTIFICATE.fingerprint, False)
    inactive = msgspec.structs.replace(FOREIGN_CERTIFICATE, active=False)
    assert await store.foreign_certificates() == [inactive]


async def test_a_destination_comes_back_as_it_was_added(store: Store) -> None:
    other = msgspec.structs.replace(DESTINATION, account="111122223333", name="else")
    await store.add_destination(DESTINATION)
    await store.add_destination(other)
    assert await store.destination(DESTINATION.account, DESTINATION.name) == DESTINATION
    assert await store.destination(DESTINATION.account, "else") is None
    assert await store.destinations(DESTINATION.account) == [DESTINATION]
    with pytest.raises(Conflict):
        await store.add_destination(DESTINATION)


async def test_profiles_and_destinations_are_listed_page_by_page(store: Store) -> None:
    account = DESTINATION.account
    for name in "abc":
        await store.add_device_profile(msgspec.structs.replace(DEVICE_PROFILE, id=name))
        await store.add_service_profile(msgspec.structs.replace(SERVICE_PROFILE, id=name))
        await store.add_destination(msgspec.structs.replace(DESTINATION, name=name))
    for page, of in (
        (store.device_profiles, lambda one: one.id),
        (store.service_profiles, lambda one: one.id),
        (store.destinations, lambda one: one.name),
    ):
        assert [of(one) for one in await page(account, limit=2)] == ["a", "b"]
        assert [of(one) for one in await page(account, after="b", limit=2)] == ["c"]
        assert await page("another") == []


async def test_a_destination_is_replaced_while_a_device_names_it(store: Store) -> None:
    await register(store)
    since = await store.last_change()
    changed = msgspec.structs.replace(DESTINATION, expression="elsewhere", description="moved")
    await store.replace_destination(changed)
    assert await store.destinations(DESTINATION.account) == [changed]
    assert await news(store, since) == [("destination", "000000000000/plant")]


async def test_a_destination_stays_while_a_device_names_it(store: Store) -> None:
    await register(store)
    with pytest.raises(Conflict, match="is used by a device"):
        await store.remove_destination(DESTINATION.account, DESTINATION.name)
    await store.remove_device(DEV_EUI)
    await store.remove_destination(DESTINATION.account, DESTINATION.name)
    assert await store.destinations(DESTINATION.account) == []


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
    assert await store.device_count(account) == 3
    assert await store.device_count("111122223333") == 0


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
    assert await store.device_profiles(DESTINATION.account) == []
    assert await store.service_profiles(DESTINATION.account) == []
    with pytest.raises(NotFound):
        await store.remove_device_profile(DEVICE_PROFILE.id)


async def test_a_certificate_is_removed_from_its_gateway(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    await store.add_certificate(CERTIFICATE)
    await store.remove_certificate(CERTIFICATE.fingerprint)
    assert await store.certificates_of(GATEWAY_EUI) == []
    with pytest.raises(NotFound):
        await store.remove_certificate(CERTIFICATE.fingerprint)
