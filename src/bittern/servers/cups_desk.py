"""What happens at CUPS between an admitted request and its answer.

Look up what is known of the gateway, decide what it is to have (`gateway/cups_decision`), make it,
register it, remember that it was given, and only then hand it over: what a gateway holds is always
registered here. Private keys are in the answer and nowhere else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from bittern.config import Certificates
from bittern.gateway.cups import CupsAnswer, CupsRequest
from bittern.gateway.cups_credentials import crc, segment
from bittern.gateway.cups_decision import (
    Decision,
    Give,
    KnownCertificate,
    Renewal,
    Wanted,
    decide,
)
from bittern.gateway.cups_gifts import EarlierGift, Past
from bittern.pki.issuing import issue_gateway_certificate
from bittern.pki.rotation import Authorities
from bittern.servers.cups import Asker, Image, Reply
from bittern.store.gateway_records import CupsContact, GatewayState, Gift, StatePart
from bittern.store.records import CertificatePurpose, Gateway, GatewayCertificate
from bittern.types import GatewayEUI, Instant

logger = logging.getLogger("bittern.servers.cups")

DAY_S = 86_400.0


class CupsStore(Protocol):
    """What is used of the store."""

    async def gateway_state(self, gateway_eui: GatewayEUI) -> GatewayState: ...
    async def put_gateway_state(self, gateway_eui: GatewayEUI, part: StatePart) -> None: ...
    async def certificates_of(self, gateway_eui: GatewayEUI) -> list[GatewayCertificate]: ...
    async def add_certificate(self, certificate: GatewayCertificate) -> None: ...
    async def replace_certificate(self, certificate: GatewayCertificate) -> None: ...


class Addresses(Protocol):
    """Whether a server answers there; see `Reachability`."""

    async def flaw(self, uri: str, trusted_pem: bytes) -> str | None: ...


class Update(msgspec.Struct, frozen=True):
    """A firmware update that goes with the answer."""

    signature: bytes
    image: Image
    gift: Gift


class FirmwareDesk(Protocol):
    """Decides on updates."""

    async def update_for(
        self, gateway: Gateway, request: CupsRequest, earlier: Sequence[Gift]
    ) -> Update | str | None:
        """The update that it is given; text: why it is not given one that it should have."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where gateways are to go, unless their record says otherwise; empty: where they are."""

    cups_uri: str = ""
    lns_uri: str = ""
    lns_port: int
    """For gateways that know this server by a name of their own."""

    def lns_uri_for(self, request: CupsRequest) -> str:
        """A gateway that has no LNS finds it where it found CUPS."""
        if self.lns_uri or request.lns_uri:
            return self.lns_uri
        name = urlsplit(request.cups_uri).hostname
        return f"wss://{name}:{self.lns_port}" if name else ""


@dataclass
class _Made:
    """What was made for one answer."""

    parts: dict[str, str | bytes] = field(default_factory=dict, repr=False)
    gifts: list[Gift] = field(default_factory=list)


