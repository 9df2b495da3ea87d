from __future__ import annotations

from typing import Any

import pytest

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.opening import Gone, Opening
from bittern.outputs.port import Message


async def test_an_output_is_opened_by_its_first_batch_and_closed(output: Any) -> None:
    async with Opening(output) as opening:
        assert not output.is_open
        assert opening.health().working
        await opening.publish([Message("", b"1")])
        assert output.is_open
        assert output.documents == [1]
        assert opening.health().detail == "recording"
    assert not output.is_open


async def test_an_output_that_does_not_open_is_opened_again(output: Any) -> None:
    errors = [DeliveryUnavailable("refused")]

    class Reluctant(type(output)):  # type: ignore[misc]
        async def __aenter__(self) -> Any:
            if errors:
                raise errors.pop()
            return await super().__aenter__()

    reluctant = Reluctant()
    opening = Opening(reluctant)
    with pytest.raises(DeliveryUnavailable):
        await opening.publish([Message("", b"1")])
    assert await opening.publish([Message("", b"1")]) == {}
    assert reluctant.documents == [1]


async def test_nothing_is_opened_after_the_end(output: Any) -> None:
    async with Opening(output) as opening:
        pass
    with pytest.raises(DeliveryUnavailable, match="closed"):
        await opening.publish([Message("", b"1")])
    assert output.batches == []


async def test_what_is_gone_takes_nothing() -> None:
    async with Gone("lane") as gone:
        failures = await gone.publish([Message("", b"1"), Message("", b"2")])
    assert [type(failures[place]) for place in (0, 1)] == [DeliveryRejected] * 2
