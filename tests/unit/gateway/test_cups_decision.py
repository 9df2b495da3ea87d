"""Who is given what, in which order, and who is left as he is."""

from __future__ import annotations

import msgspec
import pytest

from bittern.gateway.cups import CupsRequest
from bittern.gateway.cups_credentials import EMPTY_CRC
from bittern.gateway.cups_decision import (
    Decision,
    Give,
    KnownCertificate,
    Renewal,
    Wanted,
    decide,
)
from bittern.gateway.cups_gifts import EarlierGift, GiveKind, Past
from bittern.types import EUI64, GatewayEUI, Instant

NOW = Instant(1_763_690_000.0)
DAY = 86_400
AUTHORITY, NEXT = "a1" * 32, "a2" * 32
CUPS_CRC, LNS_CRC = 11, 22

REQUEST = CupsRequest(
    gateway_eui=GatewayEUI(EUI64.from_hex("0016c001ff000001")),
    cups_uri="https://cups:443",
    lns_uri="wss://lns:8887",
    cups_crc=CUPS_CRC,
    lns_crc=LNS_CRC,
)
CUPS = KnownCertificate(
    fingerprint="c",
    purpose="cups",
    authority=AUTHORITY,
    not_after=Instant(NOW + 300 * DAY),
    created_at=Instant(NOW - 60 * DAY),
    credentials_crc=CUPS_CRC,
)
LNS = msgspec.structs.replace(CUPS, fingerprint="l", purpose="lns", credentials_crc=LNS_CRC)
WANTED = Wanted(
    cups_uri="https://cups:443",
    lns_uri="wss://lns:8887",
    authority=AUTHORITY,
    authority_not_after=Instant(NOW + 9000 * DAY),
)
RENEWAL = Renewal(lifetime_s=365 * DAY, renew_before_s=30 * DAY)
replace = msgspec.structs.replace


def decided(
    request: CupsRequest = REQUEST,
    *,
    cups: KnownCertificate | None = CUPS,
    lns: KnownCertificate | None = LNS,
    wanted: Wanted = WANTED,
    past: Past | None = None,
    shown_at_lns: str = "",
    now: float = NOW,
) -> Decision:
    return decide(
        request,
        shown=cups.fingerprint if cups else "",
        shown_at_lns=shown_at_lns,
        certificates=tuple(one for one in (cups, lns) if one),
        wanted=wanted,
        renewal=RENEWAL,
        past=past,
        now=Instant(now),
    )


def kinds(decision: Decision) -> tuple[list[str], list[str]]:
    """Of what is given, and of what is withheld."""
    return [one.kind for one in decision.gives], [one.kind for one in decision.withheld]


def test_a_gateway_that_has_all_is_given_nothing() -> None:
    assert decided() == Decision()


# Credentials


def test_a_new_gateway_is_given_credentials_and_uri_of_the_lns_together() -> None:
    fresh = replace(REQUEST, lns_crc=EMPTY_CRC, lns_uri="")
    assert decided(fresh, lns=None).gives == (
        Give(kind="lns_credentials", reason="it has none"),
        Give(kind="lns_uri", uri="wss://lns:8887", reason="it has none"),
    )


def test_unknown_credentials_of_the_lns_are_replaced() -> None:
    assert decided(replace(REQUEST, lns_crc=5)).gives == (
        Give(kind="lns_credentials", reason="those that it has are not known here"),
    )


def test_unknown_credentials_of_cups_are_left_as_they_are() -> None:
    """Files put there by hand, as long as the certificate that is shown is in order."""
    assert decided(replace(REQUEST, cups_crc=5)) == Decision()


def test_an_outside_certificate_is_left_as_it_is() -> None:
    outside = replace(CUPS, authority="", credentials_crc=None, purpose="any")
    assert decided(replace(REQUEST, cups_crc=5), cups=outside) == Decision()


