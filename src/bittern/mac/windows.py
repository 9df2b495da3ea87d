"""Where a class A device listens after its uplink: RX1 and RX2 (TS001-1.0.4, 3.3)."""

from __future__ import annotations

import msgspec

from bittern.lorawan.radio import Window
from bittern.lorawan.regions.plan import Plan
from bittern.mac.session import Session


class Windows(msgspec.Struct, frozen=True, kw_only=True):
    """Both are offered to the gateway, which takes RX2 when RX1 is not to be had.

    A size is N of the regional parameters: FOpts and FRMPayload together, in bytes.
    """

    delay_s: int
    """From the end of the uplink to RX1; RX2 opens one second later."""
    rx1: Window | None
    """None where the uplink's frequency or data rate leads to no RX1, or the frame is too long."""
    rx1_max_size: int
    rx2: Window | None
    rx2_max_size: int

    @property
    def max_size(self) -> int:
        """What fits the roomier of them; 0 if there is none."""
        return max(self.rx1_max_size, self.rx2_max_size)

    def fitting(self, size: int) -> Windows:
        """Without the windows whose data rate does not carry this size."""
        if size <= self.rx1_max_size and size <= self.rx2_max_size:
            return self
        keep_rx1, keep_rx2 = size <= self.rx1_max_size, size <= self.rx2_max_size
        return Windows(
            delay_s=self.delay_s,
            rx1=self.rx1 if keep_rx1 else None,
            rx1_max_size=self.rx1_max_size if keep_rx1 else 0,
            rx2=self.rx2 if keep_rx2 else None,
            rx2_max_size=self.rx2_max_size if keep_rx2 else 0,
        )


def windows(session: Session, plan: Plan, data_rate: int, frequency_hz: int) -> Windows:
    """After an uplink of this session at this data rate and frequency."""
    radio = session.radio
    dwell = plan.boot_downlink_dwell if radio.downlink_dwell is None else radio.downlink_dwell
    rx1_data_rate = plan.rx1_data_rate(data_rate, radio.rx1_dr_offset, downlink_dwell=dwell)
    rx1_frequency_hz = _moved_downlink(session, frequency_hz) or plan.rx1_frequency(frequency_hz)
    return _windows(
        plan,
        delay_s=radio.rx1_delay_s,
        rx1=_window(rx1_data_rate, rx1_frequency_hz),
        rx2=Window(radio.rx2_data_rate, radio.rx2_frequency_hz),
        dwell=dwell,
    )


def join_windows(plan: Plan, data_rate: int, frequency_hz: int) -> Windows:
    """After a join-request or a rejoin-request: what the region has for the channel, or its
    defaults (TS001-1.0.4, 6.2.6)."""
    dwell = plan.boot_downlink_dwell
    rx1_data_rate = plan.rx1_data_rate(data_rate, 0, downlink_dwell=dwell)
    joined_on = plan.joined_on(frequency_hz)
    rx1_frequency_hz = joined_on.rx1_frequency_hz if joined_on else None
    rx2_frequency_hz = joined_on.rx2_frequency_hz if joined_on else plan.rx2_frequency_hz
    return _windows(
        plan,
        delay_s=plan.join_accept_delay1_s,
        rx1=_window(rx1_data_rate, rx1_frequency_hz),
        rx2=Window(plan.rx2_data_rate, rx2_frequency_hz),
        dwell=dwell,
    )


def _windows(plan: Plan, *, delay_s: int, rx1: Window | None, rx2: Window, dwell: bool) -> Windows:
    return Windows(
        delay_s=delay_s,
        rx1=rx1,
        rx1_max_size=_max_size(plan, rx1, dwell),
        rx2=rx2,
        rx2_max_size=_max_size(plan, rx2, dwell),
    )


def _window(data_rate: int | None, frequency_hz: int | None) -> Window | None:
    if data_rate is None or frequency_hz is None:
        return None
    return Window(data_rate, frequency_hz)


def _max_size(plan: Plan, window: Window | None, dwell: bool) -> int:
    if window is None:
        return 0
    return plan.max_payload_size(window.data_rate, dwell=dwell)


def _moved_downlink(session: Session, frequency_hz: int) -> int | None:
    """Where DlChannelReq put the RX1 of this channel (TS001-1.0.4, 5.6)."""
    for channel in session.radio.extra_channels:
        if channel.frequency_hz == frequency_hz:
            return channel.downlink_frequency_hz
    return None
