from __future__ import annotations

import asyncio
import random
import uuid
from typing import Any

import pytest

from bittern.api.errors import ApiError
from bittern.api.operations.common import (
    check_name,
    checked_tags,
    downlink_message_id,
    iso_text,
    new_id,
    present,
    told,
)
from bittern.errors import Conflict, NotFound
from bittern.types import Instant


def test_an_id_is_a_random_uuid() -> None:
    made = uuid.UUID(new_id(random.Random(1)))
    assert made.version == 4


def test_a_message_id_has_four_groups() -> None:
    made = downlink_message_id(random.Random(1))
    assert [len(part) for part in made.split("-")] == [8, 8, 4, 4]


def test_text_of_a_time_has_nine_digits() -> None:
    assert iso_text(Instant(1_700_000_000.5)) == "2023-11-14T22:13:20.500000000Z"


def test_what_is_absent_is_left_out_and_zero_is_not() -> None:
    assert present(A=None, B="", C=[], D={}, E=0, F=False) == {"E": 0, "F": False}


@pytest.mark.parametrize("character", "<>^#~$")
def test_a_name_has_no_markup(character: str) -> None:
    with pytest.raises(ApiError):
        check_name(f"a{character}")
    assert check_name(None) == ""


def test_more_than_fifty_tags_are_refused() -> None:
    with pytest.raises(ApiError):
        checked_tags([{"Key": str(number), "Value": ""} for number in range(51)])


def test_answers_that_are_too_old_are_forgotten(api: Any) -> None:
    api.destination("first")
    with api.later(601):
        for number in range(300):
            api.destination(f"d{number}")
    kept = asyncio.run(api.store.notes("123456789012", "attempt", limit=1000))
    assert kept
    assert {note.at for note in kept} == {api.now}


def test_what_the_store_refuses_is_told_in_the_words_of_the_api() -> None:
    with pytest.raises(ApiError) as caught, told():
        raise NotFound("device profile", "x")
    assert caught.value.members == {"ResourceId": "x", "ResourceType": "DeviceProfile"}
    with pytest.raises(ApiError) as caught, told():
        raise Conflict("gateway", "x")
    assert caught.value.code == "ConflictException"