@pytest.mark.parametrize("crc", [CUPS_CRC, 5], ids=["named", "shown"])
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (dict(not_after=NOW + 29 * DAY), "its certificate expires on 2025-12-20"),
        (dict(not_after=NOW - DAY), "its certificate expired on 2025-11-20"),
        (dict(authority=NEXT), "they are of an earlier certificate authority"),
        (dict(active=False), "its certificate was deactivated or revoked"),
        (dict(purpose="lns"), "its certificate is for the LNS only"),
    ],
)
def test_what_is_wrong_with_credentials_of_cups_replaces_them(
    crc: int, changes: dict[str, object], reason: str
) -> None:
    decision = decided(replace(REQUEST, cups_crc=crc), cups=replace(CUPS, **changes))
    assert decision.gives == (Give(kind="cups_credentials", reason=reason),)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (dict(not_after=NOW + 30 * DAY), "its certificate expires on 2025-12-21"),
        (dict(not_after=NOW), "its certificate expired on 2025-11-21"),
        (dict(authority=NEXT), "they are of an earlier certificate authority"),
        (dict(active=False), "its certificate was deactivated or revoked"),
        (dict(purpose="cups"), "its certificate is for CUPS only"),
    ],
)
def test_what_is_wrong_with_credentials_of_the_lns_replaces_them(
    changes: dict[str, object], reason: str
) -> None:
    decision = decided(lns=replace(LNS, **changes))
    assert decision.gives == (Give(kind="lns_credentials", reason=reason),)


def test_a_certificate_is_not_renewed_before_its_time() -> None:
    assert decided(lns=replace(LNS, not_after=Instant(NOW + 30 * DAY + 1))) == Decision()


def test_files_that_serve_both_places_are_in_order() -> None:
    both = replace(CUPS, purpose="any")
    assert decided(replace(REQUEST, lns_crc=CUPS_CRC), cups=both, lns=None) == Decision()


def test_of_certificates_with_one_crc_the_one_that_serves_counts() -> None:
    twin = replace(LNS, credentials_crc=CUPS_CRC)
    assert decided(replace(REQUEST, lns_crc=CUPS_CRC), lns=twin) == Decision()


def test_a_rotated_authority_moves_both() -> None:
    decision = decided(wanted=replace(WANTED, authority=NEXT, authority_since=NOW))
    assert kinds(decision) == (["cups_credentials", "lns_credentials"], [])


def test_a_rotated_authority_moves_outside_certificates_that_are_older() -> None:
    outside = replace(CUPS, authority="", credentials_crc=None)
    asked = replace(REQUEST, cups_crc=5)
    for since, given in [(NOW - 61 * DAY, []), (NOW - 59 * DAY, ["cups_credentials"])]:
        wanted = replace(WANTED, authority_since=Instant(since))
        assert kinds(decided(asked, cups=outside, wanted=wanted)) == (given, [])


def test_an_operator_can_have_credentials_renewed_once() -> None:
    wanted = replace(WANTED, renew_made_before=NOW)
    assert {give.reason for give in decided(wanted=wanted).gives} == {"an operator wants new ones"}
    made = (replace(one, created_at=NOW) for one in (CUPS, LNS))
    assert decided(cups=next(made), lns=next(made), wanted=wanted) == Decision()


def test_renewal_stops_where_the_authority_itself_ends() -> None:
    end = Instant(NOW + 20 * DAY)
    ending = replace(WANTED, authority_not_after=end)
    decision = decided(cups=replace(CUPS, not_after=end), wanted=ending)
    assert [str(one) for one in decision.withheld] == [
        "credentials for CUPS: its certificate expires on 2025-12-11, and the certificate authority"
        " itself lasts until 2025-12-11 only"
    ]
    assert decision.gives == ()


def test_short_lived_certificates_are_renewed_too() -> None:
    short = Renewal(lifetime_s=31 * DAY, renew_before_s=30 * DAY)
    decision = decide(
        REQUEST,
        shown="c",
        certificates=(CUPS, replace(LNS, not_after=Instant(NOW + 30 * DAY))),
        wanted=WANTED,
        renewal=short,
        now=NOW,
    )
    assert kinds(decision) == (["lns_credentials"], [])


@pytest.mark.parametrize(("lifetime_s", "before_s"), [(10, 10), (10, 11), (10, -1)])
def test_a_renewal_that_would_never_end_is_refused(lifetime_s: float, before_s: float) -> None:
    with pytest.raises(ValueError, match="cannot be renewed"):
        Renewal(lifetime_s=lifetime_s, renew_before_s=before_s)


# URIs


def test_a_gateway_is_moved() -> None:
    wanted = replace(WANTED, cups_uri="https://new:443", lns_uri="wss://new:8887")
    assert decided(wanted=wanted).gives == (
        Give(kind="cups_uri", uri="https://new:443", reason="it has https://cups:443"),
        Give(kind="lns_uri", uri="wss://new:8887", reason="it has wss://lns:8887"),
    )


