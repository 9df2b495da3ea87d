"""TXParamSetupReq, TXParamSetupAns: dwell times and the power that a region may limit
(TS001-1.0.4, 5.8). In the regions whose devices have it."""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import TXParamSetupAns, TXParamSetupReq
from bittern.lorawan.regions.plan import Plan
from bittern.lorawan.versions import has_tx_param_setup
from bittern.mac.commands.requests import Block, handle_answer
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import RadioState, Session
from bittern.mac.wanted import max_eirp

REQUEST = TXParamSetupReq


def needs(session: Session, surroundings: Surroundings) -> bool:
    wanted = surroundings.wanted
    if not (wanted.plan.has_tx_param_setup and has_tx_param_setup(session.mac_version)):
        return False
    return _believed(session.radio, wanted.plan) != _wanted(surroundings)


def enqueue(session: Session, surroundings: Surroundings) -> list[Block]:
    return [(_wanted(surroundings),)]


def handle(command: TXParamSetupAns, session: Session, surroundings: Surroundings) -> Handled:
    return handle_answer(command, session, TXParamSetupReq, _obeyed, repeats=True)


def _wanted(surroundings: Surroundings) -> TXParamSetupReq:
    wanted = surroundings.wanted
    return TXParamSetupReq(
        downlink_dwell_time=wanted.downlink_dwell,
        uplink_dwell_time=wanted.uplink_dwell,
        max_eirp=wanted.max_eirp,
    )


def _believed(radio: RadioState, plan: Plan) -> TXParamSetupReq:
    """The request that the device behaves as if it had obeyed."""
    uplink, downlink, eirp = radio.uplink_dwell, radio.downlink_dwell, radio.max_eirp
    return TXParamSetupReq(
        downlink_dwell_time=plan.boot_downlink_dwell if downlink is None else downlink,
        uplink_dwell_time=plan.boot_uplink_dwell if uplink is None else uplink,
        max_eirp=max_eirp(plan) if eirp is None else eirp,
    )


def _obeyed(radio: RadioState, asked: TXParamSetupReq) -> RadioState:
    return msgspec.structs.replace(
        radio,
        uplink_dwell=asked.uplink_dwell_time,
        downlink_dwell=asked.downlink_dwell_time,
        max_eirp=asked.max_eirp,
    )
