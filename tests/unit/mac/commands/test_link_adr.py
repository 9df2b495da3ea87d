from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan.commands import LinkADRAns, LinkADRReq, NewChannelReq, pack_commands
from bittern.lorawan.regions import plan
from bittern.lorawan.versions import MacVersion
from bittern.mac.adr import record
from bittern.mac.commands import link_adr
from bittern.mac.commands.notices import CommandProblem
from bittern.mac.commands.requests import sent, was_refused

V = MacVersion
US915 = plan("US915")
ALL = 0b1111_1111
GOOD = b"".join(bytes((0, round((30.0 + 64) * 2))) for _ in range(20))
"""Twenty uplinks with 30 dB."""


def with_radio(session, history: bytes = b"", **fields):
    radio = msgspec.structs.replace(session.radio, **fields)
    return msgspec.structs.replace(session, radio=radio, uplink_history=history)


@pytest.fixture
def slow(device):
    """A session at DR0 with much to spare."""
    return with_radio(device.session(), GOOD, data_rate=0)


@pytest.fixture
def adr(surroundings):
    return surroundings(adr=True, data_rate=0)


def blocks(session, heard) -> list[tuple[LinkADRReq, ...]]:
    return [tuple(block) for block in link_adr.enqueue(session, heard)]


def ask(session, *blocks):
    for block in blocks:
        session = sent(session, pack_commands(block))
    return session


# ADR


def test_a_better_setting_is_told_with_all_channels(slow, adr):
    assert link_adr.needs(slow, adr)
    request = LinkADRReq(data_rate=5, tx_power=7, ch_mask=ALL, ch_mask_cntl=0, nb_trans=1)
    assert blocks(slow, adr) == [(request,)]


def test_a_device_at_its_best_is_left_alone(slow, adr):
    settled = with_radio(slow, GOOD, data_rate=5, tx_power=7)
    assert not link_adr.needs(settled, adr)


def test_a_device_without_adr_keeps_its_setting(slow, surroundings):
    assert not link_adr.needs(slow, surroundings(data_rate=0))


def test_where_the_policy_has_no_adr_nothing_is_told(slow, surroundings, want):
    heard = surroundings(adr=True, data_rate=0, wanted=want(policy={"adr_algorithm": ""}))
    assert not link_adr.needs(slow, heard)


def test_the_bounds_of_the_policy_hold_from_the_first_uplink(device, surroundings, want):
    policy = {"dr_min": 2, "tx_power_index_min": 1, "nb_trans_min": 2}
    heard = surroundings(adr=True, data_rate=0, wanted=want(policy=policy))
    session = with_radio(device.session(), record(b"", lost=0, snr_db=-10.0), data_rate=0)
    ((request,),) = blocks(session, heard)
    assert (request.data_rate, request.tx_power, request.nb_trans) == (2, 1, 2)


def test_the_mobile_algorithm_is_at_hand(slow, surroundings, want):
    heard = surroundings(adr=True, data_rate=0, wanted=want(policy={"adr_algorithm": "mobile"}))
    ((request,),) = blocks(slow, heard)
    assert (request.data_rate, request.tx_power) == (5, 0)


def test_what_the_device_accepts_is_believed_and_measured_anew(slow, adr):
    (block,) = blocks(slow, adr)
    (handled,) = link_adr.handle([LinkADRAns()], ask(slow, block), adr)
    radio = handled.session.radio
    assert (radio.data_rate, radio.tx_power, radio.nb_trans) == (5, 7, 1)
    assert handled.session.uplink_history == b""
    assert handled.session.requests == ()


def test_new_channels_are_awaited_before_a_mask_is_told(slow, adr):
    session = slow
    for attempt in range(link_adr.PATIENCE + 1):
        earlier = session.requests[0] if session.requests else None
        session = msgspec.structs.replace(session, fcnt_up=attempt)
        session = sent(session, NewChannelReq(3, 867_100_000, 0, 5).pack(), earlier)
        assert link_adr.needs(session, adr) is (attempt == link_adr.PATIENCE)


# Refusals


