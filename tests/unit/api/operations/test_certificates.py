from __future__ import annotations

import asyncio
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bittern.pki.authority import open_authority
from bittern.pki.requests import certificate_of_request
from bittern.types import EUI64, GatewayEUI, Instant

NOW = Instant(1_767_322_830.0)
EUI = GatewayEUI(EUI64.from_hex("00800000a0000001"))


@pytest.fixture
def iot(api: Any) -> Any:
    return api.client("iot")


def request_pem() -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def foreign_pem(tmp_path: Any) -> str:
    made = certificate_of_request(open_authority(tmp_path, NOW), request_pem(), NOW)
    return made.public_bytes(serialization.Encoding.PEM).decode()


def status(iot: Any, identity: str) -> str:
    found: str = iot.describe_certificate(certificateId=identity)["certificateDescription"][
        "status"
    ]
    return found


def test_keys_and_a_certificate_are_made(api: Any, iot: Any) -> None:
    made = iot.create_keys_and_certificate(setAsActive=True)
    identity = made["certificateId"]
    assert made["certificateArn"] == f"arn:aws:iot:eu-west-1:123456789012:cert/{identity}"
    certificate = x509.load_pem_x509_certificate(made["certificatePem"].encode())
    key = serialization.load_pem_private_key(made["keyPair"]["PrivateKey"].encode(), None)
    assert certificate.public_key() == key.public_key()
    assert certificate.fingerprint(hashes.SHA256()).hex() == identity
    assert api.services.authority().has_signed(certificate)
    found = iot.describe_certificate(certificateId=identity)["certificateDescription"]
    assert found["certificatePem"] == made["certificatePem"]
    assert (found["status"], found["ownedBy"]) == ("ACTIVE", "123456789012")
    assert found["caCertificateId"] == api.services.authority().fingerprint
    assert "PRIVATE" not in str(asyncio.run(api.store.notes("123456789012", "certificate")))


def test_a_certificate_keeps_the_authority_that_has_signed_it(
    api: Any, iot: Any, tmp_path: Any
) -> None:
    old, next_ = api.authority, open_authority(tmp_path, NOW)
    first = iot.create_keys_and_certificate()["certificateId"]
    api.authority = next_
    made = [first, iot.create_keys_and_certificate()["certificateId"]]
    found = [iot.describe_certificate(certificateId=one)["certificateDescription"] for one in made]
    assert [one["caCertificateId"] for one in found] == [old.fingerprint, next_.fingerprint]


def test_a_request_gets_its_certificate(iot: Any, refused: Any) -> None:
    made = iot.create_certificate_from_csr(certificateSigningRequest=request_pem())
    assert status(iot, made["certificateId"]) == "INACTIVE"
    with refused("InvalidRequestException"):
        iot.create_certificate_from_csr(certificateSigningRequest="nothing")


def test_an_outside_certificate_is_registered_once(iot: Any, refused: Any, tmp_path: Any) -> None:
    pem = foreign_pem(tmp_path)
    made = iot.register_certificate_without_ca(certificatePem=pem, status="ACTIVE")
    assert status(iot, made["certificateId"]) == "ACTIVE"
    with refused("ResourceAlreadyExistsException"):
        iot.register_certificate_without_ca(certificatePem=pem)
    with refused("CertificateValidationException"):
        iot.register_certificate_without_ca(certificatePem="nothing")
    with refused("CertificateStateException"):
        iot.register_certificate_without_ca(certificatePem=pem, status="REVOKED")


def test_certificates_are_listed_page_by_page(api: Any, iot: Any) -> None:
    made = sorted(
        iot.create_certificate_from_csr(certificateSigningRequest=request_pem())["certificateId"]
        for _ in range(3)
    )
    first = iot.list_certificates(pageSize=2)
    last = iot.list_certificates(pageSize=2, marker=first["nextMarker"])
    listed = first["certificates"] + last["certificates"]
    assert [one["certificateId"] for one in listed] == made
    assert "nextMarker" not in last
    other = api.client("iot", access_key_id="AKIDOTHER")
    assert other.list_certificates()["certificates"] == []


def test_a_certificate_that_is_revoked_stays_so(iot: Any, refused: Any) -> None:
    made = iot.create_certificate_from_csr(certificateSigningRequest=request_pem())
    identity = made["certificateId"]
    for wanted in ("ACTIVE", "INACTIVE", "REVOKED"):
        iot.update_certificate(certificateId=identity, newStatus=wanted)
        assert status(iot, identity) == wanted
    with refused("CertificateStateException"):
        iot.update_certificate(certificateId=identity, newStatus="ACTIVE")
    with refused("InvalidRequestException"):
        iot.update_certificate(certificateId=identity, newStatus="PENDING_TRANSFER")
    with refused("ResourceNotFoundException"):
        iot.update_certificate(certificateId="0" * 64, newStatus="ACTIVE")


def test_only_an_inactive_certificate_of_no_gateway_is_deleted(
    api: Any, iot: Any, refused: Any
) -> None:
    made = iot.create_certificate_from_csr(
        certificateSigningRequest=request_pem(), setAsActive=True
    )
    identity, gateway = made["certificateId"], api.gateway()
    api.wireless.associate_wireless_gateway_with_certificate(Id=gateway, IotCertificateId=identity)
    with refused("CertificateStateException"):
        iot.delete_certificate(certificateId=identity)
    iot.update_certificate(certificateId=identity, newStatus="INACTIVE")
    with refused("DeleteConflictException"):
        iot.delete_certificate(certificateId=identity)
    api.wireless.disassociate_wireless_gateway_from_certificate(Id=gateway)
    iot.delete_certificate(certificateId=identity)
    with refused("ResourceNotFoundException"):
        iot.describe_certificate(certificateId=identity)


def test_the_state_is_that_of_the_gateways_certificate(api: Any, iot: Any) -> None:
    made = iot.create_certificate_from_csr(
        certificateSigningRequest=request_pem(), setAsActive=True
    )
    identity = made["certificateId"]
    api.wireless.associate_wireless_gateway_with_certificate(
        Id=api.gateway(), IotCertificateId=identity
    )
    (kept,) = asyncio.run(api.store.certificates_of(EUI))
    assert kept.active
    iot.update_certificate(certificateId=identity, newStatus="REVOKED")
    (kept,) = asyncio.run(api.store.certificates_of(EUI))
    assert not kept.active
    assert kept.revoked_at is not None


def test_an_id_is_spelled_as_policies_spell_it(iot: Any, refused: Any) -> None:
    """Another spelling would pass a policy that denies this one certificate."""
    made = iot.create_keys_and_certificate()
    with refused("ResourceNotFoundException"):
        iot.describe_certificate(certificateId=made["certificateId"].upper())
