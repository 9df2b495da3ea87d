"""BeaconTimingReq, BeaconTimingAns: when the next beacon comes (LoRaWAN 1.0.2, 12.4).

DeviceTimeReq has replaced it in 1.0.3. The delay counts from the end of the downlink that carries
the answer, which depends on what else is in it: it is computed for the answer alone in RX1, and a
longer frame, or RX2, makes the device look for the beacon somewhat late.
"""

from __future__ import annotations

from bittern.lorawan.airtime import time_on_air_s
from bittern.lorawan.commands import BeaconTimingAns, BeaconTimingReq
from bittern.lorawan.gps_time import gps_time_us
from bittern.lorawan.versions import has_beacon_timing
from bittern.mac.commands.notices import CommandProblem
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import Session
from bittern.mac.windows import windows

BEACON_PERIOD_US = 128_000_000
STEP_US = 30_000
ANSWER_SIZE = 16
"""Of a frame with this answer and nothing else: MHDR, FHDR, four bytes of FOpts, MIC."""


def handle(command: BeaconTimingReq, session: Session, surroundings: Surroundings) -> Handled:
    if not has_beacon_timing(session.mac_version):
        return Handled(session, problem=CommandProblem.OTHER_VERSION)
    if not surroundings.wanted.supports_class_b:
        return Handled(session, problem=CommandProblem.CLASS_NOT_IN_PROFILE)
    ends_us = _end_of_answer_us(session, surroundings)
    beacon_us = -(-ends_us // BEACON_PERIOD_US) * BEACON_PERIOD_US
    hops = len(surroundings.wanted.plan.class_b.beacon_frequencies_hz)
    answer = BeaconTimingAns(
        delay=(beacon_us - ends_us) // STEP_US,
        channel=beacon_us // BEACON_PERIOD_US % hops,
    )
    return Handled(session, (answer,))


def _end_of_answer_us(session: Session, surroundings: Surroundings) -> int:
    """GPS time."""
    plan = surroundings.wanted.plan
    heard_us = surroundings.gps_time_us
    if heard_us is None:
        heard_us = gps_time_us(surroundings.received_at)
    offered = windows(session, plan, surroundings.data_rate, surroundings.frequency_hz)
    rx1 = offered.rx1 or offered.rx2
    assert rx1 is not None, "a class A device always opens RX2"
    on_air_s = time_on_air_s(plan.data_rates[rx1.data_rate], ANSWER_SIZE, crc=False)
    return heard_us + round((offered.delay_s + on_air_s) * 1_000_000)
