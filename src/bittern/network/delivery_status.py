"""What becomes of messages to devices, from what is told of frames and from what their queue holds.

queued          it is in the store: seen there, or a frame with it was seen
sent            a gateway has reported that it put a frame with it on air
acknowledged    the device has acknowledged it
failed          tried in vain, too long, taken out of the queue, or gone with its device

Whoever queues a message may be another process, which tells the change feed and nothing else. So
the queue is compared with what was known of it. A message that has left the queue and of which
nothing else is told within `GRACE_S` was taken out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from bittern.network.events import (
    DownlinkAcknowledged,
    DownlinkDiscarded,
    DownlinkSent,
    DownlinkTransmitted,
)
from bittern.network.notifications import Status
from bittern.store.records import QueuedDownlink
from bittern.types import DevEUI, GatewayEUI, Instant

GRACE_S = 3.0
"""Between a message's end in the store and the word of it, at most."""
FRAMES_KEPT = 100_000
"""Frames whose message is remembered; beyond, the oldest is forgotten."""

DownlinkEvent = DownlinkSent | DownlinkTransmitted | DownlinkAcknowledged | DownlinkDiscarded


class _Message(msgspec.Struct):
    """One that has not ended."""

    fport: int | None = None
    confirmed: bool | None = None
    fcnt_down: int | None = None
    gateway_eui: GatewayEUI | None = None
    """That sent it last."""
    sent: bool = False


class _Frame(msgspec.Struct, frozen=True):
    dev_eui: DevEUI
    message_id: str
    fport: int | None
    confirmed: bool
    fcnt_down: int


class DeliveryStatus:
    """Of the devices whose messages are followed; nothing is kept of others."""

    def __init__(self) -> None:
        self._messages: dict[DevEUI, dict[str, _Message]] = {}
        self._frames: OrderedDict[int, _Frame] = OrderedDict()

    def forget(self, dev_eui: DevEUI) -> None:
        """Its messages are followed no longer."""
        self._messages.pop(dev_eui, None)

    def has_open(self, dev_eui: DevEUI) -> bool:
        """Whether a message of the device is known that has not ended."""
        if self._messages.get(dev_eui):
            return True
        self._messages.pop(dev_eui, None)
        return False

    # What is told of frames

    def of(self, event: DownlinkEvent) -> list[Status]:
        match event:
            case DownlinkSent():
                return self._handed_over(event)
            case DownlinkTransmitted():
                return self._transmitted(event)
            case DownlinkAcknowledged():
                return self._acknowledged(event)
            case DownlinkDiscarded():
                return self._discarded(event)

    def _handed_over(self, event: DownlinkSent) -> list[Status]:
        if event.message_id is None or event.fport is None:
            return []
        self._frames[event.downlink_id] = _Frame(
            event.dev_eui, event.message_id, event.fport, event.confirmed, event.fcnt_down
        )
        if len(self._frames) > FRAMES_KEPT:
            self._frames.popitem(last=False)
        known = self._of_device(event.dev_eui)
        if event.message_id in known:
            return []
        known[event.message_id] = _Message(event.fport, event.confirmed)
        return [_queued(event.message_id, event.fport, event.confirmed, event.at)]

    def _transmitted(self, event: DownlinkTransmitted) -> list[Status]:
        frame = self._frames.get(event.downlink_id)
        if frame is None:
            return []
        known = self._of_device(frame.dev_eui)
        message = known.get(frame.message_id)
        if message is not None:  # it is not over before it has left the queue
            message.sent, message.fcnt_down = True, frame.fcnt_down
            message.gateway_eui = event.gateway_eui
        return [
            Status(
                kind="sent",
                message_id=frame.message_id,
                at=event.at,
                fport=frame.fport,
                confirmed=frame.confirmed,
                fcnt_down=frame.fcnt_down,
                gateway_eui=event.gateway_eui,
            )
        ]

    def _acknowledged(self, event: DownlinkAcknowledged) -> list[Status]:
        message = self._of_device(event.dev_eui).pop(event.message_id, _Message(confirmed=True))
        return [
            Status(
                kind="acknowledged",
                message_id=event.message_id,
                at=event.at,
                fport=message.fport,
                confirmed=True,
                fcnt_down=message.fcnt_down,
                gateway_eui=message.gateway_eui,
            )
        ]

    def _discarded(self, event: DownlinkDiscarded) -> list[Status]:
        message = self._of_device(event.dev_eui).pop(event.message_id, _Message())
        failed = Status(
            kind="failed",
            message_id=event.message_id,
            at=event.at,
            fport=message.fport,
            confirmed=message.confirmed,
            fcnt_down=message.fcnt_down,
            attempts=event.attempts,
        )
        if event.size is not None:
            detail = f"{event.size} bytes: no frame carries so many"
            return [msgspec.structs.replace(failed, reason="TooLong", detail=detail)]
        if event.expired:
            detail = f"its time is over, after {event.attempts} attempts"
            return [msgspec.structs.replace(failed, reason="Expired", detail=detail)]
        if message.sent:
            detail = f"tried {event.attempts} times, and not acknowledged"
            return [msgspec.structs.replace(failed, reason="NotAcknowledged", detail=detail)]
        detail = f"handed to gateways {event.attempts} times; none reported it as sent"
        return [msgspec.structs.replace(failed, reason="NotTransmitted", detail=detail)]

    # What the queue holds

    def compare(
        self, dev_eui: DevEUI, queued: Sequence[QueuedDownlink]
    ) -> tuple[list[Status], list[str]]:
        """What is new in the queue of the device, and the identities of what has left it without
        a word: to be settled a little later."""
        known = self._of_device(dev_eui)
        there = {message.message_id for message in queued}
        new = [message for message in queued if message.message_id not in known]
        for message in new:
            # One that was tried before this server began has most likely been sent.
            tried = message.confirmed and message.attempts > 0
            known[message.message_id] = _Message(message.fport, message.confirmed, sent=tried)
        told = [_queued(one.message_id, one.fport, one.confirmed, one.queued_at) for one in new]
        return told, [message_id for message_id in known if message_id not in there]

    def settle(
        self, dev_eui: DevEUI, left: Sequence[str], *, registered: bool, at: Instant
    ) -> list[Status]:
        """They left the queue a while ago: what nobody spoke of since was taken out of it."""
        known = self._of_device(dev_eui)
        ended = [(one, message) for one in left if (message := known.pop(one, None)) is not None]
        return [
            Status(
                kind="failed",
                message_id=message_id,
                at=at,
                fport=message.fport,
                confirmed=message.confirmed,
                fcnt_down=message.fcnt_down,
                reason="Removed" if registered else "DeviceRemoved",
                detail="taken out of the queue" if registered else "the device was removed",
            )
            for message_id, message in ended
            if message.confirmed or not message.sent
        ]

    def _of_device(self, dev_eui: DevEUI) -> dict[str, _Message]:
        return self._messages.setdefault(dev_eui, {})


def _queued(message_id: str, fport: int | None, confirmed: bool | None, at: Instant) -> Status:
    return Status(kind="queued", message_id=message_id, at=at, fport=fport, confirmed=confirmed)
