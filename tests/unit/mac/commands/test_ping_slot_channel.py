from __future__ import annotations

import pytest

from bittern.lorawan.commands import PingSlotChannelAns, PingSlotChannelReq
from bittern.lorawan.versions import MacVersion
from bittern.mac.commands import ping_slot_channel

REQUEST = PingSlotChannelReq(868_500_000, 4)


@pytest.fixture
def heard(surroundings, want):
    return surroundings(
        wanted=want(
            supports_class_b=True, ping_slot_frequency_hz=868_500_000, ping_slot_data_rate=4
        )
    )


def test_another_channel_is_told_and_believed_once_it_is_answered(device, heard, asked):
    session = device.session()
    assert ping_slot_channel.needs(session, heard)
    assert ping_slot_channel.enqueue(session, heard) == [(REQUEST,)]
    handled = ping_slot_channel.handle(PingSlotChannelAns(), asked(session, REQUEST), heard)
    radio = handled.session.radio
    assert (radio.ping_slot_frequency_hz, radio.ping_slot_data_rate) == (868_500_000, 4)
    assert handled.must_confirm
    assert not ping_slot_channel.needs(handled.session, heard)


def test_the_regions_channel_is_not_told(device, surroundings, want):
    region = device.plan.class_b.ping_slot_data_rate
    for data_rate in (None, region):
        heard = surroundings(wanted=want(supports_class_b=True, ping_slot_data_rate=data_rate))
        assert not ping_slot_channel.needs(device.session(), heard)


@pytest.mark.parametrize("flags", [(False, True), (True, False)])
def test_a_refusal_leaves_the_ping_slots_where_they_are(device, heard, asked, flags):
    session = asked(device.session(), REQUEST)
    handled = ping_slot_channel.handle(PingSlotChannelAns(*flags), session, heard)
    assert handled.session.radio == session.radio
    assert handled.declined == str(REQUEST)


def test_devices_without_class_b_and_before_1_0_3_are_not_told(make_device, heard, surroundings):
    assert not ping_slot_channel.needs(make_device().session(), surroundings())
    old = make_device(MacVersion.LORAWAN_1_0_2)
    assert not ping_slot_channel.needs(old.session(), heard)


@pytest.mark.parametrize("flags", [(False, True), (True, False)])
def test_what_was_refused_is_not_asked_again(device, heard, asked, is_not_asked_again, flags):
    session = asked(device.session(), REQUEST)
    refusing = ping_slot_channel.handle(PingSlotChannelAns(*flags), session, heard).session
    is_not_asked_again(ping_slot_channel, refusing, heard)


@pytest.mark.parametrize("flags", [(True, True), (False, True), (True, False)])
def test_the_answer_is_repeated_until_it_is_confirmed(
    device, heard, asked, is_repeated_until_confirmed, flags
):
    session = asked(device.session(), REQUEST)
    is_repeated_until_confirmed(ping_slot_channel, PingSlotChannelAns(*flags), session, heard)


def test_an_answer_that_nobody_asked_for_changes_nothing(device, heard, is_named_unasked):
    is_named_unasked(ping_slot_channel, PingSlotChannelAns(), device.session(), heard)
