from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan.commands import NewChannelAns, NewChannelReq
from bittern.lorawan.regions import plan
from bittern.mac.commands import new_channel
from bittern.mac.commands.schedule import schedule
from bittern.mac.session import ChannelState

ADDED = tuple(
    NewChannelReq(3 + number, 867_100_000 + 200_000 * number, 0, 5) for number in range(5)
)


@pytest.fixture
def with_channels(device):
    """A session of a device that has these channels beyond the defaults, (index, frequency)."""

    def make(*channels: tuple[int, int], enabled: tuple[int, ...] = ()):
        session = device.session()
        extra = tuple(ChannelState(index, frequency_hz) for index, frequency_hz in channels)
        radio = msgspec.structs.replace(
            session.radio, extra_channels=extra, enabled_channels=enabled
        )
        return msgspec.structs.replace(session, radio=radio)

    return make


def test_a_personalized_device_is_told_of_every_channel(with_channels, surroundings):
    session = with_channels()
    assert new_channel.needs(session, surroundings())
    assert new_channel.enqueue(session, surroundings()) == [(one,) for one in ADDED]


def test_a_device_that_knows_them_is_told_nothing(device, surroundings):
    assert not new_channel.needs(device.session(), surroundings())


def test_a_channel_is_known_at_whatever_index(with_channels, surroundings):
    channels = [(7 - number, one.frequency_hz) for number, one in enumerate(ADDED)]
    assert not new_channel.needs(with_channels(*channels), surroundings())


def test_another_index_is_taken_where_the_plans_is_in_use(with_channels, surroundings):
    """Index 3 has a channel that is wanted too, so the first one goes where there is room."""
    session = with_channels((3, 867_300_000))
    told = [request for (request,) in new_channel.enqueue(session, surroundings())]
    assert {request.frequency_hz for request in told} == {
        one.frequency_hz for one in ADDED if one.frequency_hz != 867_300_000
    }
    indices = [request.ch_index for request in told]
    assert len(set(indices)) == len(indices)
    assert 3 not in indices


def test_a_channel_that_nobody_hears_gives_way_or_is_removed(with_channels, surroundings):
    foreign = with_channels((3, 865_000_000))
    assert new_channel.enqueue(foreign, surroundings()) == [(one,) for one in ADDED]
    channels = [(one.ch_index, one.frequency_hz) for one in ADDED]
    more = with_channels(*channels, (9, 865_000_000))
    assert new_channel.enqueue(more, surroundings()) == [(NewChannelReq(9, 0, 0, 0),)]


def test_other_data_rates_are_told_at_the_same_index(device, surroundings):
    session = device.session()
    first, *others = session.radio.extra_channels
    radio = msgspec.structs.replace(
        session.radio,
        extra_channels=(msgspec.structs.replace(first, max_data_rate=3), *others),
    )
    changed = msgspec.structs.replace(session, radio=radio)
    assert new_channel.enqueue(changed, surroundings()) == [(ADDED[0],)]


def test_sixteen_channels_are_the_most(with_channels, surroundings, want):
    """Beyond them nothing is asked; the device has no place for it."""
    wanted = want()
    many = tuple(ChannelState(index, 863_000_000 + 200_000 * index) for index in range(3, 16))
    heard = surroundings(
        wanted=msgspec.structs.replace(
            wanted, extra_channels=(*many, ChannelState(16, 869_800_000))
        )
    )
    session = with_channels(*((one.index, one.frequency_hz) for one in many))
    assert not new_channel.needs(session, heard)


def test_an_accepted_channel_is_enabled_at_once(with_channels, surroundings, asked):
    session = asked(with_channels(enabled=(0, 1)), ADDED[1])
    radio = new_channel.handle(NewChannelAns(), session, surroundings()).session.radio
    assert radio.extra_channels == (ChannelState(4, 867_300_000),)
    assert radio.enabled_channels == (0, 1, 4)


def test_where_all_are_enabled_all_stay_so(with_channels, surroundings, asked):
    session = asked(with_channels(), ADDED[0])
    radio = new_channel.handle(NewChannelAns(), session, surroundings()).session.radio
    assert radio.enabled_channels == ()


def test_an_accepted_removal_takes_the_channel_away(with_channels, surroundings, asked):
    session = with_channels((9, 865_000_000), enabled=(0, 9))
    session = asked(session, NewChannelReq(9, 0, 0, 0))
    radio = new_channel.handle(NewChannelAns(), session, surroundings()).session.radio
    assert radio.extra_channels == ()
    assert radio.enabled_channels == (0,)


def test_answers_belong_to_requests_in_their_order(with_channels, surroundings, asked):
    session = asked(with_channels(), *ADDED[:2])
    first = new_channel.handle(NewChannelAns(False, True), session, surroundings())
    second = new_channel.handle(NewChannelAns(), first.session, surroundings())
    assert first.declined == str(ADDED[0])
    assert [one.frequency_hz for one in second.session.radio.extra_channels] == [867_300_000]
    assert second.session.requests == ()


def test_fixed_plans_have_no_such_command(make_device, surroundings, want):
    session = make_device(plan=plan("US915")).session()
    assert not new_channel.needs(session, surroundings(wanted=want("US915")))


@pytest.mark.parametrize("flags", [(False, True), (True, False), (False, False)])
def test_a_refused_channel_is_not_asked_again_and_the_others_are(
    with_channels, surroundings, asked, flags
):
    session = asked(with_channels(), ADDED[0])
    handled = new_channel.handle(NewChannelAns(*flags), session, surroundings())
    assert handled.session.radio == session.radio
    assert handled.declined == str(ADDED[0])
    again = schedule(handled.session, surroundings(), ()).requests
    told = [one for one in again if isinstance(one, NewChannelReq)]
    assert ADDED[0] not in told
    assert ADDED[1] in told


def test_an_answer_that_nobody_asked_for_changes_nothing(
    with_channels, surroundings, is_named_unasked
):
    for flags in ((True, True), (False, True)):
        answer = NewChannelAns(*flags)
        is_named_unasked(new_channel, answer, with_channels(), surroundings())
