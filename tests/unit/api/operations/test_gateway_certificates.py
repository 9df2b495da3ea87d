from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from bittern.pki.authority import open_authority
from bittern.testing.examples import CERTIFICATE
from bittern.types import EUI64, GatewayEUI, Instant

EUI = GatewayEUI(EUI64.from_hex("00800000a0000001"))


@pytest.fixture
def certificate(api: Any) -> str:
    made = api.client("iot").create_keys_and_certificate(setAsActive=True)
    identity: str = made["certificateId"]
    return identity


def test_a_certificate_becomes_a_gateways(api: Any, certificate: str) -> None:
    gateway = api.gateway()
    for _ in range(2):
        made = api.wireless.associate_wireless_gateway_with_certificate(
            Id=gateway, IotCertificateId=certificate
        )
        assert made["IotCertificateId"] == certificate
    found = api.wireless.get_wireless_gateway_certificate(Id=gateway)
    assert found["IotCertificateId"] == certificate
    (kept,) = asyncio.run(api.store.certificates_of(EUI))
    assert (kept.fingerprint, kept.active, kept.pem) == (certificate, True, "")
    assert kept.authority == api.services.authority().fingerprint


def test_the_registry_knows_the_authority_that_has_signed(
    api: Any, certificate: str, tmp_path: Any
) -> None:
    old = api.authority
    api.authority = open_authority(tmp_path, Instant(api.now))
    api.wireless.associate_wireless_gateway_with_certificate(
        Id=api.gateway(), IotCertificateId=certificate
    )
    (kept,) = asyncio.run(api.store.certificates_of(EUI))
    assert kept.authority == old.fingerprint


def test_a_certificate_has_one_gateway(api: Any, refused: Any, certificate: str) -> None:
    associate = api.wireless.associate_wireless_gateway_with_certificate
    associate(Id=api.gateway(), IotCertificateId=certificate)
    other = api.gateway("00800000a0000002")
    with refused("ConflictException"):
        associate(Id=other, IotCertificateId=certificate)
    with refused("ResourceNotFoundException"):
        associate(Id=other, IotCertificateId="0" * 64)
    with refused("ResourceNotFoundException"):
        associate(Id="nobody", IotCertificateId=certificate)


def test_a_revoked_certificate_becomes_nobodys(api: Any, refused: Any, certificate: str) -> None:
    api.client("iot").update_certificate(certificateId=certificate, newStatus="REVOKED")
    with refused("ValidationException"):
        api.wireless.associate_wireless_gateway_with_certificate(
            Id=api.gateway(), IotCertificateId=certificate
        )


def test_a_certificate_is_no_longer_the_gateways(api: Any, refused: Any, certificate: str) -> None:
    gateway = api.gateway()
    with refused("ResourceNotFoundException"):
        api.wireless.get_wireless_gateway_certificate(Id=gateway)
    with refused("ResourceNotFoundException"):
        api.wireless.disassociate_wireless_gateway_from_certificate(Id=gateway)
    api.wireless.associate_wireless_gateway_with_certificate(
        Id=gateway, IotCertificateId=certificate
    )
    asyncio.run(api.store.add_certificate(CERTIFICATE))
    api.wireless.disassociate_wireless_gateway_from_certificate(Id=gateway)
    (left,) = asyncio.run(api.store.certificates_of(EUI))
    assert left == CERTIFICATE


def test_what_cups_has_given_for_the_lns_is_told_beside_it(api: Any, certificate: str) -> None:
    gateway = api.gateway()
    api.wireless.associate_wireless_gateway_with_certificate(
        Id=gateway, IotCertificateId=certificate
    )
    found = api.wireless.get_wireless_gateway_certificate(Id=gateway)
    assert "LoRaWANNetworkServerCertificateId" not in found
    for number in (1, 2):
        given = msgspec.structs.replace(
            CERTIFICATE,
            gateway_eui=EUI,
            fingerprint=f"{number}" * 64,
            purpose="lns",
            created_at=Instant(api.now + number),
        )
        asyncio.run(api.store.add_certificate(given))
    found = api.wireless.get_wireless_gateway_certificate(Id=gateway)
    assert found["IotCertificateId"] == certificate
    assert found["LoRaWANNetworkServerCertificateId"] == "2" * 64
