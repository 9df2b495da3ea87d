from __future__ import annotations

import pytest

from bittern.lorawan.commands import DlChannelAns, DlChannelReq
from bittern.lorawan.regions import plan
from bittern.lorawan.versions import MacVersion
from bittern.mac.commands import dl_channel
from bittern.mac.commands.notices import CommandProblem
from bittern.mac.windows import windows

MOVED = ((868_100_000, 865_100_000), (867_300_000, 865_300_000))
FIRST, SECOND = DlChannelReq(0, 865_100_000), DlChannelReq(4, 865_300_000)


def test_channels_are_moved_one_after_the_other(device, surroundings, want, asked):
    heard = surroundings(wanted=want(downlink_frequencies_hz=MOVED))
    session = device.session()
    for request in (FIRST, SECOND):
        assert dl_channel.needs(session, heard)
        assert dl_channel.enqueue(session, heard) == [(request,)]
        handled = dl_channel.handle(DlChannelAns(), asked(session, request), heard)
        assert handled.must_confirm
        session = handled.session
    assert not dl_channel.needs(session, heard)


def test_rx1_is_where_it_was_moved_to(device, surroundings, want, asked):
    heard = surroundings(wanted=want(downlink_frequencies_hz=MOVED))
    session = asked(device.session(), FIRST)
    session = dl_channel.handle(DlChannelAns(), session, heard).session
    assert windows(session, device.plan, 5, 868_100_000).rx1.frequency_hz == 865_100_000
    assert windows(session, device.plan, 5, 868_300_000).rx1.frequency_hz == 868_300_000


def test_what_is_no_longer_wanted_is_moved_back(device, surroundings, want, asked):
    heard = surroundings(wanted=want(downlink_frequencies_hz=MOVED))
    session = asked(device.session(), SECOND)
    session = dl_channel.handle(DlChannelAns(), session, heard).session
    back = DlChannelReq(4, 867_300_000)
    heard = surroundings()
    assert dl_channel.enqueue(session, heard) == [(back,)]
    radio = session.radio
    channel = next(one for one in radio.extra_channels if one.index == 4)
    assert channel.downlink_frequency_hz == 865_300_000


@pytest.mark.parametrize("flags", [(False, True), (True, False)])
def test_a_refused_channel_does_not_keep_the_others_back(device, surroundings, want, asked, flags):
    heard = surroundings(wanted=want(downlink_frequencies_hz=MOVED))
    session = asked(device.session(), FIRST)
    handled = dl_channel.handle(DlChannelAns(*flags), session, heard)
    assert handled.declined == str(FIRST)
    assert dl_channel.enqueue(handled.session, heard) == [(SECOND,)]


def test_versions_and_regions_without_the_command_are_not_told(make_device, surroundings, want):
    old = make_device(MacVersion.LORAWAN_1_0_1)
    heard = surroundings(wanted=want(downlink_frequencies_hz=MOVED))
    assert not dl_channel.needs(old.session(), heard)
    fixed = make_device(plan=plan("US915"))
    heard = surroundings(wanted=want("US915", downlink_frequencies_hz=MOVED))
    assert not dl_channel.needs(fixed.session(), heard)


@pytest.mark.parametrize("region", ["EU868", "US915"])
def test_an_answer_that_nobody_asked_for_is_named(device, surroundings, want, region):
    session = device.session()
    handled = dl_channel.handle(DlChannelAns(), session, surroundings(wanted=want(region)))
    assert handled.problem is CommandProblem.NOT_ASKED
    assert handled.session is session


@pytest.mark.parametrize("flags", [(True, True), (False, True), (True, False)])
def test_the_answer_is_repeated_until_it_is_confirmed(
    device, surroundings, want, asked, is_repeated_until_confirmed, flags
):
    heard = surroundings(wanted=want(downlink_frequencies_hz=MOVED))
    session = asked(device.session(), FIRST)
    is_repeated_until_confirmed(dl_channel, DlChannelAns(*flags), session, heard)


def test_what_was_refused_is_not_asked_again(device, surroundings, want, asked, is_not_asked_again):
    heard = surroundings(wanted=want(downlink_frequencies_hz=MOVED[:1]))
    session = asked(device.session(), FIRST)
    refusing = dl_channel.handle(DlChannelAns(False, True), session, heard).session
    is_not_asked_again(dl_channel, refusing, heard)