def test_a_refused_setting_changes_nothing_and_is_remembered(slow, adr):
    (block,) = blocks(slow, adr)
    answer = LinkADRAns(channel_mask_ack=True, data_rate_ack=True, power_ack=False)
    (handled,) = link_adr.handle([answer], ask(slow, block), adr)
    assert handled.session.radio == slow.radio
    assert was_refused(handled.session, block)
    assert "LinkADRReq" in handled.declined


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        # The next higher power, the next slower data rate.
        (LinkADRAns(True, True, False), (5, 6)),
        (LinkADRAns(True, False, True), (4, 7)),
        (LinkADRAns(True, False, False), (4, 6)),
    ],
)
def test_what_was_refused_is_avoided(slow, adr, answer, told):
    (block,) = blocks(slow, adr)
    (handled,) = link_adr.handle([answer], ask(slow, block), adr)
    ((request,),) = blocks(handled.session, adr)
    assert (request.data_rate, request.tx_power) == told


def test_a_device_that_refuses_everything_faster_is_left_where_it_is(slow, adr):
    session = slow
    for data_rate in range(5, 0, -1):
        (block,) = blocks(session, adr)
        assert block[0].data_rate == data_rate
        answer = LinkADRAns(True, False, True)
        (handled,) = link_adr.handle([answer], ask(session, block), adr)
        session = handled.session
    ((request,),) = blocks(session, adr)
    assert request.data_rate == 0


def test_a_refused_mask_is_not_blamed_on_the_data_rate(make_device, surroundings, want):
    """DR3 is impossible only because the mask is."""
    heard = surroundings(
        wanted=want("US915"), adr=True, data_rate=3, frequency_hz=903_900_000, sub_bands=(2,)
    )
    session = with_radio(make_device(V.LORAWAN_1_0_4, plan=US915).session(), data_rate=3)
    (block,) = blocks(session, heard)
    (handled,) = link_adr.handle([LinkADRAns(False, False, True)], ask(session, block), heard)
    assert not link_adr.needs(handled.session, heard)


def test_a_device_that_refuses_its_channels_is_told_the_defaults(slow, adr):
    """Its profile names channels that it does not have."""
    (block,) = blocks(slow, adr)
    (handled,) = link_adr.handle([LinkADRAns(False, True, True)], ask(slow, block), adr)
    (block,) = blocks(handled.session, adr)
    assert [(one.data_rate, one.ch_mask) for one in block] == [(5, 0b111)]
    (handled,) = link_adr.handle([LinkADRAns()], ask(handled.session, block), adr)
    assert handled.session.radio.enabled_channels == (0, 1, 2)
    assert not link_adr.needs(handled.session, adr)


# Channels of fixed plans


@pytest.fixture
def american(make_device):
    def make(version: MacVersion = V.LORAWAN_1_0_4, **radio: object):
        return with_radio(make_device(version, plan=US915).session(), **{"data_rate": 3, **radio})

    return make


@pytest.fixture
def in_sub_band_2(surroundings, want):
    return surroundings(wanted=want("US915"), data_rate=3, frequency_hz=903_900_000, sub_bands=(2,))


SUB_BAND_2 = (*range(8, 16), 65)


def test_a_device_is_masked_to_what_is_heard_where_it_is(american, in_sub_band_2):
    session = american()
    assert link_adr.needs(session, in_sub_band_2)
    (block,) = blocks(session, in_sub_band_2)
    assert [(one.ch_mask_cntl, one.ch_mask) for one in block] == [(7, 0b10), (0, 0xFF00)]
    (handled,) = link_adr.handle([LinkADRAns()] * 2, ask(session, block), in_sub_band_2)
    assert handled.session.radio.enabled_channels == SUB_BAND_2
    assert not link_adr.needs(handled.session, in_sub_band_2)


def test_a_device_without_adr_keeps_its_data_rate_by_15_where_it_knows_that(
    american, in_sub_band_2
):
    for version, told in ((V.LORAWAN_1_0_4, (15, 15)), (V.LORAWAN_1_0_3, (3, 2))):
        (block,) = blocks(american(version, tx_power=2), in_sub_band_2)
        assert {(one.data_rate, one.tx_power) for one in block} == {told}


@pytest.mark.parametrize("count", [1, 2])
def test_a_block_may_have_one_answer_or_one_for_each(american, in_sub_band_2, count):
    session = american()
    (block,) = blocks(session, in_sub_band_2)
    (handled,) = link_adr.handle([LinkADRAns()] * count, ask(session, block), in_sub_band_2)
    assert handled.problem is None
    assert handled.session.radio.enabled_channels == SUB_BAND_2


