"""What was given and not taken is given again, and not for ever."""

from __future__ import annotations

import pytest

from bittern.gateway.cups import CupsRequest
from bittern.gateway.cups_gifts import (
    EarlierGift,
    GiveKind,
    Past,
    Patience,
    hindrance,
    in_use,
    moved,
    same_uri,
    taken,
)
from bittern.types import EUI64, GatewayEUI, Instant

NOW = Instant(1_763_690_000.0)
DAY = 86_400
REQUEST = CupsRequest(
    gateway_eui=GatewayEUI(EUI64.from_hex("0016c001ff000001")),
    cups_uri="https://CUPS:443",
    lns_uri="wss://lns:8887",
    cups_crc=11,
    lns_crc=22,
)


def gift(kind: GiveKind = "lns_credentials", value: str = "99", **more: object) -> EarlierGift:
    usual: dict[str, object] = dict(kind=kind, value=value, at=NOW)
    return EarlierGift(**(usual | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "value", "there"),
    [
        ("cups_uri", "https://cups:443", True),
        ("cups_uri", "https://other:443", False),
        ("lns_uri", "wss://lns:8887", True),
        ("lns_uri", "https://cups:443", False),
        ("cups_credentials", "11", True),
        ("cups_credentials", "22", False),
        ("lns_credentials", "22", True),
        ("lns_credentials", "11", False),
    ],
)
def test_a_gift_is_taken_when_the_gateway_shows_it(kind: GiveKind, value: str, there: bool) -> None:
    assert taken(gift(kind, value), REQUEST) is there


def test_a_certificate_that_is_shown_is_in_use() -> None:
    assert in_use(gift(certificate="ab"), "ab")
    assert not in_use(gift(certificate="ab"), "cd")
    assert not in_use(gift(), "")


@pytest.mark.parametrize(
    ("kind", "past_crcs", "gift_at", "expected"),
    [
        ("lns_credentials", (11, 7), NOW - 60, True),
        ("lns_credentials", (7, 22), NOW - 60, False),
        ("lns_credentials", (11, 7), NOW, False),
        ("lns_credentials", (11, 7), NOW - 2, False),  # keys take time to be made
        ("cups_credentials", (7, 22), NOW - 60, True),
        ("cups_credentials", (11, 7), NOW - 60, False),
        ("lns_uri", (7, 7), NOW - 60, False),
    ],
)
def test_a_change_that_is_not_the_gifts_own_counts_as_moved(
    kind: GiveKind, past_crcs: tuple[int, int], gift_at: float, expected: bool
) -> None:
    past = Past(at=NOW, cups_crc=past_crcs[0], lns_crc=past_crcs[1])
    assert moved(gift(kind, at=Instant(gift_at)), REQUEST, past) is expected


@pytest.mark.parametrize(
    ("times", "after_s", "given"),
    [
        (1, 49, False),
        (1, 50, True),
        (2, 50, True),
        (3, 50, False),
        (3, DAY - 1, False),
        (3, DAY, True),
        (4, DAY, False),
        (4, 2 * DAY, True),
        (7, 16 * DAY - 1, False),
        (7, 16 * DAY, True),
        (9, 16 * DAY, True),
        (5000, 16 * DAY, True),
        (3, -1, True),  # the clock was set back: better once too often
    ],
)
def test_it_is_given_three_times_and_then_more_and_more_rarely(
    times: int, after_s: float, given: bool
) -> None:
    reason = hindrance(gift(times=times), Patience(), Instant(NOW + after_s))
    assert (reason is None) is given


def test_a_refusal_is_told_in_words() -> None:
    assert hindrance(gift(times=3), Patience(), Instant(NOW + 60)) == (
        "the station has refused these credentials 3 times, last on 2025-11-21 01:53 UTC, and its"
        " own log says why; the next attempt is after 2025-11-22 01:53 UTC, or when something"
        " about the gateway is changed"
    )
    told = hindrance(gift("lns_uri", "wss://lns:1", times=3), Patience(), Instant(NOW + 60))
    assert "refused wss://lns:1 3 times" in str(told)


def test_case_and_blanks_make_no_other_uri() -> None:
    assert same_uri("WSS://Lns:1 ", "wss://lns:1")
    assert not same_uri("wss://lns:1", "wss://lns:2")
