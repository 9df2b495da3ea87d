"""ResetInd, ResetConf: a personalized device has restarted (LoRaWAN 1.1, 5.1).

Its radio parameters are those it was made with; its counters go on, they are never reset (1.1,
4.3.1.5). It repeats ResetInd in every uplink until it hears ResetConf, so each one is answered.
"""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import ResetConf, ResetInd
from bittern.lorawan.versions import resets_by_command
from bittern.mac.commands.notices import CommandProblem
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import Session

MINOR = 1
"""The highest minor version that the network speaks."""


def handle(command: ResetInd, session: Session, surroundings: Surroundings) -> Handled:
    """A device that joins does not send it (1.1, 5.1); minor version 0 is reserved."""
    if not resets_by_command(session.mac_version):
        return Handled(session, problem=CommandProblem.OTHER_VERSION)
    if session.joined:
        return Handled(session, problem=CommandProblem.OTHER_ACTIVATION)
    if command.minor == 0:
        return Handled(session, problem=CommandProblem.RESERVED_VALUE)
    session = msgspec.structs.replace(
        session,
        radio=surroundings.wanted.initial_radio,
        device_class="A",
        uplink_history=b"",
        requests=(),
        refused=(),
    )
    return Handled(session, (ResetConf(min(command.minor, MINOR)),))