def test_answers_that_disagree_are_a_refusal_and_a_problem(american, in_sub_band_2):
    session = american()
    (block,) = blocks(session, in_sub_band_2)
    answers = [LinkADRAns(), LinkADRAns(False, True, True)]
    (handled,) = link_adr.handle(answers, ask(session, block), in_sub_band_2)
    assert handled.problem is CommandProblem.ANSWERS_DISAGREE
    assert handled.declined
    assert handled.session.radio.enabled_channels == ()
    assert handled.session.radio.link_uncertain


def test_an_answer_too_many_was_not_asked_for(american, in_sub_band_2):
    session = american()
    (block,) = blocks(session, in_sub_band_2)
    first, second = link_adr.handle([LinkADRAns()] * 3, ask(session, block), in_sub_band_2)
    assert first.problem is None
    assert second.problem is CommandProblem.NOT_ASKED
    assert second.session is first.session


def test_an_answer_that_nobody_asked_for_changes_nothing(device, surroundings):
    session = device.session()
    (handled,) = link_adr.handle([LinkADRAns()], session, surroundings())
    assert handled.problem is CommandProblem.NOT_ASKED
    assert handled.session is session


def test_a_better_setting_alone_takes_one_command(american, in_sub_band_2):
    session = with_radio(american(enabled_channels=SUB_BAND_2), GOOD, data_rate=0)
    heard = msgspec.structs.replace(in_sub_band_2, adr=True)
    ((request,),) = blocks(session, heard)
    assert (request.data_rate, request.ch_mask_cntl, request.ch_mask) == (3, 0, 0xFF00)
    (handled,) = link_adr.handle([LinkADRAns()], ask(session, (request,)), heard)
    assert handled.session.radio.enabled_channels == SUB_BAND_2


# Before 1.0.2


def test_before_1_0_2_each_request_stands_for_itself(american, in_sub_band_2):
    session = american(V.LORAWAN_1_0_1)
    told = blocks(session, in_sub_band_2)
    assert [len(block) for block in told] == [1] * 5
    masks = [(one.ch_mask_cntl, one.ch_mask) for (one,) in told]
    assert masks == [(0, 0xFF00), (4, 0b10), (1, 0), (2, 0), (3, 0)]
    answers = [LinkADRAns()] * 4 + [LinkADRAns(False, True, True)]
    handled = link_adr.handle(answers, ask(session, *told), in_sub_band_2)
    assert [bool(one.declined) for one in handled] == [False] * 4 + [True]
    enabled = handled[-1].session.radio.enabled_channels
    assert enabled == (*range(8, 16), *range(48, 64), 65)


# Telling again


def test_a_device_that_may_have_fallen_back_is_told_everything(american, in_sub_band_2):
    session = american(enabled_channels=SUB_BAND_2, tx_power=2, nb_trans=2, link_uncertain=True)
    heard = msgspec.structs.replace(in_sub_band_2, adr=True)
    assert link_adr.needs(session, heard)
    (block,) = blocks(session, heard)
    assert len(block) == 2, "the channels are told, too"
    assert {(one.data_rate, one.tx_power, one.nb_trans) for one in block} == {(3, 2, 2)}
    (handled,) = link_adr.handle([LinkADRAns()], ask(session, block), heard)
    assert not handled.session.radio.link_uncertain
    assert not link_adr.needs(handled.session, heard)


def test_a_device_without_adr_is_not_told_where_it_may_be(device, surroundings):
    session = with_radio(device.session(), data_rate=5, link_uncertain=True)
    assert not link_adr.needs(session, surroundings())


def test_a_request_under_way_is_kept_while_the_device_is_well(slow, adr):
    session = ask(slow, *blocks(slow, adr))
    changed = msgspec.structs.replace(session, uplink_history=b"")
    assert link_adr.revise(changed, adr) is changed


def test_a_request_that_the_device_has_outlived_is_given_up(slow, adr):
    session = ask(slow, *blocks(slow, adr))
    asking = msgspec.structs.replace(adr, adr_ack_req=True)
    assert link_adr.revise(session, asking) is session, "it is still right"
    revised = link_adr.revise(msgspec.structs.replace(session, uplink_history=b""), asking)
    assert revised.requests == ()
    assert revised.radio.link_uncertain


def test_a_request_of_other_kinds_is_never_given_up(device, adr):
    session = sent(device.session(), bytes((0x04, 3)))
    asking = msgspec.structs.replace(adr, adr_ack_req=True)
    assert link_adr.revise(session, asking) is session