def test_where_nothing_is_wanted_every_uri_is_right() -> None:
    wanted = replace(WANTED, cups_uri="", lns_uri="")
    assert (
        decided(replace(REQUEST, cups_uri="https://x:1", lns_uri=""), wanted=wanted) == Decision()
    )


def test_an_address_that_does_not_answer_is_withheld() -> None:
    wanted = replace(
        WANTED,
        cups_uri="https://new:443",
        lns_uri="wss://new:8887",
        cups_uri_problem="new:443 does not answer",
        lns_uri_problem="new:8887 does not answer",
    )
    decision = decided(wanted=wanted)
    assert decision.gives == ()
    assert [str(one) for one in decision.withheld] == [
        "URI of CUPS: new:443 does not answer",
        "URI of the LNS: new:8887 does not answer",
    ]


def test_uri_and_credentials_of_cups_never_go_together() -> None:
    wanted = replace(WANTED, cups_uri="https://new:443", authority=NEXT, authority_since=NOW)
    decision = decided(wanted=wanted, lns=replace(LNS, authority=NEXT))
    assert kinds(decision) == (["cups_credentials"], ["cups_uri"])
    renewed = replace(CUPS, authority=NEXT, credentials_crc=33, fingerprint="n")
    after = decided(
        replace(REQUEST, cups_crc=33), wanted=wanted, cups=renewed, lns=replace(LNS, authority=NEXT)
    )
    assert kinds(after) == (["cups_uri"], [])


def test_a_gateway_on_its_boot_set_is_given_a_whole_regular_set() -> None:
    bare = replace(REQUEST, cups_uri="", cups_crc=EMPTY_CRC)
    boot = replace(CUPS, credentials_crc=5)
    assert kinds(decided(bare, cups=boot)) == (["cups_credentials"], ["cups_uri"])
    assert decided(bare, cups=boot, wanted=replace(WANTED, cups_uri="")) == Decision()


def test_the_uri_of_the_lns_waits_for_credentials_that_are_refused() -> None:
    refused = gift("lns_credentials", "99", times=3)
    decision = decided(
        replace(REQUEST, lns_uri="", lns_crc=EMPTY_CRC), lns=None, past=after(refused)
    )
    assert kinds(decision) == ([], ["lns_credentials", "lns_uri"])


def test_a_uri_does_not_wait_for_a_mere_renewal() -> None:
    refused = [gift("lns_credentials", "99", times=3), gift("cups_credentials", "98", times=3)]
    soon = Instant(NOW + 20 * DAY)
    decision = decided(
        wanted=replace(WANTED, cups_uri="https://new:443", lns_uri="wss://new:8887"),
        cups=replace(CUPS, not_after=soon),
        lns=replace(LNS, not_after=soon),
        past=after(*refused),
    )
    assert kinds(decision) == (["cups_uri", "lns_uri"], ["cups_credentials", "lns_credentials"])


def test_a_gateway_that_must_stay_at_another_lns_keeps_its_credentials() -> None:
    elsewhere = replace(REQUEST, lns_uri="wss://other:443", lns_crc=5)
    problem = replace(WANTED, lns_uri_problem="lns:8887 does not answer")
    decision = decided(elsewhere, wanted=problem)
    assert kinds(decision) == ([], ["lns_credentials", "lns_uri"])
    assert kinds(decided(elsewhere)) == (["lns_credentials", "lns_uri"], [])
    # One that has no LNS to lose is prepared for the day when the address answers.
    assert kinds(decided(replace(elsewhere, lns_uri=""), wanted=problem))[0] == ["lns_credentials"]


# Once more or not


def gift(kind: GiveKind, value: str, *, times: int = 1, ago_s: float = 60) -> EarlierGift:
    return EarlierGift(
        kind=kind, value=value, certificate="g", times=times, at=Instant(NOW - ago_s)
    )


def after(*gifts: EarlierGift, lns_crc: int = LNS_CRC, ago_s: float = 60) -> Past:
    return Past(at=Instant(NOW - ago_s), cups_crc=CUPS_CRC, lns_crc=lns_crc, gifts=gifts)


UNKNOWN = replace(REQUEST, lns_crc=5)


def test_what_has_been_taken_is_told() -> None:
    taken = gift("lns_credentials", str(LNS_CRC))
    assert decided(past=after(taken, lns_crc=EMPTY_CRC)) == Decision(taken=(taken,))


