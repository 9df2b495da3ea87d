"""Where a device listens between its uplinks: class C always in RX2, class B in ping slots."""

from __future__ import annotations

from bittern.lorawan.class_b import MAX_PERIODICITY, PingSlot, next_ping_slot
from bittern.lorawan.radio import Window
from bittern.lorawan.regions.plan import Plan
from bittern.mac.session import Session
from bittern.mac.windows import Windows


def always(session: Session, plan: Plan) -> Windows:
    """Class C: with the parameters of RX2 (TS001-1.0.4, 15)."""
    radio = session.radio
    window = Window(radio.rx2_data_rate, radio.rx2_frequency_hz)
    return _alone(session, plan, window)


def in_ping_slot(session: Session, plan: Plan, slot: PingSlot) -> Windows:
    """Class B: where the region hops to, unless PingSlotChannelReq has fixed it (TS001-1.0.4,
    12.3 and 13)."""
    radio, class_b = session.radio, plan.class_b
    data_rate = radio.ping_slot_data_rate
    if data_rate is None:
        data_rate = class_b.ping_slot_data_rate
    frequency_hz = radio.ping_slot_frequency_hz or class_b.ping_slot_frequency_hz(
        session.dev_addr, slot.beacon_time_s
    )
    return _alone(session, plan, Window(data_rate, frequency_hz))


def next_slot(session: Session, after_gps_us: int) -> PingSlot:
    """The first ping slot of the device that does not begin before."""
    periodicity = session.radio.ping_slot_periodicity
    if periodicity is None:
        periodicity = MAX_PERIODICITY
    return next_ping_slot(after_gps_us, session.dev_addr, periodicity)


def _alone(session: Session, plan: Plan, window: Window) -> Windows:
    """The one window as RX2; there is no uplink that opens it."""
    dwell = session.radio.downlink_dwell
    size = plan.max_payload_size(
        window.data_rate, dwell=plan.boot_downlink_dwell if dwell is None else dwell
    )
    return Windows(delay_s=0, rx1=None, rx1_max_size=0, rx2=window, rx2_max_size=size)
