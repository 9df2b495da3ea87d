from __future__ import annotations

from typing import Any

import pytest

from bittern.api.cloud_control.memory import EMPTY, as_given, remembered

KEY = "00112233445566778899AABBCCDDEEFF"
NONE: frozenset[str] = frozenset()


def device(app_key: str) -> dict[str, Any]:
    return {"Name": "AB", "LoRaWAN": {"OtaaV10x": {"AppKey": app_key, "AppEui": "ab" * 8}}}


def test_what_is_told_as_it_was_given_needs_no_memory() -> None:
    given = device(KEY.lower())
    assert remembered(given, given, NONE) == EMPTY
    assert as_given(EMPTY, given) == given


def test_a_word_of_the_servers_own_is_told_as_it_was_given() -> None:
    given = {"LoRaWAN": {"RegParamsRevision": "Regional Parameters v1.0.3rA", "RfRegion": "EU868"}}
    told = {"LoRaWAN": {"RegParamsRevision": "RP001-1.0.3-RevA", "RfRegion": "EU868"}, "Id": "x"}
    memory = remembered(given, told, NONE)
    assert as_given(memory, told) == given | {"Id": "x"}
    assert told["LoRaWAN"] != given["LoRaWAN"]


def test_what_has_become_something_else_is_told_as_it_is() -> None:
    memory = remembered({"RfRegion": "AS923"}, {"RfRegion": "AS923-1"}, NONE)
    assert as_given(memory, {"RfRegion": "AS923-1"}) == {"RfRegion": "AS923"}
    assert as_given(memory, {"RfRegion": "AS923-2"}) == {"RfRegion": "AS923-2"}
    assert as_given(memory, {}) == {}


def test_an_empty_text_is_told_while_there_is_no_other() -> None:
    memory = remembered({"Description": "", "LoRaWAN": {"RfRegion": ""}}, {"LoRaWAN": {}}, NONE)
    assert as_given(memory, {"LoRaWAN": {}}) == {"Description": "", "LoRaWAN": {"RfRegion": ""}}
    assert as_given(memory, {"Description": "all"}) == {"Description": "all"}


def test_what_others_have_changed_meanwhile_is_no_word_for_the_same() -> None:
    assert remembered({"Name": "mine"}, {"Name": "theirs"}, NONE) == EMPTY


@pytest.mark.parametrize("given", [KEY, "-".join([KEY[:2]] * 8), "aa:bb:cc", "AA BB CC"])
def test_digits_are_told_in_the_manner_in_which_they_were_given(given: str) -> None:
    told = device(given.replace("-", "").replace(":", "").replace(" ", "").lower())
    assert as_given(remembered(device(given), told, NONE), told) == device(given)


def test_no_digit_of_a_key_is_kept() -> None:
    memory = remembered(device(KEY), device(KEY.lower()), NONE)
    assert memory.words == {}
    assert memory.manners == {"/LoRaWAN/OtaaV10x/AppKey": "A"}
    assert KEY.lower() not in repr(memory).lower()


def test_the_manner_is_known_without_the_key() -> None:
    """Whoever made the device need not be allowed to read its keys."""
    without = {"Name": "AB", "LoRaWAN": {"OtaaV10x": {"AppEui": "ab" * 8}}}
    memory = remembered(device(KEY), without, NONE)
    assert as_given(memory, without) == without
    assert as_given(memory, device(KEY.lower())) == device(KEY)


def test_letters_of_both_sizes_have_no_manner() -> None:
    mixed = "aAbB" * 8
    assert remembered(device(mixed), device(mixed.lower()), NONE) == EMPTY


def test_orders_are_told_as_they_were_given_last() -> None:
    given = {"Name": "x", "AssociateWirelessDevice": "d", "Other": None}
    memory = remembered(given, {"Name": "x"}, frozenset({"AssociateWirelessDevice", "Other"}))
    assert memory.orders == {"AssociateWirelessDevice": "d"}
    assert as_given(memory, {"Name": "y"}) == {"Name": "y", "AssociateWirelessDevice": "d"}
