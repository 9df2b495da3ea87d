"""RekeyInd, RekeyConf: a device shows that it uses its new session (LoRaWAN 1.1, 5.10).

It repeats RekeyInd in every uplink until it hears RekeyConf, so each one is answered.
"""

from __future__ import annotations

from bittern.lorawan.commands import RekeyConf, RekeyInd
from bittern.lorawan.versions import indicates_session_by_rekey
from bittern.mac.commands.notices import CommandProblem
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import Session

MINOR = 1
"""The highest minor version that the network speaks."""


def handle(command: RekeyInd, session: Session, surroundings: Surroundings) -> Handled:
    """Only a device that joined has anything to rekey; minor version 0 is reserved."""
    if not indicates_session_by_rekey(session.mac_version):
        return Handled(session, problem=CommandProblem.OTHER_VERSION)
    if not session.joined:
        return Handled(session, problem=CommandProblem.OTHER_ACTIVATION)
    if command.minor == 0:
        return Handled(session, problem=CommandProblem.RESERVED_VALUE)
    return Handled(session, (RekeyConf(min(command.minor, MINOR)),))
