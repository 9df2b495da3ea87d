"""In which class a device is, and so when it can be reached (TS001-1.0.4, 3; LoRaWAN 1.1, 18.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from bittern.lorawan.radio import DeviceClass, Reception
from bittern.lorawan.versions import announces_class
from bittern.mac.session import HeardBy, Session

GATEWAYS_KEPT = 4
"""Who heard the last uplink worse than these is not asked."""


class ClassProfile(Protocol):
    """What a profile says of it."""

    @property
    def supports_class_b(self) -> bool: ...
    @property
    def supports_class_c(self) -> bool: ...
    @property
    def class_b_timeout_s(self) -> int: ...
    @property
    def class_c_timeout_s(self) -> int: ...


def device_class(session: Session, profile: ClassProfile) -> DeviceClass:
    """Class B by the device's own word, if the profile has it; class C by DeviceModeInd in LoRaWAN
    1.1, before it by the profile alone. A session that was not used yet may not be the device's.
    """
    if session.pending:
        return "A"
    if session.device_class == "B" and profile.supports_class_b:
        return "B"
    if not profile.supports_class_c:
        return "A"
    if announces_class(session.mac_version):
        return "C" if session.device_class == "C" else "A"
    return "C"


def response_timeout_s(session: Session, profile: ClassProfile) -> int:
    """How long the device may take to acknowledge a downlink; until then it is sent nothing more
    (TS001-1.0.4, CLASS_B_RESP_TIMEOUT and CLASS_C_RESP_TIMEOUT)."""
    if device_class(session, profile) == "B":
        return profile.class_b_timeout_s
    return profile.class_c_timeout_s


def listens_between_uplinks(profile: ClassProfile) -> bool:
    """Devices of this profile may be in class B or C."""
    return profile.supports_class_b or profile.supports_class_c


def heard(session: Session, receptions: Sequence[Reception]) -> Session:
    """The session with whom the device was heard by; `receptions` come best first."""
    by = tuple(
        HeardBy(one.gateway_eui, one.snr_db, one.rctx, one.gps_time_us is not None)
        for one in receptions[:GATEWAYS_KEPT]
    )
    return msgspec.structs.replace(session, heard_by=by)