def test_what_was_refused_is_given_again_with_its_count() -> None:
    decision = decided(UNKNOWN, past=after(gift("lns_credentials", "99", times=2), lns_crc=5))
    assert [(one.kind, one.times) for one in decision.gives] == [("lns_credentials", 3)]
    assert decision.outstanding == ()


def test_a_gateway_that_asks_again_at_once_is_given_nothing_new() -> None:
    given = gift("lns_credentials", "99", ago_s=20)
    decision = decided(UNKNOWN, past=after(given, lns_crc=5, ago_s=20))
    assert kinds(decision) == ([], ["lns_credentials"])
    assert "given 20 s ago" in decision.withheld[0].reason
    assert decision.outstanding == (given,)


def test_after_three_refusals_it_is_withheld() -> None:
    given = gift("lns_credentials", "99", times=3)
    decision = decided(UNKNOWN, past=after(given, lns_crc=5))
    assert "refused these credentials 3 times" in decision.withheld[0].reason
    assert decision.outstanding == (given,)


def test_a_day_after_three_refusals_it_is_given_once_more() -> None:
    given = gift("lns_credentials", "99", times=3, ago_s=DAY)
    decision = decided(UNKNOWN, past=after(given, lns_crc=5))
    assert [(one.kind, one.times) for one in decision.gives] == [("lns_credentials", 4)]


@pytest.mark.parametrize(
    ("wanted", "lns_crc_before"),
    [(replace(WANTED, changed_at=NOW), 5), (WANTED, 6)],
    ids=["by an operator", "on the gateway"],
)
def test_a_change_starts_anew(wanted: Wanted, lns_crc_before: int) -> None:
    given = gift("lns_credentials", "99", times=3, ago_s=3600)
    decision = decided(UNKNOWN, wanted=wanted, past=after(given, lns_crc=lns_crc_before))
    assert [(one.kind, one.times) for one in decision.gives] == [("lns_credentials", 1)]


def test_a_refused_uri_is_counted_by_its_text() -> None:
    refused = gift("lns_uri", "wss://lns:8887", times=3)
    elsewhere = replace(REQUEST, lns_uri="wss://old:1")
    assert kinds(decided(elsewhere, past=after(refused))) == ([], ["lns_uri"])
    corrected = replace(WANTED, lns_uri="wss://lns:8888")
    decision = decided(elsewhere, wanted=corrected, past=after(refused))
    assert [(one.uri, one.times) for one in decision.gives] == [("wss://lns:8888", 1)]
    assert decision.outstanding == ()


def test_what_is_no_longer_needed_is_forgotten() -> None:
    assert decided(past=after(gift("lns_credentials", "99"))) == Decision()


def test_a_station_that_stores_credentials_in_its_own_way_is_left_alone() -> None:
    """It shows what it was given, under a CRC of its own making."""
    given = gift("lns_credentials", "99")
    own = replace(LNS, fingerprint="g", credentials_crc=99)
    decision = decided(UNKNOWN, lns=own, past=after(given, lns_crc=EMPTY_CRC), shown_at_lns="g")
    assert decision == Decision(outstanding=(given,))
    later = decided(UNKNOWN, lns=own, past=after(given, lns_crc=5), shown_at_lns="g")
    assert later == Decision(outstanding=(given,))
    expiring = replace(own, not_after=Instant(NOW + DAY))
    renewed = decided(UNKNOWN, lns=expiring, past=after(given, lns_crc=5), shown_at_lns="g")
    assert [(one.kind, one.times) for one in renewed.gives] == [("lns_credentials", 1)]
    assert renewed.outstanding == ()


def test_nothing_is_given_for_ever() -> None:
    """A year of a gateway that refuses everything, and asks every hour."""
    past, count = Past(at=NOW, cups_crc=CUPS_CRC, lns_crc=5), 0
    for hour in range(365 * 24):
        now = Instant(NOW + 3600 * hour)
        decision = decided(
            UNKNOWN,
            cups=replace(CUPS, not_after=Instant(NOW + 9000 * DAY)),
            lns=None,
            past=past,
            now=now,
        )
        given = tuple(
            EarlierGift(kind=one.kind, value=str(hour), certificate="g", times=one.times, at=now)
            for one in decision.gives
        )
        count += len(given)
        past = Past(at=now, cups_crc=CUPS_CRC, lns_crc=5, gifts=decision.outstanding + given)
        assert len(past.gifts) == 1
    assert 20 < count < 32
