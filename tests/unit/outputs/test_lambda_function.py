from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bittern.config import Aws
from bittern.errors import DeliveryRejected, DeliveryUnavailable, RuleError
from bittern.outputs.kinds import checked
from bittern.outputs.lambda_function import KIND, LambdaForm, LambdaOutput
from bittern.outputs.parameters import read
from bittern.outputs.port import Message

Make = Callable[..., Message]
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:decode"


@pytest.fixture
def functions(stubbed_aws: Any) -> Any:
    return stubbed_aws("lambda")


@pytest.fixture
def output(functions: Any) -> LambdaOutput:
    form = read({"functionArn": ARN}, LambdaForm)
    return LambdaOutput("rule/1", form, Aws(calls=1), connect=functions.connect)


async def test_a_function_is_handed_the_event(
    functions: Any, output: LambdaOutput, make_message: Make
) -> None:
    functions.answers(
        "invoke", {"StatusCode": 202}, FunctionName=ARN, InvocationType="Event", Payload=b"[1]"
    )
    async with output:
        failures = await output.publish([make_message("[1]"), make_message("not JSON")])
    assert list(failures) == [1]
    assert isinstance(failures[1], DeliveryRejected)
    assert functions.asked_for == ("lambda", "eu-west-1")
    functions.done()


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ResourceNotFoundException", 404, DeliveryRejected),
        ("RequestTooLargeException", 413, DeliveryRejected),
        ("TooManyRequestsException", 429, DeliveryUnavailable),
        ("ServiceException", 500, DeliveryUnavailable),
    ],
)
async def test_failures_are_told_from_each_other(
    functions: Any, output: LambdaOutput, make_message: Make, code: str, status: int, kind: type
) -> None:
    functions.fails("invoke", code, status)
    async with output:
        failures = await output.publish([make_message()])
    assert isinstance(failures[0], kind)


def test_the_function_is_a_template() -> None:
    assert KIND.templates({"functionArn": ARN}) == {"functionArn": ARN}


def test_parameters_that_cannot_be_used_are_refused() -> None:
    with pytest.raises(RuleError, match="functionArn"):
        checked({"lambda": {"functionArn": ""}})
