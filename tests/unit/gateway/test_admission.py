"""Who may connect, and by which name everybody else is refused."""

from __future__ import annotations

import msgspec

from bittern.gateway.admission import CertificateRecord, Refused, admission
from bittern.types import EUI64, GatewayEUI, Instant, Refusal

GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
OTHER = GatewayEUI(EUI64.from_hex("0016c001ff000002"))
NOW = Instant(1_763_690_000.0)
ACCOUNT = "111111111111"
FINGERPRINT = "ab" * 32
CERTIFICATE = CertificateRecord(
    gateway_eui=GATEWAY, account=ACCOUNT, active=True, not_after=Instant(NOW + 1)
)


def admit(certificate: CertificateRecord | None = CERTIFICATE, **changes: object) -> Refused | None:
    usual: dict[str, object] = dict(
        place="lns", fingerprint=FINGERPRINT, certificate=certificate, account=ACCOUNT, now=NOW
    )
    return admission(GATEWAY, **(usual | changes))  # type: ignore[arg-type]


def but(**changes: object) -> CertificateRecord:
    return msgspec.structs.replace(CERTIFICATE, **changes)


def test_the_gateway_with_its_own_certificate_is_admitted() -> None:
    assert admit() is None


def test_without_a_certificate_nobody_is_admitted() -> None:
    assert admit(None, fingerprint=None) == Refused(
        Refusal.CERTIFICATE_MISSING, "gateway 0016c001ff000001 shows no certificate"
    )


def test_a_certificate_that_is_not_registered_is_refused() -> None:
    assert admit(None) == Refused(
        Refusal.CERTIFICATE_UNKNOWN, f"certificate {FINGERPRINT} is not registered here"
    )


def test_a_certificate_of_another_gateway_is_refused() -> None:
    assert admit(but(gateway_eui=OTHER)) == Refused(
        Refusal.CERTIFICATE_OF_ANOTHER_GATEWAY,
        "certificate is of gateway 0016c001ff000002, not 0016c001ff000001",
    )


def test_a_certificate_of_another_account_is_refused_and_no_account_is_named() -> None:
    assert admit(but(account="222222222222")) == Refused(
        Refusal.CERTIFICATE_OF_ANOTHER_ACCOUNT,
        "certificate of gateway 0016c001ff000001 is of another account than the gateway",
    )


def test_a_revoked_certificate_is_refused_with_the_reason() -> None:
    certificate = but(revoked_at=NOW, revoked_because="stolen", active=False)
    assert admit(certificate) == Refused(
        Refusal.CERTIFICATE_REVOKED, f"certificate {FINGERPRINT} was revoked on 2025-11-21: stolen"
    )


def test_a_deactivated_certificate_is_refused() -> None:
    assert admit(but(active=False)) == Refused(
        Refusal.CERTIFICATE_INACTIVE, f"certificate {FINGERPRINT} has been deactivated"
    )


def test_an_expired_certificate_is_refused() -> None:
    assert admit(but(not_after=NOW)) == Refused(
        Refusal.CERTIFICATE_EXPIRED, f"certificate {FINGERPRINT} expired on 2025-11-21"
    )


def test_a_certificate_lets_in_only_where_it_is_for() -> None:
    assert admit(but(purpose="lns")) is None
    assert admit(but(purpose="lns"), place="cups") == Refused(
        Refusal.CERTIFICATE_FOR_ANOTHER_PURPOSE,
        f"certificate {FINGERPRINT} is for the LNS, not CUPS",
    )
    assert admit(but(purpose="cups"), place="cups") is None
    refused = admit(but(purpose="cups"))
    assert refused is not None
    assert refused.refusal is Refusal.CERTIFICATE_FOR_ANOTHER_PURPOSE


def test_a_gateway_that_is_no_longer_registered_is_refused() -> None:
    assert admit(account=None) == Refused(
        Refusal.UNKNOWN_GATEWAY, "gateway 0016c001ff000001 is not registered"
    )
