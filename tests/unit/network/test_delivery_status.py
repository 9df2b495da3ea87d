"""What becomes of messages to devices."""

from __future__ import annotations

from typing import Any

from bittern.network.delivery_status import DeliveryStatus
from bittern.network.events import (
    DownlinkAcknowledged,
    DownlinkDiscarded,
    DownlinkSent,
    DownlinkTransmitted,
)
from bittern.network.notifications import Status
from bittern.testing import examples
from bittern.testing.examples import DEV_EUI, GATEWAY_EUI
from bittern.types import Instant

AT = Instant(5.0)
MESSAGE = examples.downlink(0)
CONFIRMED = examples.downlink(0, confirmed=True)
ID = MESSAGE.message_id


def handed_over(downlink_id: int = 1, **different: Any) -> DownlinkSent:
    fields: dict[str, Any] = {
        "at": AT,
        "dev_eui": DEV_EUI,
        "downlink_id": downlink_id,
        "fcnt_down": 7,
        "fport": 2,
        "confirmed": False,
        "ack": False,
        "gateway_eui": GATEWAY_EUI,
        "message_id": ID,
        **different,
    }
    return DownlinkSent(**fields)


def transmitted(downlink_id: int = 1) -> DownlinkTransmitted:
    return DownlinkTransmitted(
        at=AT,
        dev_eui=DEV_EUI,
        downlink_id=downlink_id,
        gateway_eui=GATEWAY_EUI,
        frequency_hz=868_100_000,
        data_rate=5,
    )


def discarded(**different: Any) -> DownlinkDiscarded:
    return DownlinkDiscarded(at=AT, dev_eui=DEV_EUI, message_id=ID, **{"attempts": 3, **different})


def kinds(told: list[Status]) -> list[str]:
    return [status.kind for status in told]


def test_an_unconfirmed_message_is_queued_sent_and_over() -> None:
    status = DeliveryStatus()
    told, left = status.compare(DEV_EUI, [MESSAGE])
    assert (kinds(told), left) == (["queued"], [])
    assert (told[0].fport, told[0].confirmed) == (MESSAGE.fport, False)
    assert status.of(handed_over()) == []
    [sent] = status.of(transmitted())
    assert (sent.kind, sent.fcnt_down, sent.gateway_eui) == ("sent", 7, GATEWAY_EUI)
    assert status.compare(DEV_EUI, []) == ([], [ID])
    assert status.settle(DEV_EUI, [ID], registered=True, at=AT) == []
    assert not status.has_open(DEV_EUI)


def test_a_confirmed_message_is_over_when_it_is_acknowledged() -> None:
    status = DeliveryStatus()
    status.compare(DEV_EUI, [CONFIRMED])
    status.of(handed_over(confirmed=True))
    assert kinds(status.of(transmitted())) == ["sent"]
    assert status.has_open(DEV_EUI)
    [acknowledged] = status.of(DownlinkAcknowledged(at=AT, dev_eui=DEV_EUI, message_id=ID))
    assert (acknowledged.kind, acknowledged.fcnt_down) == ("acknowledged", 7)
    assert not status.has_open(DEV_EUI)
    assert status.settle(DEV_EUI, [ID], registered=True, at=AT) == []


def test_a_message_is_told_as_queued_before_it_is_told_as_sent() -> None:
    """Also where a frame was faster than the change feed; and once."""
    status = DeliveryStatus()
    assert kinds(status.of(handed_over())) == ["queued"]
    assert status.compare(DEV_EUI, [MESSAGE]) == ([], [])
    assert kinds(status.of(transmitted())) == ["sent"]


def test_a_frame_without_a_message_is_nobodys_business() -> None:
    status = DeliveryStatus()
    assert status.of(handed_over(message_id=None, fport=None)) == []
    assert status.of(transmitted()) == []


def test_a_message_that_was_sent_in_vain_was_not_acknowledged() -> None:
    status = DeliveryStatus()
    status.of(handed_over(confirmed=True))
    status.of(transmitted())
    [failed] = status.of(discarded())
    assert (failed.kind, failed.reason, failed.attempts) == ("failed", "NotAcknowledged", 3)
    assert not status.has_open(DEV_EUI)


def test_a_message_that_no_gateway_sent_was_not_transmitted() -> None:
    status = DeliveryStatus()
    status.of(handed_over(confirmed=True))
    [failed] = status.of(discarded())
    assert failed.reason == "NotTransmitted"


def test_what_was_tried_before_the_server_began_counts_as_sent() -> None:
    status = DeliveryStatus()
    status.compare(DEV_EUI, [examples.downlink(0, confirmed=True, attempts=2)])
    [failed] = status.of(discarded())
    assert failed.reason == "NotAcknowledged"


def test_a_message_that_is_too_long_says_its_size() -> None:
    [failed] = DeliveryStatus().of(discarded(attempts=0, size=300))
    assert failed.reason == "TooLong"
    assert "300 bytes" in str(failed.detail)


def test_a_message_that_came_too_late_says_so() -> None:
    status = DeliveryStatus()
    status.of(handed_over(confirmed=True))
    status.of(transmitted())
    [failed] = status.of(discarded(attempts=1, expired=True))
    assert (failed.reason, failed.attempts) == ("Expired", 1)


def test_a_message_that_was_taken_out_of_the_queue_has_failed() -> None:
    status = DeliveryStatus()
    status.compare(DEV_EUI, [CONFIRMED, examples.downlink(1)])
    told, left = status.compare(DEV_EUI, [CONFIRMED])
    assert (told, left) == ([], [examples.downlink(1).message_id])
    [failed] = status.settle(DEV_EUI, left, registered=True, at=AT)
    assert (failed.kind, failed.reason) == ("failed", "Removed")
    assert status.settle(DEV_EUI, left, registered=True, at=AT) == []
    assert status.has_open(DEV_EUI)


def test_a_confirmed_message_that_was_sent_and_then_taken_out_has_failed() -> None:
    status = DeliveryStatus()
    status.of(handed_over(confirmed=True))
    status.of(transmitted())
    [failed] = status.settle(DEV_EUI, [ID], registered=True, at=AT)
    assert failed.reason == "Removed"


def test_what_was_queued_for_a_device_that_is_gone_has_failed() -> None:
    status = DeliveryStatus()
    status.compare(DEV_EUI, [MESSAGE])
    [failed] = status.settle(DEV_EUI, [ID], registered=False, at=AT)
    assert failed.reason == "DeviceRemoved"


def test_a_device_that_is_not_followed_any_more_is_forgotten() -> None:
    status = DeliveryStatus()
    status.compare(DEV_EUI, [MESSAGE])
    status.forget(DEV_EUI)
    assert not status.has_open(DEV_EUI)
