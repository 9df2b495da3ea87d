from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.api.errors import VALIDATION, ApiError
from bittern.api.model import service
from bittern.api.paging import DEFAULT_SIZE, MAX_SIZE, Page, Question, Tokens, page

TOKENS = Tokens(bytes(32))
ITEMS = [f"{number:04d}" for number in range(120)]


def asked(account: str = "1", operation: str = "List", **parameters: Any) -> Page:
    return page(TOKENS, account, operation, parameters)


def shown(asked: Page) -> tuple[list[str], str | None]:
    """What a store would do."""
    behind = [item for item in ITEMS if asked.after is None or item > asked.after]
    items, token = asked.split(behind[: asked.fetch], key=str)
    return list(items), token


@pytest.mark.parametrize("size", [1, 7, 60, 119, 120, 250])
def test_pages_hold_every_item_once_and_the_last_has_no_token(size: int) -> None:
    seen: list[str] = []
    token: str | None = None
    for _ in range(len(ITEMS) // size + 1):
        parameters = {"NextToken": token} if token else {}
        items, token = shown(asked(MaxResults=size, **parameters))
        assert 0 < len(items) <= size
        seen += items
        if token is None:
            break
    assert (seen, token) == (ITEMS, None)


def test_the_size_is_bounded_and_0_is_none() -> None:
    assert asked().size == asked(MaxResults=0).size == DEFAULT_SIZE
    assert asked(MaxResults=9999).size == MAX_SIZE
    assert page(TOKENS, "1", "ListQueuedMessages", {}, default=10).size == 10
    assert asked(pageSize=3).size == 3


def test_the_page_may_get_another_size_on_the_way() -> None:
    _, token = shown(asked(MaxResults=5))
    assert shown(asked(MaxResults=9, NextToken=token))[0] == ITEMS[5:14]


@pytest.mark.parametrize(
    "changed",
    [
        {"account": "2"},
        {"operation": "ListOther"},
        {"DestinationName": "d"},
        {"WirelessDeviceType": "LoRaWAN", "DestinationName": "d"},
    ],
)
def test_a_token_is_of_one_account_operation_and_filter(changed: dict[str, str]) -> None:
    token = asked(WirelessDeviceType="LoRaWAN").split(ITEMS, key=str)[1]
    assert asked(WirelessDeviceType="LoRaWAN", NextToken=token).after == ITEMS[DEFAULT_SIZE - 1]
    with pytest.raises(ApiError) as refused:
        asked(**{"WirelessDeviceType": "LoRaWAN", "NextToken": token, **changed})
    assert refused.value.code == VALIDATION


def test_another_secret_does_not_know_it() -> None:
    token = asked().split(ITEMS, key=str)[1]
    with pytest.raises(ApiError):
        page(Tokens(b"x" * 32), "1", "List", {"NextToken": token})
    with pytest.raises(ValueError, match="32"):
        Tokens(b"short")


@given(st.text() | st.binary().map(lambda raw: raw.hex()))
def test_nobody_makes_a_token_up(token: str) -> None:
    if token:
        with pytest.raises(ApiError):
            asked(NextToken=token)


@given(st.text(max_size=300))
def test_a_position_comes_back_as_it_was(position: str) -> None:
    question = asked().question
    token = TOKENS.token(question, position)
    assert TOKENS.position(question, token) == position
    assert token.isascii()


def test_a_token_is_a_marker_as_the_iot_model_has_it() -> None:
    shape = service("iot").shape("Marker")
    tokens = Tokens(bytes(32))
    for number in range(200):
        token = tokens.token(Question("123456789012", "ListCertificates", {}), str(number))
        assert re.fullmatch(shape.metadata["pattern"], token)