class CupsDesk:
    """One for a server."""

    def __init__(
        self,
        store: CupsStore,
        *,
        authorities: Callable[[], Authorities],
        certificates: Certificates,
        places: Places,
        addresses: Addresses,
        firmware: FirmwareDesk | None,
        now: Callable[[], Instant],
    ) -> None:
        self._store = store
        self._authorities = authorities
        self._certificates = certificates
        self._places = places
        self._addresses = addresses
        self._firmware = firmware
        self._now = now
        self._renewal = Renewal(
            lifetime_s=certificates.days * DAY_S,
            renew_before_s=certificates.renew_before_days * DAY_S,
        )

    async def reply(self, gateway: Gateway, request: CupsRequest, asker: Asker) -> Reply:
        """What the gateway is given. Raises `StoreError`: then it is given nothing."""
        state = await self._store.gateway_state(gateway.gateway_eui)
        registered = await self._store.certificates_of(gateway.gateway_eui)
        decision = await self._decide(gateway, request, asker, state, registered)
        made = await self._make(gateway, decision)
        earlier = state.cups.gifts if state.cups is not None else ()
        shown = {asker.fingerprint, _shown_at_lns(state)}
        await self._revoke_in_vain(earlier, made.gifts, registered, shown)
        update = await self._update(gateway, request, earlier)
        gifts = [_gift(gift) for gift in decision.outstanding] + made.gifts
        withheld = [str(one) for one in decision.withheld]
        if isinstance(update, Update):
            gifts.append(update.gift)
        elif update is not None:
            withheld.append(f"firmware: {update}")
        await self._remember(request, gateway, asker, gifts, withheld)
        self._tell(gateway, decision, update)
        answer = CupsAnswer(**made.parts)  # type: ignore[arg-type]
        if not isinstance(update, Update):
            return Reply(answer)
        return Reply(replace(answer, signature=update.signature), update.image)

    async def _decide(
        self,
        gateway: Gateway,
        request: CupsRequest,
        asker: Asker,
        state: GatewayState,
        registered: Sequence[GatewayCertificate],
    ) -> Decision:
        authorities = self._authorities()
        contact = state.cups
        return decide(
            request,
            shown=asker.fingerprint,
            shown_at_lns=_shown_at_lns(state),
            certificates=tuple(_known(one, authorities) for one in registered),
            wanted=await self._wanted(gateway, request, registered, authorities),
            renewal=self._renewal,
            past=None if contact is None else _past(contact),
            now=self._now(),
        )

    async def _wanted(
        self,
        gateway: Gateway,
        request: CupsRequest,
        registered: Sequence[GatewayCertificate],
        authorities: Authorities,
    ) -> Wanted:
        issuing = authorities.issuing
        cups_uri = gateway.cups_uri or self._places.cups_uri
        lns_uri = gateway.lns_uri or self._places.lns_uri_for(request)
        return Wanted(
            cups_uri=cups_uri,
            cups_uri_problem=await self._problem(cups_uri, request.cups_uri, issuing.pem),
            lns_uri=lns_uri,
            lns_uri_problem=await self._problem(lns_uri, request.lns_uri, issuing.pem),
            authority=issuing.fingerprint,
            authority_since=None if issuing.fingerprint == authorities.first else issuing.made_at,
            authority_not_after=issuing.not_after,
            renew_made_before=_renewal_wanted(registered),
            changed_at=gateway.changed_at,
        )

    async def _problem(self, uri: str, known: str, trusted_pem: bytes) -> str:
        """Why a gateway is not to be sent there."""
        if not uri or uri.lower() == known.lower():
            return ""
        return await self._addresses.flaw(uri, trusted_pem) or ""

    async def _make(self, gateway: Gateway, decision: Decision) -> _Made:
        made = _Made()
        for give in decision.gives:
            match give.kind:
                case "cups_uri" | "lns_uri":
                    made.parts[give.kind] = give.uri
                    made.gifts.append(self._given(give, give.uri))
                case "cups_credentials":
                    await self._make_credentials(gateway, give, "cups", made)
                case "lns_credentials":
                    await self._make_credentials(gateway, give, "lns", made)
        return made

    async def _make_credentials(
        self, gateway: Gateway, give: Give, purpose: CertificatePurpose, made: _Made
    ) -> None:
        authority, now = self._authorities().issuing, self._now()
        issued = issue_gateway_certificate(
            authority,
            gateway.gateway_eui,
            now,
            self._certificates.key_type,
            timedelta(days=self._certificates.days),
        )
        trust, certificate = authority.der, issued.certificate_der
        credentials = segment(trust, certificate, issued.private_key_der())
        number = crc(trust, certificate, issued.private_key_der())
        await self._store.add_certificate(
            GatewayCertificate(
                fingerprint=issued.certificate_id,
                account=gateway.account,
                gateway_eui=gateway.gateway_eui,
                purpose=purpose,
                authority=authority.fingerprint,
                credentials_crc=number,
                not_after=issued.not_after,
                created_at=now,
            )
        )
        made.parts[give.kind] = credentials
        made.gifts.append(self._given(give, str(number), issued.certificate_id))

    def _given(self, give: Give, value: str, certificate: str = "") -> Gift:
        return Gift(
            kind=give.kind,
            value=value,
            certificate=certificate,
            times=give.times,
            at=self._now(),
        )

    async def _revoke_in_vain(
        self,
        earlier: Sequence[Gift],
        given: Sequence[Gift],
        registered: Sequence[GatewayCertificate],
        shown: set[str],
    ) -> None:
        """A certificate that was not taken, and in whose place another is given, serves nobody but
        a listener."""
        again = {gift.kind for gift in given}
        vain = {gift.certificate for gift in earlier if gift.kind in again} - shown
        for certificate in registered:
            if certificate.fingerprint in vain and certificate.revoked_at is None:
                await self._store.replace_certificate(
                    msgspec.structs.replace(
                        certificate,
                        active=False,
                        revoked_at=self._now(),
                        revoked_because="the gateway did not take it",
                    )
                )

    async def _update(
        self, gateway: Gateway, request: CupsRequest, earlier: Sequence[Gift]
    ) -> Update | str | None:
        if self._firmware is None:
            return None
        return await self._firmware.update_for(gateway, request, earlier)

    async def _remember(
        self,
        request: CupsRequest,
        gateway: Gateway,
        asker: Asker,
        gifts: Sequence[Gift],
        withheld: Sequence[str],
    ) -> None:
        contact = CupsContact(
            at=self._now(),
            peer=asker.peer,
            station=request.station,
            model=request.model,
            package=request.package,
            certificate=asker.fingerprint,
            cups_uri=request.cups_uri,
            lns_uri=request.lns_uri,
            cups_crc=request.cups_crc,
            lns_crc=request.lns_crc,
            key_crcs=request.key_crcs,
            gifts=tuple(gifts),
            withheld=tuple(withheld),
        )
        await self._store.put_gateway_state(gateway.gateway_eui, contact)

    def _tell(self, gateway: Gateway, decision: Decision, update: Update | str | None) -> None:
        eui = gateway.gateway_eui
        for give in decision.gives:
            logger.info("gateway=%s given=%s reason=%r", eui, give.kind, give.reason)
        for gift in decision.taken:
            logger.info("gateway=%s taken=%s", eui, gift.kind)
        for one in decision.withheld:
            logger.warning("gateway=%s withheld=%s reason=%r", eui, one.kind, one.reason)
        if isinstance(update, Update):
            logger.info("gateway=%s given=update definition=%s", eui, update.gift.value)
        elif update is not None:
            logger.warning("gateway=%s withheld=update reason=%r", eui, update)


