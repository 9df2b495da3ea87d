"""DeviceTimeReq, DeviceTimeAns: the GPS time at the end of the uplink (TS001-1.0.4, 5.9)."""

from __future__ import annotations

from bittern.lorawan.commands import DeviceTimeAns, DeviceTimeReq
from bittern.lorawan.gps_time import gps_time_us
from bittern.lorawan.versions import has_device_time
from bittern.mac.commands.notices import CommandProblem
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import Session


def handle(command: DeviceTimeReq, session: Session, surroundings: Surroundings) -> Handled:
    """By the gateway's GPS where it has one: the server's clock also counts the way to it.

    A device whose profile names a version without the command gets its answer, since it asks; but
    its profile is wrong.
    """
    time_us = surroundings.gps_time_us
    if time_us is None:
        time_us = gps_time_us(surroundings.received_at)
    known = has_device_time(session.mac_version)
    return Handled(
        session,
        (DeviceTimeAns.from_gps_time_us(time_us),),
        problem=None if known else CommandProblem.OTHER_VERSION,
    )
