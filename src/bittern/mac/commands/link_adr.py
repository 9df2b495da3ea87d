"""LinkADRReq, LinkADRAns: data rate, power, NbTrans and channels (TS001-1.0.4, 5.2).

Why a device is sent one: ADR has found a better setting; a fixed plan's device sends where nobody
listens; or the device may have fallen back and is told again.

Since 1.0.2 contiguous requests are taken or refused as one block. How many answers such a block
has, versions and vendors see differently: one for each request, or one for all; both are taken, if
they agree. Before 1.0.2 every request stands for itself, and is remembered by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from bittern.lorawan.commands import (
    LinkADRAns,
    LinkADRReq,
    NewChannelReq,
    pack_commands,
    parse_downlink_commands,
)
from bittern.lorawan.regions.plan import ChannelMask, DynamicPlan
from bittern.lorawan.versions import answers_link_adr_as_block, keeps_by_15
from bittern.mac.adr import History, Setting, Situation
from bittern.mac.channel_masks import (
    Channels,
    atomic,
    enabled_channels,
    masked,
    one_by_one,
    stored,
    surest_channels,
    unchanged,
    wanted_channels,
)
from bittern.mac.commands.notices import CommandProblem
from bittern.mac.commands.requests import (
    Block,
    open_request,
    refused,
    settled,
)
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import Request, Session

REQUEST = LinkADRReq

KEEP = 15
PATIENCE = 3
"""So often NewChannelReq goes unanswered before channels are masked without waiting for it."""

_ALL_ACCEPTED = 0b111


def needs(session: Session, surroundings: Surroundings) -> bool:
    if _is_left_alone(session, surroundings) or _awaits_channels(session):
        return False
    return (
        _is_to_be_told_again(session, surroundings)
        or _wanted_setting(session, surroundings) != _setting(session, surroundings)
        or _wanted_channels(session, surroundings) is not None
    )


def enqueue(session: Session, surroundings: Surroundings) -> list[Block]:
    plan, others = surroundings.wanted.plan, _wanted_channels(session, surroundings)
    channels = enabled_channels(plan, session.radio) if others is None else others
    if others is None and not _is_to_be_told_again(session, surroundings):
        masks = [unchanged(plan, channels)]
    elif answers_link_adr_as_block(session.mac_version):
        masks = atomic(plan, channels)
    else:
        masks = one_by_one(plan, channels)
    setting = _wanted_setting(session, surroundings)
    data_rate, tx_power, nb_trans = _as_told(setting, session, surroundings)
    block = tuple(
        LinkADRReq(data_rate, tx_power, mask.mask, mask.control, nb_trans) for mask in masks
    )
    if answers_link_adr_as_block(session.mac_version):
        return [block]
    return [(request,) for request in block]


def revise(session: Session, surroundings: Surroundings) -> Session:
    """Give up a request under way that the device's situation has overtaken.

    Otherwise it is repeated as it was. Whether the device obeyed it and its answer got lost, nobody
    knows, so what follows tells everything.
    """
    if not session.requests or (surroundings.adr and not surroundings.adr_ack_req):
        return session
    mine = [one for one in session.requests if one.commands[0] == LinkADRReq.CID]
    if not mine:
        return session
    others = tuple(one for one in session.requests if one not in mine)
    without = msgspec.structs.replace(session, requests=others)
    current = {pack_commands(block) for block in enqueue(without, surroundings)}
    if all(one.commands in current for one in mine):
        return session
    return _uncertain(without)


def handle(
    answers: Sequence[LinkADRAns], session: Session, surroundings: Surroundings
) -> list[Handled]:
    """All contiguous ones of an uplink together; one `Handled` for each request or problem."""
    handled = []
    rest = list(answers)
    while rest:
        request = open_request(session, LinkADRReq)
        if request is None:
            handled += [Handled(session, problem=CommandProblem.NOT_ASKED)] * len(rest)
            break
        block = _block(request)
        mine, rest = rest[: len(block)], rest[len(block) :]
        handled.append(_settle(mine, request, block, session, surroundings))
        session = handled[-1].session
    return handled


# What is wanted


def _setting(session: Session, surroundings: Surroundings) -> Setting:
    """What the device is believed to send with."""
    radio = session.radio
    data_rate = surroundings.data_rate if radio.data_rate is None else radio.data_rate
    return Setting(data_rate, radio.tx_power, radio.nb_trans)


def _wanted_setting(session: Session, surroundings: Surroundings) -> Setting:
    setting, wanted = _setting(session, surroundings), surroundings.wanted
    if not surroundings.adr or wanted.adr is None:
        return setting
    decided, history = setting, History(session.uplink_history)
    if len(history):
        decided = wanted.adr.decide(Situation(wanted.plan, setting, history, wanted.bounds))
    decided = wanted.bounds.clamp(decided)
    return _Refusals.of(session).avoid(decided, setting) if session.refused else decided


def _wanted_channels(session: Session, surroundings: Surroundings) -> Channels | None:
    """Other channels than those that are enabled, or None."""
    plan, radio = surroundings.wanted.plan, session.radio
    if isinstance(plan, DynamicPlan) and not (radio.enabled_channels or session.refused):
        return None  # all are enabled, and all are wanted
    channels = wanted_channels(plan, radio, surroundings.sub_bands)
    refusals = _Refusals.of(session)
    if refusals.blocks and refusals.masks(atomic(plan, channels)):
        channels = surest_channels(plan, radio)
    return None if channels == enabled_channels(plan, radio) else channels


def _is_left_alone(session: Session, surroundings: Surroundings) -> bool:
    """Without ADR a dynamic plan's device has nothing to be told but masked channels."""
    wanted = surroundings.wanted
    if surroundings.adr and wanted.adr is not None:
        return False
    return isinstance(wanted.plan, DynamicPlan) and not session.radio.enabled_channels