def _known(certificate: GatewayCertificate, authorities: Authorities) -> KnownCertificate:
    ours = certificate.authority or authorities.first
    return KnownCertificate(
        fingerprint=certificate.fingerprint,
        purpose=certificate.purpose,
        active=certificate.active and certificate.revoked_at is None,
        authority="" if certificate.pem else ours,
        not_after=certificate.not_after,
        created_at=certificate.created_at,
        credentials_crc=certificate.credentials_crc,
    )


def _renewal_wanted(registered: Sequence[GatewayCertificate]) -> Instant | None:
    """An operator wants what was made until then to be replaced."""
    marked = [one.created_at for one in registered if one.renew]
    return Instant(max(marked) + 1e-3) if marked else None


def _past(contact: CupsContact) -> Past:
    """Updates are the firmware desk's."""
    return Past(
        at=contact.at,
        cups_crc=contact.cups_crc,
        lns_crc=contact.lns_crc,
        gifts=tuple(
            EarlierGift(
                kind=gift.kind,
                value=gift.value,
                certificate=gift.certificate,
                times=gift.times,
                at=gift.at,
            )
            for gift in contact.gifts
            if gift.kind != "update"
        ),
    )


def _gift(earlier: EarlierGift) -> Gift:
    return Gift(
        kind=earlier.kind,
        value=earlier.value,
        certificate=earlier.certificate,
        times=earlier.times,
        at=earlier.at,
    )


def _shown_at_lns(state: GatewayState) -> str:
    return state.connection.certificate if state.connection is not None else ""
