"""NewChannelReq, NewChannelAns: the channels of a dynamic plan (TS001-1.0.4, 5.6).

A join-accept's CFList tells them already; a personalized device has to be told.
"""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import NewChannelAns, NewChannelReq
from bittern.lorawan.regions.plan import DynamicPlan
from bittern.mac.commands.requests import Block, handle_answer
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import ChannelState, RadioState, Session

REQUEST = NewChannelReq

CHANNELS = 16


def needs(session: Session, surroundings: Surroundings) -> bool:
    wanted = surroundings.wanted
    return (
        session.radio.extra_channels != wanted.extra_channels
        and isinstance(wanted.plan, DynamicPlan)
        and bool(_requests(session.radio, surroundings))
    )


def enqueue(session: Session, surroundings: Surroundings) -> list[Block]:
    return [(request,) for request in _requests(session.radio, surroundings)]


def handle(command: NewChannelAns, session: Session, surroundings: Surroundings) -> Handled:
    accepted = command.channel_frequency_ok and command.data_rate_range_ok
    return handle_answer(command, session, NewChannelReq, _obeyed, accepted=accepted)


def _requests(radio: RadioState, surroundings: Surroundings) -> list[NewChannelReq]:
    """What is missing, each at a free index, and then what is too much.

    The plan's own index is preferred; any other does as well, since it is told to the device.
    """
    plan, wanted = surroundings.wanted.plan, surroundings.wanted.extra_channels
    assert isinstance(plan, DynamicPlan), "fixed plans have no NewChannelReq"
    first = len(plan.default_channels)
    present = {one.frequency_hz: one for one in radio.extra_channels if one.index >= first}
    frequencies = {one.frequency_hz for one in wanted}
    surplus = {one.index for one in present.values() if one.frequency_hz not in frequencies}
    free = set(range(first, CHANNELS)) - {one.index for one in present.values()} | surplus
    requests = []
    for one in wanted:
        known = present.get(one.frequency_hz)
        if known is not None and _rates(known) == _rates(one):
            continue
        index = known.index if known is not None else _choose(free, one.index)
        if index is None:
            break  # sixteen are in use, and all of them wanted
        free.discard(index)
        surplus.discard(index)
        requests.append(NewChannelReq(index, one.frequency_hz, *_rates(one)))
    return requests + [NewChannelReq(index, 0, 0, 0) for index in sorted(surplus)]


def _choose(free: set[int], preferred: int) -> int | None:
    return preferred if preferred in free else min(free, default=None)


def _rates(channel: ChannelState) -> tuple[int, int]:
    return channel.min_data_rate, channel.max_data_rate


def _obeyed(radio: RadioState, asked: NewChannelReq) -> RadioState:
    """The channel's RX1 is where its uplinks are again, and it is enabled at once."""
    others = [one for one in radio.extra_channels if one.index != asked.ch_index]
    enabled = [index for index in radio.enabled_channels if index != asked.ch_index]
    if asked.frequency_hz:
        channel = ChannelState(asked.ch_index, asked.frequency_hz, asked.min_dr, asked.max_dr)
        others.append(channel)
        if enabled:
            enabled.append(asked.ch_index)
    return msgspec.structs.replace(
        radio,
        extra_channels=tuple(sorted(others, key=lambda one: one.index)),
        enabled_channels=tuple(sorted(enabled)),
    )
