from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bittern.outputs.parts import Cause, Failure, opened, part_from, part_of


def test_a_part_comes_back_from_its_envelope(make_delivery: Any) -> None:
    failure = Failure(reason="rejected", detail="too large", attempts=2, action="1 http")
    part = msgspec.structs.replace(
        part_of(make_delivery(3), "1/rule/0/http", "site/meters"),
        original=b"whole",
        parameters={"key": "a"},
        causes=(Cause("1/rule/1/s3", b"envelope", failure),),
    )
    assert part_from(part.with_envelope()) == part
    assert part.with_envelope().sequence == 3


def test_a_message_that_is_handed_on_as_it_is_stands_once_in_its_envelope(
    make_delivery: Any,
) -> None:
    part = part_of(make_delivery(3), "mqtt", "t")
    assert opened(part.with_envelope().document).original is None
    assert part_from(part.with_envelope()).original == b"3"


def test_a_part_is_its_own_part(make_delivery: Any) -> None:
    part = part_of(make_delivery(3), "mqtt", "t")
    assert part_of(part, "mqtt", "other") is part


def test_a_part_is_what_a_rule_made_of_a_message(make_delivery: Any) -> None:
    part = part_of(make_delivery(3), "1/rule/0/s3", "t", b"", {"key": "a"})
    assert (part.document, part.original, part.parameters) == (b"", b"3", {"key": "a"})


def test_what_is_no_envelope_does_not_open() -> None:
    with pytest.raises(msgspec.DecodeError):
        opened(b"{}")
