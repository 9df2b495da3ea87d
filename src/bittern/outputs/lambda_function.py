"""`lambda`: each message is handed to a function, which runs on its own time (``Event``).

AWS's own service keeps no order among such invocations; they are handed over in order per device,
so that a service of one's own that keeps it can. Needs ``lambda:InvokeFunction``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from bittern.config import Aws
from bittern.errors import DeliveryRejected
from bittern.outputs.aws import Connect, connect, region_of
from bittern.outputs.aws_output import AwsOutput
from bittern.outputs.in_order import one_by_one
from bittern.outputs.kinds import Kind, Parameters, Surroundings
from bittern.outputs.parameters import Form, filled, read, templates
from bittern.outputs.port import Failures, Message


class LambdaForm(Form, frozen=True, kw_only=True):
    function_arn: str


class LambdaOutput(AwsOutput):
    service = "lambda"

    def __init__(self, name: str, form: LambdaForm, settings: Aws, *, connect: Connect = connect):
        super().__init__(name, settings, region=region_of(form.function_arn), connect=connect)
        self._form = form

    async def send(self, messages: Sequence[Message]) -> Failures:
        return await one_by_one(messages, partial(self._invoke, messages), self.client.at_once)

    async def _invoke(self, messages: Sequence[Message], place: int) -> None:
        message = messages[place]
        await self.client.call(
            "invoke",
            FunctionName=filled(message, "functionArn", self._form.function_arn),
            InvocationType="Event",
            Payload=_event(message.payload),
        )


def _event(payload: bytes) -> bytes:
    """AWS Lambda API Reference, Invoke: an event is JSON."""
    try:
        msgspec.json.decode(payload)
    except msgspec.DecodeError:
        raise DeliveryRejected("not JSON, and a function takes nothing else") from None
    return payload


def check(parameters: Parameters) -> None:
    if not read(parameters, LambdaForm).function_arn:
        raise ValueError("functionArn: not empty")


def make(name: str, parameters: Parameters, surroundings: Surroundings) -> LambdaOutput:
    return LambdaOutput(name, read(parameters, LambdaForm), surroundings.configuration.aws)


KIND = Kind(
    name="lambda",
    check=check,
    templates=lambda parameters: templates(parameters, "functionArn"),
    make=make,
)
