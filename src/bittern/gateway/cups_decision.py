"""What CUPS gives a gateway that asks, and what it withholds, each with the reason in words.

Credentials, for CUPS and the LNS each:

1. A gateway names what it has by a CRC (`cups_credentials.crc`). The certificate with that CRC is
   its current one. Where the CRC is of no certificate known, it is the one given last, if the
   gateway has been seen to show it, and for CUPS the one that it shows now: files put there by hand
   (PEM) or signed by an outside authority are as good as ours.
2. New ones are given where it has none (for CUPS: if it is to have a URI too), where there is no
   current certificate, or where that is inactive or revoked, for the other place only, older than
   an operator wants, signed by another authority than the one that gateways are to trust, or near
   its end. An outside authority's certificate says nothing about the trust beside it, which is
   taken to be as old as its registration.
3. A certificate near its end stays where a new one would hardly outlast it: then the authority
   itself ends, and renewal would go on for ever.

What was given and is not there at the next request was refused (`cups_gifts`):

4. It is given again, `Patience.attempts` times in all and `Patience.apart_s` apart.
5. Then it is withheld for `Patience.pause_s`, twice as long after each further refusal, up to
   `Patience.longest_pause_s`: every gift of the LNS's costs its connection.
6. A change starts anew: another URI, other credentials on the gateway, or `Wanted.changed_at`.

URIs, where the gateway's is not the one wanted:

7. The LNS's is sent with or after the credentials that let the new place be trusted. Together is
   right for it: the station stores both at once, and a failure is mended by CUPS.
8. That of CUPS is sent only after the gateway has shown credentials of CUPS that are in order, and
   never in one answer with new ones. A station stores the URI even if it refuses the credentials,
   and would then be out of reach.
9. No URI is sent whose address was found not to answer (`Wanted.cups_uri_problem`), nor, in place
   of unknown credentials of the LNS, new ones that would be of no use where it has to stay.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import msgspec

from bittern.gateway import cups_gifts
from bittern.gateway.cups import CupsRequest
from bittern.gateway.cups_credentials import EMPTY_CRC
from bittern.gateway.cups_gifts import EarlierGift, GiveKind, Past, Patience, Place, same_uri
from bittern.types import Instant

CredentialsKind = Literal["cups_credentials", "lns_credentials"]

KIND_NAMES: dict[GiveKind, str] = {
    "cups_uri": "URI of CUPS",
    "lns_uri": "URI of the LNS",
    "cups_credentials": "credentials for CUPS",
    "lns_credentials": "credentials for the LNS",
}
_PLACES = {"cups": "CUPS", "lns": "the LNS"}
_CREDENTIALS: dict[Place, CredentialsKind] = {"cups": "cups_credentials", "lns": "lns_credentials"}


class KnownCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that is registered for the gateway."""

    fingerprint: str
    purpose: Literal["any", "cups", "lns"] = "any"
    active: bool = True
    """Neither deactivated nor revoked."""
    authority: str = ""
    """Fingerprint of the authority's certificate that signed it; empty: an outside one."""
    not_after: Instant
    created_at: Instant
    credentials_crc: int | None = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway should have."""

    cups_uri: str = ""
    """Empty: whatever it has, likewise `lns_uri`."""
    lns_uri: str = ""
    cups_uri_problem: str = ""
    """Why the address is not to be given, for example that it does not answer."""
    lns_uri_problem: str = ""
    authority: str
    """Fingerprint of the authority that gateways are to trust from now on; it signs."""
    authority_since: Instant | None = None
    """When it took the place of an earlier one; None: it is the first."""
    authority_not_after: Instant
    renew_made_before: Instant | None = None
    """An operator wants credentials made before this instant to be replaced."""
    changed_at: Instant | None = None
    """When an operator last changed something about the gateway."""


class Renewal(msgspec.Struct, frozen=True, kw_only=True):
    """How long certificates last. Raises ValueError where each would be renewed at once."""

    lifetime_s: float
    renew_before_s: float
    """How long before its end a certificate is replaced."""

    def __post_init__(self) -> None:
        if not 0 <= self.renew_before_s < self.lifetime_s:
            raise ValueError(
                f"certificates that last {self.lifetime_s:.0f} s cannot be renewed"
                f" {self.renew_before_s:.0f} s before their end"
            )

    @property
    def least_gain_s(self) -> float:
        """By less than this, a new certificate would not be worth it."""
        return min(self.renew_before_s, self.lifetime_s - self.renew_before_s) / 2


class Give(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the gateway is to be given now."""

    kind: GiveKind
    uri: str = ""
    """Empty for credentials: they are to be made."""
    reason: str
    times: int = 1
    """How often, with this one."""


