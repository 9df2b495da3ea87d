from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bittern.config import Aws
from bittern.errors import DeliveryRejected, DeliveryUnavailable, RuleError
from bittern.outputs.firehose import KIND, FirehoseForm, FirehoseOutput, elements_of
from bittern.outputs.kinds import checked
from bittern.outputs.parameters import read
from bittern.outputs.port import Message

Make = Callable[..., Message]
DONE = {"RecordId": "1"}
BUSY = {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "slow down"}


@pytest.fixture
def firehose(stubbed_aws: Any) -> Any:
    return stubbed_aws("firehose")


def made(firehose: Any, **more: object) -> FirehoseOutput:
    form = read({"deliveryStreamName": "uplinks", **more}, FirehoseForm)
    return FirehoseOutput("rule/1", form, Aws(calls=1), connect=firehose.connect)


def answer(*responses: dict[str, str]) -> dict[str, Any]:
    return {"FailedPutCount": 0, "RequestResponses": list(responses)}


async def test_a_separator_ends_each_record(firehose: Any, make_message: Make) -> None:
    firehose.answers(
        "put_record_batch",
        answer(DONE, DONE),
        DeliveryStreamName="uplinks",
        Records=[{"Data": b"a\r\n"}, {"Data": b"b\r\n"}],
    )
    async with made(firehose, separator="\r\n") as output:
        assert await output.publish([make_message("a"), make_message("b")]) == {}
    firehose.done()


async def test_elements_of_an_array_are_records_in_batch_mode(
    firehose: Any, make_message: Make
) -> None:
    firehose.answers(
        "put_record_batch",
        answer(DONE, DONE, BUSY, DONE),
        DeliveryStreamName="uplinks",
        Records=[{"Data": data} for data in (b'{"a": 1.50}\n', b"2\n", b"3\n", b'{"x":1}\n')],
    )
    async with made(firehose, separator="\n", batchMode=True) as output:
        payloads = ('[{"a": 1.50}, 2]', "[3]", '{"x":1}')
        failures = await output.publish([make_message(payload) for payload in payloads])
    assert list(failures) == [1]
    assert isinstance(failures[1], DeliveryUnavailable)
    firehose.done()


async def test_without_batch_mode_an_array_is_one_record(firehose: Any, make_message: Make) -> None:
    records = [{"Data": b"[1,2]"}]
    firehose.answers(
        "put_record_batch", answer(DONE), DeliveryStreamName="uplinks", Records=records
    )
    async with made(firehose) as output:
        assert await output.publish([make_message("[1,2]")]) == {}
    firehose.done()


async def test_an_array_of_too_many_is_rejected(firehose: Any, make_message: Make) -> None:
    async with made(firehose, batchMode=True) as output:
        failures = await output.publish([make_message(f"[{'1,' * 500}1]")])
    assert isinstance(failures[0], DeliveryRejected)


@pytest.mark.parametrize(
    ("payload", "elements"),
    [(b"[1, {}]", [b"1", b"{}"]), (b"[]", []), (b"{}", None), (b"x", None), (b"\xff", None)],
)
def test_elements_stay_as_they_are_written(payload: bytes, elements: list[bytes] | None) -> None:
    assert elements_of(payload) == elements


def test_the_stream_is_a_template() -> None:
    assert KIND.templates({"deliveryStreamName": "${s}"}) == {"deliveryStreamName": "${s}"}


def test_only_some_texts_separate() -> None:
    with pytest.raises(RuleError, match="separator"):
        checked({"firehose": {"deliveryStreamName": "s", "separator": ";"}})