def _awaits_channels(session: Session) -> bool:
    """A mask now would leave the new channels out."""
    return any(
        request.commands[0] == NewChannelReq.CID and request.attempts <= PATIENCE
        for request in session.requests
    )


def _is_to_be_told_again(session: Session, surroundings: Surroundings) -> bool:
    return session.radio.link_uncertain and surroundings.adr and surroundings.wanted.adr is not None


def _as_told(setting: Setting, session: Session, surroundings: Surroundings) -> Setting:
    """A device that chooses its data rate itself is left to it, where there is a way to say so."""
    controls = surroundings.adr and surroundings.wanted.adr is not None
    if controls or not keeps_by_15(session.mac_version):
        return setting
    return Setting(KEEP, KEEP, setting.nb_trans)


class _Refusals(NamedTuple):
    """What the device has said no to in this session."""

    data_rates: frozenset[int]
    tx_powers: frozenset[int]
    blocks: frozenset[tuple[tuple[int, int], ...]]
    """Masks, as (ChMaskCntl, ChMask)."""

    @classmethod
    def of(cls, session: Session) -> _Refusals:
        data_rates, tx_powers, blocks = set(), set(), set()
        for one in session.refused:
            if one.commands[0] != LinkADRReq.CID:
                continue
            block = [r for r in parse_downlink_commands(one.commands) if isinstance(r, LinkADRReq)]
            if not one.status & 0b001:
                blocks.add(_masks(block))
            elif not one.status & 0b010:
                # Not because the mask leaves no channel for it.
                data_rates.add(block[-1].data_rate)
            if not one.status & 0b100:
                tx_powers.add(block[-1].tx_power)
        return cls(frozenset(data_rates), frozenset(tx_powers), frozenset(blocks))

    def masks(self, masks: Sequence[ChannelMask]) -> bool:
        return tuple((one.control, one.mask) for one in masks) in self.blocks

    def avoid(self, decided: Setting, present: Setting) -> Setting:
        """The next slower data rate, the next higher power, that was not refused."""
        return Setting(
            _avoid(decided.data_rate, self.data_rates, present.data_rate),
            _avoid(decided.tx_power, self.tx_powers, present.tx_power),
            decided.nb_trans,
        )


def _avoid(decided: int, refused: frozenset[int], present: int) -> int:
    if decided not in refused:
        return decided
    acceptable = (value for value in range(decided, -1, -1) if value not in refused)
    best = next(acceptable, present)
    return max(best, present) if decided > present else best


# What the device said


def _settle(
    answers: Sequence[LinkADRAns],
    request: Request,
    block: Sequence[LinkADRReq],
    session: Session,
    surroundings: Surroundings,
) -> Handled:
    statuses = {answer.write()[0] for answer in answers}
    problem = CommandProblem.ANSWERS_DISAGREE if len(statuses) > 1 else None
    session = settled(session, request)
    status = _ALL_ACCEPTED
    for one in statuses:
        status &= one
    if status != _ALL_ACCEPTED:
        session = refused(session, request, status)
        if problem is not None:
            # Some of it may have been obeyed.
            session = _uncertain(session)
        return Handled(session, problem=problem, declined=", ".join(map(str, block)))
    return Handled(_obeyed(session, block, surroundings), problem=problem)


def _obeyed(session: Session, block: Sequence[LinkADRReq], surroundings: Surroundings) -> Session:
    """What was measured under the old setting says nothing of the new one."""
    plan, radio, last = surroundings.wanted.plan, session.radio, block[-1]
    channels = masked(plan, radio, _masks(block))
    radio = msgspec.structs.replace(
        radio,
        data_rate=radio.data_rate if last.data_rate == KEEP else last.data_rate,
        tx_power=radio.tx_power if last.tx_power == KEEP else last.tx_power,
        nb_trans=last.nb_trans or radio.nb_trans,
        enabled_channels=stored(channels, plan, radio),
        link_uncertain=False,
    )
    return msgspec.structs.replace(session, radio=radio, uplink_history=b"")


def _uncertain(session: Session) -> Session:
    radio = msgspec.structs.replace(session.radio, link_uncertain=True)
    return msgspec.structs.replace(session, radio=radio)


def _block(request: Request) -> list[LinkADRReq]:
    commands = parse_downlink_commands(request.commands)
    return [command for command in commands if isinstance(command, LinkADRReq)]


def _masks(block: Sequence[LinkADRReq]) -> tuple[tuple[int, int], ...]:
    return tuple((command.ch_mask_cntl, command.ch_mask) for command in block)