class Withheld(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the gateway should have and is not given now."""

    kind: GiveKind
    reason: str

    def __str__(self) -> str:
        return f"{KIND_NAMES[self.kind]}: {self.reason}"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is given, what is not, and what is to be remembered until the next request."""

    gives: tuple[Give, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    taken: tuple[EarlierGift, ...] = ()
    """Given earlier and there now."""
    outstanding: tuple[EarlierGift, ...] = ()
    """Given earlier and not now: to be kept beside what is given now."""


def decide(
    request: CupsRequest,
    *,
    shown: str,
    shown_at_lns: str = "",
    certificates: tuple[KnownCertificate, ...],
    wanted: Wanted,
    renewal: Renewal,
    past: Past | None = None,
    patience: Patience | None = None,
    now: Instant,
) -> Decision:
    """What to answer to ``request``.

    ``shown`` is the fingerprint of the certificate that the gateway shows with this request,
    ``shown_at_lns`` of the one that it last showed to the LNS. ``certificates`` are all that are
    registered for it. `EarlierGift.at` and `Past.at` of one answer are the same but for the time
    that it takes to make: they tell which gifts were the last.
    """
    return _Case(
        request=request,
        crcs={"cups": request.cups_crc, "lns": request.lns_crc},
        shown={"cups": shown, "lns": shown_at_lns},
        certificates=certificates,
        wanted=wanted,
        renewal=renewal,
        past=past or Past(at=now),
        patience=patience or Patience(),
        now=now,
    ).decided()


class _Fault(NamedTuple):
    """Why the gateway needs new credentials."""

    reason: str
    serves: bool = False
    """Until it has them, the present ones are good enough for a new address."""
    foreign: bool = False
    """The present ones may be what it needs where it is connected now."""


@dataclass(slots=True, kw_only=True)
class _Case:
    """One request, while it is decided."""

    request: CupsRequest
    crcs: dict[Place, int]
    shown: dict[Place, str]
    certificates: tuple[KnownCertificate, ...]
    wanted: Wanted
    renewal: Renewal
    past: Past
    patience: Patience
    now: Instant
    gives: list[Give] = field(default_factory=list)
    withheld: list[Withheld] = field(default_factory=list)
    taken: list[EarlierGift] = field(default_factory=list)
    refused: dict[GiveKind, EarlierGift] = field(default_factory=dict)
    used: dict[Place, EarlierGift] = field(default_factory=dict)
    """Credentials that the gateway uses and names by a CRC of its own making."""

    def decided(self) -> Decision:
        for gift in self.past.gifts:
            self._sort(gift)
        cups, lns = self._credentials("cups"), self._credentials("lns")
        self._cups_uri(cups)
        self._lns_uri(lns)
        held = {one.kind for one in self.withheld}
        refused = [gift for kind, gift in self.refused.items() if kind in held]
        return Decision(
            gives=tuple(self.gives),
            withheld=tuple(self.withheld),
            taken=tuple(self.taken),
            outstanding=(*refused, *self._still_used()),
        )

    def _sort(self, gift: EarlierGift) -> None:
        changed_at = self.wanted.changed_at
        place = _place(gift.kind)
        if cups_gifts.taken(gift, self.request):
            self.taken.append(gift)
        elif place is not None and cups_gifts.in_use(gift, self.shown[place]):
            self.used[place] = gift
        elif changed_at is not None and gift.at < changed_at:
            pass
        elif not cups_gifts.moved(gift, self.request, self.past) and self._wanted(gift):
            self.refused[gift.kind] = gift

    def _wanted(self, gift: EarlierGift) -> bool:
        match gift.kind:
            case "cups_uri":
                return same_uri(gift.value, self.wanted.cups_uri)
            case "lns_uri":
                return same_uri(gift.value, self.wanted.lns_uri)
            case _:
                return True

    def _still_used(self) -> list[EarlierGift]:
        renewed = {give.kind for give in self.gives}
        return [gift for gift in self.used.values() if gift.kind not in renewed]

    # Credentials (1 to 3)

    def _credentials(self, place: Place) -> _Fault | None:
        fault = self._fault(place)
        if fault is not None and fault.foreign and place == "lns" and self._tied():
            problem = self.wanted.lns_uri_problem
            self._withhold("lns_credentials", f"{problem}, and it would lose its present LNS")
        elif fault is not None:
            self._give(_CREDENTIALS[place], fault.reason)
        return fault

    def _tied(self) -> bool:
        """Whether it uses an LNS other than the one wanted, and must stay there for now."""
        elsewhere = not same_uri(self.request.lns_uri, self.wanted.lns_uri)
        return bool(self.request.lns_uri and self.wanted.lns_uri_problem and elsewhere)

    def _fault(self, place: Place) -> _Fault | None:
        if self.crcs[place] == EMPTY_CRC and (place == "lns" or self.wanted.cups_uri):
            return _Fault("it has none")
        current = self._current(place)
        if current is None:
            return _Fault("those that it has are not known here", foreign=True)
        if not current.active:
            return _Fault("its certificate was deactivated or revoked")
        if current.purpose not in ("any", place):
            return _Fault(f"its certificate is for {_PLACES[current.purpose]} only")
        return self._older(current) or self._ending(current, place)

    def _current(self, place: Place) -> KnownCertificate | None:
        named = [one for one in self.certificates if one.credentials_crc == self.crcs[place]]
        if named:
            # Files copied from one place to the other have one CRC: what serves here comes first.
            return min(named, key=lambda one: one.purpose not in ("any", place))
        if place == "lns" and place not in self.used:
            return None
        fingerprint = self.shown[place]
        return next((one for one in self.certificates if one.fingerprint == fingerprint), None)

    def _older(self, current: KnownCertificate) -> _Fault | None:
        asked, since = self.wanted.renew_made_before, self.wanted.authority_since
        if current.authority:
            stale = current.authority != self.wanted.authority
        else:
            stale = since is not None and current.created_at < since
        if stale:
            return _Fault("they are of an earlier certificate authority")
        if asked is not None and current.created_at < asked:
            return _Fault("an operator wants new ones", serves=True)
        return None

    def _ending(self, current: KnownCertificate, place: Place) -> _Fault | None:
        end, authority_end = current.not_after, self.wanted.authority_not_after
        if end - self.now > self.renewal.renew_before_s:
            return None
        expired = end <= self.now
        reason = f"its certificate {'expired' if expired else 'expires'} on {_date(end)}"
        if min(self.now + self.renewal.lifetime_s, authority_end) - end > self.renewal.least_gain_s:
            return _Fault(reason, serves=not expired)
        reason += f", and the certificate authority itself lasts until {_date(authority_end)} only"
        self._withhold(_CREDENTIALS[place], reason)
        return None

    # URIs (7 to 9)

    def _cups_uri(self, fault: _Fault | None) -> None:
        uri = self.wanted.cups_uri
        if not uri or same_uri(uri, self.request.cups_uri):
            return
        if self._given("cups_credentials") or not _serves(fault):
            self._withhold("cups_uri", "the gateway must first show that it has its credentials")
        elif self.wanted.cups_uri_problem:
            self._withhold("cups_uri", self.wanted.cups_uri_problem)
        else:
            self._give("cups_uri", _present(self.request.cups_uri), uri)

    def _lns_uri(self, fault: _Fault | None) -> None:
        uri = self.wanted.lns_uri
        if not uri or same_uri(uri, self.request.lns_uri):
            return
        if not self._given("lns_credentials") and not _serves(fault):
            self._withhold("lns_uri", "the credentials that go with it are withheld")
        elif self.wanted.lns_uri_problem:
            self._withhold("lns_uri", self.wanted.lns_uri_problem)
        else:
            self._give("lns_uri", _present(self.request.lns_uri), uri)

    def _given(self, kind: GiveKind) -> bool:
        return any(give.kind == kind for give in self.gives)

    # Once more or not (4 to 6)

    def _give(self, kind: GiveKind, reason: str, uri: str = "") -> None:
        gift = self.refused.get(kind)
        hindrance = gift and cups_gifts.hindrance(gift, self.patience, self.now)
        if hindrance:
            self._withhold(kind, hindrance)
            return
        times = gift.times + 1 if gift else 1
        self.gives.append(Give(kind=kind, uri=uri, reason=reason, times=times))

    def _withhold(self, kind: GiveKind, reason: str) -> None:
        self.withheld.append(Withheld(kind=kind, reason=reason))


def _place(kind: GiveKind) -> Place | None:
    return next((place for place, of_place in _CREDENTIALS.items() if of_place == kind), None)


def _serves(fault: _Fault | None) -> bool:
    return fault is None or fault.serves


def _present(uri: str) -> str:
    return f"it has {uri}" if uri else "it has none"


def _date(instant: Instant) -> str:
    return str(datetime.fromtimestamp(instant, UTC).date())
