"""What all outputs to AWS's services share; a kind says how it sends a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bittern.config import Aws
from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.aws import AwsClient, Connect, connect
from bittern.outputs.aws_errors import Unreachable
from bittern.outputs.port import Failures, Message
from bittern.outputs.service import ServiceOutput

PUBLISH_S = 50.0
"""Longer than the calls of one batch may take, so that what is known of each is told."""
MESSAGE_ID = "Bittern-Message-Id"
"""Where a service has a place for it: who gets a message twice sees that it is the same."""


class AwsOutput(ServiceOutput):
    """A `ServiceOutput` to the service that its class names."""

    service: str

    def __init__(
        self,
        name: str,
        settings: Aws,
        *,
        region: str | None = None,
        connect: Connect = connect,
    ) -> None:
        super().__init__(name, limit_s=PUBLISH_S)
        self.client = AwsClient(self.service, settings, region=region, connect=connect)

    async def close(self) -> None:
        await self.client.close()

    async def publish(self, messages: Sequence[Message]) -> Failures:
        failures = await super().publish(messages)
        if len(failures) == len(messages) and _is_down(messages, failures):
            # Wait as for a receiver that is away, rather than for each device.
            raise DeliveryUnavailable(failures[0].reason)
        return failures

    def statistics(self) -> Mapping[str, int]:
        return {**super().statistics(), "calls": self.client.calls}


def _is_down(messages: Sequence[Message], failures: Failures) -> bool:
    """None of the messages has arrived."""
    if not all(isinstance(one, DeliveryUnavailable) for one in failures.values()):
        return False
    several = len({message.device for message in messages}) > 1
    return several or any(isinstance(one, Unreachable) for one in failures.values())


def text_of(payload: bytes) -> str:
    """Raises `DeliveryRejected` for what is not text."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise DeliveryRejected("not UTF-8 text, and the service takes nothing else") from None


def attributes(message: Message) -> dict[str, Any]:
    """Attributes of a message of SQS or SNS."""
    if not message.message_id:
        return {}
    return {
        "MessageAttributes": {MESSAGE_ID: {"DataType": "String", "StringValue": message.message_id}}
    }
