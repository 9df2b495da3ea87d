"""Which file a command of the device belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, cast

import msgspec

from bittern.lorawan.commands import (
    ADRParamSetupAns,
    BeaconFreqAns,
    BeaconTimingReq,
    DeviceModeInd,
    DeviceTimeReq,
    DevStatusAns,
    DlChannelAns,
    DownlinkCommand,
    DutyCycleAns,
    LinkADRAns,
    LinkCheckReq,
    NewChannelAns,
    PingSlotChannelAns,
    PingSlotInfoReq,
    RejoinParamSetupAns,
    RekeyInd,
    ResetInd,
    RXParamSetupAns,
    RXTimingSetupAns,
    TXParamSetupAns,
    UplinkCommand,
)
from bittern.mac.commands import (
    adr_param_setup,
    beacon_freq,
    beacon_timing,
    dev_status,
    device_mode,
    device_time,
    dl_channel,
    duty_cycle,
    link_adr,
    link_check,
    new_channel,
    ping_slot_channel,
    ping_slot_info,
    rejoin_param_setup,
    rekey,
    reset,
    rx_param_setup,
    rx_timing_setup,
    tx_param_setup,
)
from bittern.mac.commands.notices import CommandProblem, Declined, Ignored, Notice
from bittern.mac.commands.requests import forget_confirmed
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import Session
from bittern.mac.uplink import Opened, Retransmission

_Handler = Callable[[Any, Session, Surroundings], Handled]

ASKED_BY_DEVICE: dict[type[UplinkCommand], _Handler] = {
    ResetInd: reset.handle,
    LinkCheckReq: link_check.handle,
    RekeyInd: rekey.handle,
    DeviceTimeReq: device_time.handle,
    PingSlotInfoReq: ping_slot_info.handle,
    BeaconTimingReq: beacon_timing.handle,
    DeviceModeInd: device_mode.handle,
}
ANSWERS: dict[type[UplinkCommand], _Handler] = {
    DutyCycleAns: duty_cycle.handle,
    RXParamSetupAns: rx_param_setup.handle,
    DevStatusAns: dev_status.handle,
    NewChannelAns: new_channel.handle,
    RXTimingSetupAns: rx_timing_setup.handle,
    TXParamSetupAns: tx_param_setup.handle,
    DlChannelAns: dl_channel.handle,
    ADRParamSetupAns: adr_param_setup.handle,
    RejoinParamSetupAns: rejoin_param_setup.handle,
    PingSlotChannelAns: ping_slot_channel.handle,
    BeaconFreqAns: beacon_freq.handle,
}
"""LinkADRAns beside these: contiguous ones belong together."""


class Obeyed(msgspec.Struct, frozen=True):
    """What the commands of one uplink come to."""

    session: Session
    """To be stored in place of the uplink's `after`; of the same revision."""
    answers: tuple[DownlinkCommand, ...] = ()
    """In the order in which they were asked for (TS001-1.0.4, 5)."""
    notices: tuple[Notice, ...] = ()
    must_confirm: bool = False
    """The device repeats an answer until it hears a downlink."""


def obey(opened: Opened, surroundings: Surroundings) -> Obeyed:
    """Obey and answer the MAC commands of an uplink.

    A retransmission asks again, so it is answered again; but what it says is known, and obeyed: a
    ResetInd that came twice must not undo what the device was asked for after the first.
    """
    session = opened.after
    repeated = isinstance(opened, Retransmission)
    answers: list[DownlinkCommand] = []
    notices: list[Notice] = []
    must_confirm = False
    for kind, commands in groupby(opened.commands, type):
        if repeated and kind not in ASKED_BY_DEVICE:
            continue
        for command, handled in _handle(kind, list(commands), session, surroundings):
            if not repeated:
                session = handled.session
            answers += handled.answers
            must_confirm = must_confirm or handled.must_confirm
            notices += _notices(command, handled)
    if opened.command_problem is not None and not repeated:
        notices.append(Ignored(opened.command_problem, CommandProblem.UNREADABLE))
    if not repeated:
        session = forget_confirmed(session, opened.commands)
    return Obeyed(session, tuple(answers), tuple(notices), must_confirm)


def _handle(
    kind: type[UplinkCommand],
    commands: Sequence[UplinkCommand],
    session: Session,
    surroundings: Surroundings,
) -> Iterator[tuple[UplinkCommand, Handled]]:
    if kind is LinkADRAns:
        mine = cast(Sequence[LinkADRAns], commands)
        for handled in link_adr.handle(mine, session, surroundings):
            yield commands[0], handled
        return
    handler = ASKED_BY_DEVICE.get(kind) or ANSWERS[kind]
    for command in commands:
        handled = handler(command, session, surroundings)
        session = handled.session
        yield command, handled


def _notices(command: UplinkCommand, handled: Handled) -> Iterator[Notice]:
    if handled.problem is not None:
        yield Ignored(str(command), handled.problem)
    if handled.declined:
        yield Declined(handled.declined, str(command))
