"""DlChannelReq, DlChannelAns: RX1 of a channel on another frequency (TS001-1.0.4, 5.6).

One at a time: the answer is repeated and does not name its channel.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bittern.lorawan.commands import DlChannelAns, DlChannelReq
from bittern.lorawan.regions.plan import DynamicPlan
from bittern.lorawan.versions import has_dl_channel
from bittern.mac.commands.requests import Block, handle_answer, was_refused
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import ChannelState, RadioState, Session

REQUEST = DlChannelReq


def needs(session: Session, surroundings: Surroundings) -> bool:
    wanted = surroundings.wanted
    if not (wanted.downlink_frequencies_hz or _is_moved(session.radio)):
        return False
    if not (isinstance(wanted.plan, DynamicPlan) and has_dl_channel(session.mac_version)):
        return False
    return bool(enqueue(session, surroundings))


def enqueue(session: Session, surroundings: Surroundings) -> list[Block]:
    for request in _requests(session.radio, surroundings):
        if not was_refused(session, (request,)):
            return [(request,)]
    return []


def handle(command: DlChannelAns, session: Session, surroundings: Surroundings) -> Handled:
    def obeyed(radio: RadioState, asked: DlChannelReq) -> RadioState:
        channels = _channels(radio, surroundings)
        return _moved(radio, channels[asked.ch_index], asked.frequency_hz)

    accepted = command.channel_frequency_ok and command.uplink_frequency_exists
    return handle_answer(command, session, DlChannelReq, obeyed, accepted=accepted, repeats=True)


def _is_moved(radio: RadioState) -> bool:
    return any(channel.downlink_frequency_hz for channel in radio.extra_channels)


def _requests(radio: RadioState, surroundings: Surroundings) -> Iterator[DlChannelReq]:
    wanted = surroundings.wanted.downlink_frequencies_hz
    for index, channel in _channels(radio, surroundings).items():
        there = channel.downlink_frequency_hz or channel.frequency_hz
        goal = wanted.get(channel.frequency_hz, channel.frequency_hz)
        if goal != there:
            yield DlChannelReq(index, goal)


def _channels(radio: RadioState, surroundings: Surroundings) -> dict[int, ChannelState]:
    """All that the device has, by index."""
    plan = surroundings.wanted.plan
    assert isinstance(plan, DynamicPlan), "fixed plans have no DlChannelReq"
    defaults = enumerate(plan.default_channels)
    channels = {index: ChannelState(index, *channel) for index, channel in defaults}
    return channels | {channel.index: channel for channel in radio.extra_channels}


def _moved(radio: RadioState, channel: ChannelState, frequency_hz: int) -> RadioState:
    back = frequency_hz == channel.frequency_hz
    moved = msgspec.structs.replace(channel, downlink_frequency_hz=None if back else frequency_hz)
    others = [one for one in radio.extra_channels if one.index != channel.index]
    channels = sorted([*others, moved], key=lambda one: one.index)
    return msgspec.structs.replace(radio, extra_channels=tuple(channels))
