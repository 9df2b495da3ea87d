"""DeviceTimeReq, DeviceTimeAns: the GPS time at the end of the uplink (TS001-1.0.4, 5.10)."""

from __future__ import annotations

from bittern.lorawan.commands import DeviceTimeAns, DeviceTimeReq
from bittern.lorawan.gps_time import gps_time_us
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import Session


def handle(command: DeviceTimeReq, session: Session, surroundings: Surroundings) -> Handled:
    """By the gateway's GPS where it has one: the server's clock also counts the way to it."""
    time_us = surroundings.gps_time_us
    if time_us is None:
        time_us = gps_time_us(surroundings.received_at)
    return Handled(session, (DeviceTimeAns.from_gps_time_us(time_us),))
