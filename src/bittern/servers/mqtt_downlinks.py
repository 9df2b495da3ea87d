"""Messages to devices by MQTT: ``PREFIX/NAME/down``, and what is answered below it.

    PREFIX/NAME/down              a message; NAME is a WirelessDeviceId or a DevEUI
    PREFIX/NAME/down/accepted     {"MessageId": ...}
    PREFIX/NAME/down/rejected     {"Error": ..., "Message": ...}

Both brokers, the embedded one and one of the operator's, acknowledge a message when it is in the
store, or is rejected for good. Messages to one topic are queued in the order in which they came.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

import msgspec

from bittern.api.device_messages import Request, read
from bittern.api.errors import ApiError
from bittern.errors import StoreError
from bittern.network.notifications import Notice

logger = logging.getLogger("bittern.servers.mqtt_downlinks")

DOWN = "down"
ACCEPTED = "accepted"
REJECTED = "rejected"

Done = Callable[[str | None], None]
"""Called once, with what failed, or None: the message may be acknowledged."""


class Messages(Protocol):
    """`DeviceMessages`."""

    async def queue(self, name: str, request: Request) -> str: ...


class _Accepted(msgspec.Struct, rename="pascal", omit_defaults=True):
    message_id: str
    client_request_token: str | None = None


class _Rejected(msgspec.Struct, rename="pascal", omit_defaults=True):
    error: str
    message: str
    client_request_token: str | None = None


class MqttDownlinks:
    """An `Intake` of a broker, and an async context manager. What comes before `begin` waits; what
    comes after the context was left is not acknowledged, and so comes again."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._messages: Messages | None = None
        self._tell: Callable[[Notice], None] | None = None
        self._begun = asyncio.Event()
        self._last: dict[str, asyncio.Task[None]] = {}
        """The task of the newest message to each topic; each waits for the one before."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = False
        self.accepted = 0
        self.rejected = 0

    @property
    def topic_filter(self) -> str:
        return f"{self._prefix}/+/{DOWN}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def begin(self, messages: Messages, tell: Callable[[Notice], None]) -> None:
        """From now on messages are queued by `messages`, and answers go to `tell`."""
        self._messages, self._tell = messages, tell
        self._begun.set()

    def statistics(self) -> dict[str, int]:
        return {
            "accepted": self.accepted,
            "rejected": self.rejected,
            "in_flight": len(self._tasks),
        }

    # Intake

    def wants(self, topic: str) -> bool:
        if not topic.startswith(self._prefix):
            return False
        name, _, rest = topic[len(self._prefix) + 1 :].partition("/")
        return rest == DOWN and topic == f"{self._prefix}/{name}/{DOWN}"

    def take(self, topic: str, payload: bytes, done: Done) -> None:
        if self._ended:
            return
        work = self._in_turn(topic, payload, done, self._last.get(topic))
        task = asyncio.create_task(work, name=f"mqtt downlink {topic}")
        self._last[topic] = task
        self._tasks.add(task)
        task.add_done_callback(lambda ended: self._over(topic, ended))

    def _over(self, topic: str, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._last.get(topic) is task:
            del self._last[topic]

    async def _in_turn(
        self, topic: str, payload: bytes, done: Done, before: asyncio.Task[None] | None
    ) -> None:
        await self._begun.wait()
        if before is not None:
            await asyncio.wait([before])
        try:
            await self._answered(topic, payload)
        except StoreError as error:
            logger.error("mqtt downlink topic=%r not kept reason=%r", topic, str(error))
            done(str(error))
        except Exception:
            logger.exception("mqtt downlink topic=%r failed by an error of its own", topic)
            self._reject(topic, ApiError("InternalServerException", "an error of the server"), None)
            done(None)
        else:
            done(None)

    async def _answered(self, topic: str, payload: bytes) -> None:
        """Raises `StoreError`: then nothing was decided."""
        assert self._messages is not None
        token: str | None = None
        try:
            request = read(payload)
            token = request.client_request_token
            name = topic[len(self._prefix) + 1 : -len(DOWN) - 1]
            message_id = await self._messages.queue(name, request)
        except ApiError as refusal:
            self._reject(topic, refusal, token)
        else:
            self.accepted += 1
            self._answer(f"{topic}/{ACCEPTED}", _Accepted(message_id, token))

    def _reject(self, topic: str, refusal: ApiError, token: str | None) -> None:
        self.rejected += 1
        logger.warning("mqtt downlink topic=%r rejected reason=%r", topic, refusal.message)
        self._answer(f"{topic}/{REJECTED}", _Rejected(refusal.code, refusal.message, token))

    def _answer(self, topic: str, answer: _Accepted | _Rejected) -> None:
        assert self._tell is not None
        self._tell(Notice((topic,), msgspec.json.encode(answer)))
