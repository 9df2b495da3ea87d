from __future__ import annotations

from typing import Any

import pytest

from bittern.api.operations.rule_actions import HIDDEN, not_shown, shown, with_credentials

URL = "https://lake.example/in"


def http(*headers: tuple[str, str], url: str = URL) -> dict[str, Any]:
    return {"http": {"url": url, "headers": [{"key": key, "value": text} for key, text in headers]}}


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "x-auth-token", "Cookie"])
def test_a_credential_in_a_header_is_not_shown(name: str) -> None:
    action = http((name, "Bearer abc"), ("X-Site", "north"))
    assert shown([action]) == [http((name, HIDDEN), ("X-Site", "north"))]


def test_a_template_is_no_credential() -> None:
    action = http(("Authorization", "${user}"))
    assert shown([action]) == [action]


def test_who_replaces_by_what_was_shown_keeps_the_credential() -> None:
    before = http(("Authorization", "Bearer abc"), ("X-Site", "north"))
    asked = http(("authorization", HIDDEN), ("X-Site", "south"))
    wanted = http(("authorization", "Bearer abc"), ("X-Site", "south"))
    assert with_credentials([asked], [before]) == (wanted,)


def test_a_credential_goes_to_no_other_url() -> None:
    before = http(("Authorization", "Bearer abc"))
    asked = http(("Authorization", HIDDEN), url="https://elsewhere.example")
    assert with_credentials([asked], [before]) == (asked,)


def test_what_the_model_does_not_have_is_not_shown() -> None:
    actions: list[dict[str, Any]] = [
        {"postgresql": {"table": "t"}},
        {"kafka": {"topic": "t", "passwordFile": "f", "clientProperties": {"acks": 1}}},
        {"http": {"url": URL, "tls": {"ca": "c"}, "auth": {"bearer": {"tokenFile": "t"}}}},
    ]
    assert shown(actions) == [
        {"kafka": {"topic": "t", "clientProperties": {"acks": "1"}}},
        {"http": {"url": URL, "auth": {}}},
    ]
    assert not_shown(actions) == ["postgresql"]
