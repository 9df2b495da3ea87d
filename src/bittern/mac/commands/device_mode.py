"""DeviceModeInd, DeviceModeConf: class A or C (1.1, 18.1).

The device repeats DeviceModeInd in every uplink until it hears DeviceModeConf, so each one is
answered. The answer names the class in which the network serves it.
"""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import DeviceModeConf, DeviceModeInd
from bittern.lorawan.radio import DeviceClass
from bittern.lorawan.versions import announces_class
from bittern.mac.commands.notices import CommandProblem
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import Session

CLASS_A, CLASS_C = 0, 2
_NAMES: dict[int, DeviceClass] = {CLASS_A: "A", CLASS_C: "C"}


def handle(command: DeviceModeInd, session: Session, surroundings: Surroundings) -> Handled:
    """A device whose profile has no class C is served in class A, and told so."""
    if not announces_class(session.mac_version):
        return Handled(session, problem=CommandProblem.OTHER_VERSION)
    if command.device_class not in _NAMES:
        return Handled(session, problem=CommandProblem.RESERVED_VALUE)
    served, problem = command.device_class, None
    if served == CLASS_C and not surroundings.wanted.supports_class_c:
        served, problem = CLASS_A, CommandProblem.CLASS_NOT_IN_PROFILE
    if session.device_class != _NAMES[served]:
        session = msgspec.structs.replace(session, device_class=_NAMES[served])
    return Handled(session, (DeviceModeConf(served),), problem)
