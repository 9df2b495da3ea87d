from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.api.policy import READ_KEYS, READY, MalformedPolicy, policy, ready

DEVICE = "arn:aws:iotwireless:eu-west-1:123456789012:WirelessDevice/d-1"
OTHER = DEVICE.replace("d-1", "d-2")


def of(*statements: tuple[str, Any, Any], **more: Any) -> str:
    made = [{"Effect": a, "Action": b, "Resource": c} for a, b, c in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": made, **more})


def test_what_nothing_allows_is_refused() -> None:
    assert not policy().allows("iotwireless:GetWirelessDevice", DEVICE)
    assert not policy(of()).allows("iotwireless:GetWirelessDevice", DEVICE)


def test_a_denial_wins_over_any_permission_in_any_order_and_document() -> None:
    allow, deny = ("Allow", "*", "*"), ("Deny", "iotwireless:Delete*", DEVICE)
    for made in (policy(of(allow, deny)), policy(of(deny, allow)), policy(of(deny), of(allow))):
        assert made.allows("iotwireless:GetWirelessDevice", DEVICE)
        assert made.allows("iotwireless:DeleteWirelessDevice", OTHER)
        assert not made.allows("iotwireless:DeleteWirelessDevice", DEVICE)


@pytest.mark.parametrize(
    ("action", "resource", "fits"),
    [
        ("iotwireless:Get*", "*", True),
        ("IOTWIRELESS:getwirelessdevice", "*", True),
        ("iotwireless:GetWirelessDevic?", "*", True),
        ("iotwireless:GetWirelessDevice?", "*", False),
        ("iotwireless:Get", "*", False),
        ("iot:*", "*", False),
        ("*", DEVICE, True),
        ("*", "arn:aws:iotwireless:*:*:WirelessDevice/*", True),
        ("*", "arn:*:WirelessDevice/d-?", False),
        ("*", DEVICE.upper(), False),
        ("*", DEVICE + "1", False),
        ("*", DEVICE.replace(".", "?"), True),
        (["iot:X", "iotwireless:*"], [OTHER, DEVICE], True),
    ],
)
def test_wildcards_are_those_of_iam(action: Any, resource: Any, fits: bool) -> None:
    if resource == "arn:*:WirelessDevice/d-?":
        with pytest.raises(MalformedPolicy):
            policy(of(("Allow", action, resource)))
        return
    made = policy(of(("Allow", action, resource)))
    assert made.allows("iotwireless:GetWirelessDevice", DEVICE) is fits


def test_of_a_resource_that_is_not_known_yet_only_the_general_holds() -> None:
    action = "iotwireless:GetWirelessDevice"
    assert policy(of(("Allow", "*", "*"))).allows(action, None)
    assert not policy(of(("Allow", "*", DEVICE))).allows(action, None)
    assert not policy(of(("Allow", "*", "*"), ("Deny", "*", DEVICE))).allows(action, None)
    assert policy(of(("Allow", "*", "*"), ("Deny", "iot:*", DEVICE))).allows(action, None)


def test_a_list_is_a_matter_of_whoever_may_see_everything() -> None:
    action = "iotwireless:ListWirelessDevices"
    assert policy(of(("Allow", "*", "*"), ("Deny", "*", DEVICE))).allows(action)
    assert not policy(of(("Allow", "*", DEVICE))).allows(action)


def test_who_he_is_everybody_may_ask() -> None:
    assert policy(of(("Deny", "*", "*"))).allows("sts:GetCallerIdentity")


@pytest.mark.parametrize(
    ("name", "action", "allowed"),
    [
        ("administrator", READ_KEYS, True),
        ("administrator", "iotwireless:CreateWirelessDevice", True),
        ("operator", "iotwireless:CreateWirelessDevice", True),
        ("operator", "iot:CreateKeysAndCertificate", True),
        ("operator", "cloudformation:CreateResource", True),
        ("operator", READ_KEYS, False),
        ("operator", "bittern:Anything", False),
        ("reader", "iotwireless:GetWirelessDevice", True),
        ("reader", "iotwireless:ListWirelessDevices", True),
        ("reader", "iot:DescribeCertificate", True),
        ("reader", "cloudformation:ListResources", True),
        ("reader", "cloudformation:GetResourceRequestStatus", True),
        ("reader", READ_KEYS, False),
        ("reader", "iotwireless:UpdateWirelessDevice", False),
        ("reader", "iotwireless:TestWirelessDevice", False),
        ("reader", "iot:Publish", False),
        ("reader", "cloudformation:CreateResource", False),
    ],
)
def test_the_three_ready_ones(name: str, action: str, allowed: bool) -> None:
    assert ready(name).allows(action, DEVICE) is allowed
    assert ready(name).allows(action, None) is allowed
    assert set(READY) == {"administrator", "operator", "reader"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "[" * 6000,
        "x" * 7000,
        of(("Permit", "*", "*")),
        of(("Allow", "GetWirelessDevice", "*")),
        of(("Allow", [], "*")),
        of(("Allow", "*", [])),
        of(("Allow", "*", "WirelessDevice/x")),
        of(("Allow", "*", "arn:aws:iot:r:1:thing/${aws:username}")),
        of(("Allow", "*", "*"), Version="2013-01-01"),
        of(("Allow", "*", "*"), Extra=1),
        json.dumps({"Statement": [{"Effect": "Allow", "NotAction": "x:y", "Resource": "*"}]}),
        json.dumps(
            {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {}}}
        ),
    ],
)
def test_what_is_not_understood_is_not_accepted(text: str) -> None:
    with pytest.raises(MalformedPolicy):
        policy(text)


def test_one_statement_needs_no_list() -> None:
    text = '{"Statement": {"Sid": "x", "Effect": "Allow", "Action": "*", "Resource": "*"}}'
    assert policy(text).allows("iot:Publish", DEVICE)


WILD = st.text("ab*?", max_size=8)


def fits(wildcard: str, text: str) -> bool:
    """The plain definition."""
    if not wildcard:
        return not text
    if wildcard[0] == "*":
        return fits(wildcard[1:], text) or (bool(text) and fits(wildcard, text[1:]))
    return bool(text) and wildcard[0] in ("?", text[0]) and fits(wildcard[1:], text[1:])


@given(WILD, st.text("ab", max_size=8))
def test_wildcards_mean_what_their_definition_says(wildcard: str, text: str) -> None:
    made = policy(of(("Allow", "x:Y", f"arn:a:b:c:d:{wildcard}")))
    assert made.allows("x:Y", f"arn:a:b:c:d:{text}") is fits(wildcard, text)


def test_no_policy_takes_long_to_be_asked() -> None:
    """With an expression that reconsiders, this would take longer than a test may."""
    made = policy(of(("Allow", "x:Y", "arn:a:b:c:d:" + "*a" * 500 + "b")))
    assert not made.allows("x:Y", "arn:a:b:c:d:" + "a" * 5000)
