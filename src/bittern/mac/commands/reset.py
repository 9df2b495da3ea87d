"""ResetInd, ResetConf: a personalized device has restarted (LoRaWAN 1.1, 5.1).

Its radio parameters are those it was made with; its counters go on, they are never reset (1.1,
4.3.1.5). It repeats ResetInd in every uplink until it hears ResetConf, so each one is answered.
"""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import ResetConf, ResetInd
from bittern.lorawan.versions import resets_by_command
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import Session

MINOR = 1
"""The highest minor version that the network speaks."""


def handle(command: ResetInd, session: Session, surroundings: Surroundings) -> Handled:
    """A device that joins does not send it (1.1, 5.1); minor version 0 is reserved."""
    if session.joined or not (resets_by_command(session.mac_version) and command.minor):
        return Handled(session, expected=False)
    initial = surroundings.initial_radio
    if initial is not None and initial != session.radio:
        session = msgspec.structs.replace(session, radio=initial)
    return Handled(session, (ResetConf(min(command.minor, MINOR)),))
