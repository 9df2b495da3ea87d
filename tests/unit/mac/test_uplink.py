from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.lorawan.commands import DeviceTimeReq, LinkCheckReq
from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.mac import uplink
from bittern.mac.refused import Refused
from bittern.mac.session import MAX_REPEATS, NO_FCNT, AwaitedAck, ChannelState
from bittern.mac.uplink import Accepted, Retransmission, next_fcnt
from bittern.types import DevAddr, Instant, Refusal

NOW = Instant(1_700_000_000.0)


def refusal(outcome: object) -> Refusal:
    assert isinstance(outcome, Refused), outcome
    return outcome.refusal


def awaiting(message_id: str, fcnt_down: int, *earlier: AwaitedAck) -> dict[str, object]:
    """Fields of a session whose last downlinks were confirmed ones."""
    last = AwaitedAck(message_id, fcnt_down)
    return {"awaited_ack": last, "confirmed_down": (last, *earlier)}


# A frame that is let in


def test_a_published_frame_is_verified_and_decrypted(make_device, hear):
    # From the documentation of lora-packet.
    device = make_device(dev_addr=DevAddr.from_hex("49be7df1"))
    device.keys = SessionKeys.of_1_0(
        bytes.fromhex("44024241ed4ce9a68c6a8bc055233fd3"),
        bytes.fromhex("ec925802ae430ca77fd3dd73cb2cc588"),
    )
    heard = hear(bytes.fromhex("40f17dbe4900020001954378762b11ff0d"), device.session())
    assert isinstance(heard, Accepted)
    assert (heard.fcnt, heard.fport, heard.payload) == (2, 1, b"test")


def test_an_accepted_frame_moves_the_session_on(device, hear):
    before = device.session(fcnt_up=6, revision=3, pending=True, repeats=2)
    heard = hear(device.uplink(7, b"hello", fport=10), before)
    assert isinstance(heard, Accepted)
    assert heard.before is before
    after = heard.after
    assert (after.revision, after.fcnt_up, after.pending, after.repeats) == (4, 7, False, 0)
    assert after.last_uplink_at == NOW
    assert heard.payload == b"hello"
    assert not heard.confirmed


@pytest.mark.parametrize("flag", ["confirmed", "adr", "adr_ack_req"])
def test_flags_of_the_frame_are_told(device, hear, flag):
    heard = hear(device.uplink(0, **{flag: True}), device.session())
    assert [name for name in ("confirmed", "adr", "adr_ack_req") if getattr(heard, name)] == [flag]


@pytest.mark.parametrize("version", [MacVersion.LORAWAN_1_0_3, MacVersion.LORAWAN_1_1])
def test_commands_are_read_from_fopts(make_device, hear, version):
    device = make_device(version)
    heard = hear(device.uplink(5, b"data", fport=1, fopts=b"\x02\x0d"), device.session())
    assert heard.commands == (LinkCheckReq(), DeviceTimeReq())
    assert heard.command_problem is None
    assert heard.payload == b"data"


@pytest.mark.parametrize("version", [MacVersion.LORAWAN_1_0_3, MacVersion.LORAWAN_1_1])
def test_commands_are_read_from_port_0(make_device, hear, version):
    device = make_device(version)
    heard = hear(device.uplink(5, b"\x0d\x02", fport=0), device.session())
    assert heard.commands == (DeviceTimeReq(), LinkCheckReq())
    assert heard.fport == 0


def test_an_unknown_command_does_not_spoil_the_frame(device, hear):
    heard = hear(device.uplink(5, b"data", fport=1, fopts=b"\x02\x7f\x0d"), device.session())
    assert isinstance(heard, Accepted)
    assert heard.commands == (LinkCheckReq(),)
    assert "0x7f" in heard.command_problem
    assert heard.payload == b"data"


# Counters


def test_the_first_frame_may_have_any_counter_within_the_gap(device, hear):
    assert hear(device.uplink(0), device.session()).fcnt == 0
    assert hear(device.uplink(16383), device.session()).fcnt == 16383


@given(last=st.integers(-1, (1 << 32) - 1), fcnt16=st.integers(0, 0xFFFF))
def test_the_full_counter_is_the_lowest_above_the_last(last, fcnt16):
    full = next_fcnt(last, fcnt16)
    assert full & 0xFFFF == fcnt16
    assert last < full <= last + 0x10000


@given(last=st.integers(-1, (1 << 32) - 70_000), lost=st.integers(0, 0xFFFF))
def test_the_network_follows_a_device_over_every_rollover(last, lost):
    sent = last + 1 + lost
    assert next_fcnt(last, sent & 0xFFFF) == sent


def test_a_counter_rolls_over_its_low_half(device, hear):
    heard = hear(device.uplink(0x1_0003), device.session(fcnt_up=0xFFFE))
    assert heard.fcnt == 0x1_0003


def test_a_counter_too_far_above_the_last_is_refused(device, hear):
    outcome = hear(device.uplink(10 + 16385), device.session(fcnt_up=10))
    assert refusal(outcome) is Refusal.FCNT_TOO_FAR
    assert "16385" in outcome.reason
    assert isinstance(hear(device.uplink(10 + 16384), device.session(fcnt_up=10)), Accepted)


@pytest.mark.parametrize("version", [MacVersion.LORAWAN_1_0_4, MacVersion.LORAWAN_1_1])
def test_later_versions_have_no_such_gap(make_device, hear, version):
    device = make_device(version)
    assert hear(device.uplink(60_000), device.session(fcnt_up=10)).fcnt == 60_000


def test_a_lower_counter_is_a_replay(device, hear):
    outcome = hear(device.uplink(5), device.session(fcnt_up=7))
    assert outcome == Refused(
        Refusal.FCNT_REPLAYED,
        "counter 5 is not above 7, the last one accepted",
        device.session().dev_eui,
    )


def test_a_replay_from_before_the_rollover_is_told_as_such(device, hear):
    outcome = hear(device.uplink(0xFFF0), device.session(fcnt_up=0x1_0005))
    assert refusal(outcome) is Refusal.FCNT_REPLAYED


def test_a_device_that_began_anew_is_told_as_a_replay(device, hear):
    outcome = hear(device.uplink(1), device.session(fcnt_up=0x3_0005))
    assert refusal(outcome) is Refusal.FCNT_REPLAYED


def test_the_last_counter_of_all_is_accepted_and_none_after_it(device, hear):
    last = (1 << 32) - 1
    heard = hear(device.uplink(last), device.session(fcnt_up=last - 1))
    assert heard.fcnt == last
    assert refusal(hear(device.uplink(0), heard.after)) is Refusal.FCNT_EXHAUSTED


def test_a_16_bit_counter_ends_and_does_not_begin_anew(device, hear):
    session = device.session(fcnt_up=0xFFFE, counts_32_bits=False)
    heard = hear(device.uplink(0xFFFF), session)
    assert heard.fcnt == 0xFFFF
    assert refusal(hear(device.uplink(0), heard.after)) is Refusal.FCNT_EXHAUSTED
    assert refusal(hear(device.uplink(3), session)) is Refusal.FCNT_REPLAYED


def test_a_device_that_counts_32_bits_in_spite_of_its_profile_goes_on(device, hear):
    session = device.session(fcnt_up=0xFFFF, counts_32_bits=False)
    heard = hear(device.uplink(0x1_0000), session)
    assert heard.fcnt == 0x1_0000
    assert (session.fcnt_limit, heard.after.fcnt_limit) == (1 << 16, 1 << 32)


# Retransmissions


@pytest.mark.parametrize("confirmed", [True, False])
def test_the_last_frame_once_more_is_a_retransmission(device, hear, confirmed):
    phy_payload = device.uplink(7, b"hello", fport=10, fopts=b"\x02", confirmed=confirmed)
    first = hear(phy_payload, device.session(fcnt_up=6))
    again = hear(phy_payload, first.after)
    assert isinstance(again, Retransmission)
    assert again.before is first.after
    assert (again.fcnt, again.confirmed, again.payload) == (7, confirmed, b"hello")
    assert again.commands == (LinkCheckReq(),)
    assert again.after.fcnt_up == 7
    assert again.after.revision == first.after.revision + 1


def test_a_retransmission_with_a_wrong_mic_is_refused(device, hear):
    phy_payload = device.uplink(7, b"hello", fport=10)[:-1] + b"\x00"
    outcome = hear(phy_payload, device.session(fcnt_up=7))
    assert refusal(outcome) is Refusal.MIC_MISMATCH


def test_a_retransmission_does_not_settle_an_awaited_acknowledgement(device, hear):
    awaited = AwaitedAck("m1", 3)
    again = hear(device.uplink(7), device.session(fcnt_up=7, awaited_ack=awaited))
    assert again.after.awaited_ack == awaited


def test_a_frame_that_comes_more_often_than_any_device_sends_is_a_replay(device, hear):
    session = device.session(fcnt_up=7)
    for _ in range(MAX_REPEATS):
        session = hear(device.uplink(7), session).after
    assert refusal(hear(device.uplink(7), session)) is Refusal.FCNT_REPLAYED
    assert hear(device.uplink(8), session).after.repeats == 0


def test_a_retransmission_of_1_1_acknowledges_again(device_1_1, hear):
    session = device_1_1.session(fcnt_up=6, **awaiting("m1", 70_000))
    phy_payload = device_1_1.uplink(7, ack=True, conf_fcnt=70_000)
    first = hear(phy_payload, session)
    assert first.acked_message_id == "m1"
    assert isinstance(hear(phy_payload, first.after), Retransmission)


# Acknowledgements


def test_an_acknowledgement_names_the_message(device, hear):
    session = device.session(**awaiting("m1", 3))
    heard = hear(device.uplink(1, ack=True), session)
    assert (heard.acked_message_id, heard.missed_message_id) == ("m1", None)
    assert heard.after.awaited_ack is None


def test_an_uplink_without_acknowledgement_names_what_was_missed(device, hear):
    heard = hear(device.uplink(1), device.session(awaited_ack=AwaitedAck("m1", 3)))
    assert (heard.acked_message_id, heard.missed_message_id) == (None, "m1")
    assert heard.after.awaited_ack is None


def test_an_acknowledgement_of_nothing_is_ignored(device, hear):
    heard = hear(device.uplink(1, ack=True), device.session())
    assert (heard.acked_message_id, heard.missed_message_id) == (None, None)


def test_the_mic_of_1_1_covers_the_counter_acknowledged(device_1_1, hear):
    session = device_1_1.session(**awaiting("m1", 9))
    good = device_1_1.uplink(1, ack=True, conf_fcnt=9)
    assert hear(good, session).acked_message_id == "m1"
    wrong = device_1_1.uplink(1, ack=True, conf_fcnt=8)
    assert refusal(hear(wrong, session)) is Refusal.MIC_MISMATCH


@pytest.mark.parametrize(("earlier", "acked", "missed"), [("m1", "m1", None), ("m0", "m0", "m1")])
def test_a_1_1_device_may_have_heard_an_earlier_downlink_only(
    device_1_1, hear, earlier, acked, missed
):
    session = device_1_1.session(**awaiting("m1", 9, AwaitedAck(earlier, 8)))
    phy_payload = device_1_1.uplink(1, ack=True, conf_fcnt=8)
    heard = hear(phy_payload, session)
    assert (heard.acked_message_id, heard.missed_message_id) == (acked, missed)
    assert heard.after.confirmed_down == (AwaitedAck(earlier, 8),)
    assert isinstance(hear(phy_payload, heard.after), Retransmission)


@pytest.mark.parametrize("in_class", ["B", "C"])
@pytest.mark.parametrize(("ack", "kept"), [({"ack": True, "conf_fcnt": 8}, 2), ({}, 3)])
def test_a_1_1_device_may_hear_downlinks_before_it_repeats_an_uplink(
    device_1_1, hear, in_class, ack, kept
):
    """Between two uplinks it is sent more than one, and the first of them is heard late."""
    earlier = AwaitedAck("m1", 8), AwaitedAck("m1", 7)
    session = device_1_1.session(device_class=in_class, **awaiting("m1", 9, *earlier))
    late = hear(device_1_1.uplink(1, **ack), session)
    assert len(late.after.confirmed_down) == kept
    assert isinstance(hear(device_1_1.uplink(2, ack=True, conf_fcnt=9), late.after), Accepted)


# MIC


@pytest.mark.parametrize("version", [MacVersion.LORAWAN_1_0_3, MacVersion.LORAWAN_1_1])
@pytest.mark.parametrize("at", range(-4, 0))
def test_each_byte_of_the_mic_counts(make_device, hear, version, at):
    device = make_device(version)
    broken = bytearray(device.uplink(1, b"x", fport=1))
    broken[at] ^= 0x10
    outcome = hear(bytes(broken), device.session())
    assert refusal(outcome) is Refusal.MIC_MISMATCH
    assert outcome.dev_eui == device.session().dev_eui


def test_the_mic_of_1_1_covers_channel_and_data_rate(device_1_1, hear):
    session = device_1_1.session()
    phy_payload = device_1_1.uplink(1, tx_dr=3, tx_ch=1)
    assert isinstance(hear(phy_payload, session, data_rate=3, frequency_hz=868_300_000), Accepted)
    for data_rate, frequency_hz in ((2, 868_300_000), (3, 868_100_000)):
        outcome = hear(phy_payload, session, data_rate=data_rate, frequency_hz=frequency_hz)
        assert refusal(outcome) is Refusal.MIC_MISMATCH


def test_a_channel_that_the_device_was_given_has_its_index(device_1_1, hear):
    given = ChannelState(index=9, frequency_hz=865_500_000)
    radio = device_1_1.session().radio
    radio = type(radio)(
        rx1_delay_s=1,
        rx1_dr_offset=0,
        rx2_data_rate=0,
        rx2_frequency_hz=869_525_000,
        extra_channels=(given,),
    )
    phy_payload = device_1_1.uplink(1, tx_ch=9)
    heard = hear(phy_payload, device_1_1.session(radio=radio), frequency_hz=865_500_000)
    assert isinstance(heard, Accepted)


def test_a_frequency_that_is_no_channel_of_a_1_1_device_is_named(device_1_1, hear):
    outcome = hear(device_1_1.uplink(1), device_1_1.session(), frequency_hz=863_100_000)
    assert refusal(outcome) is Refusal.MIC_MISMATCH
    assert "863100000 Hz" in outcome.reason


# Candidates


def test_no_session_at_the_address_is_named(device, hear):
    outcome = hear(device.uplink(1))
    assert outcome == Refused(Refusal.UNKNOWN_DEV_ADDR, "no session at 260b1234")


@pytest.mark.parametrize("sender", range(4))
def test_of_devices_that_share_an_address_the_sender_is_found(make_device, hear, sender):
    devices = [make_device(seed=seed) for seed in (1, 2, 3)]
    devices.append(make_device(MacVersion.LORAWAN_1_1, seed=4))
    sessions = [device.session(fcnt_up=10 * i) for i, device in enumerate(devices)]
    heard = hear(devices[sender].uplink(40, b"me", fport=1), *sessions)
    assert heard.before is sessions[sender]
    assert heard.payload == b"me"


@pytest.fixture
def tried(monkeypatch):
    """The counters for which a MIC was computed."""
    counters = []
    original = uplink.data_up_mic_1_0

    def counting(key, msg, dev_addr, fcnt):
        counters.append(fcnt)
        return original(key, msg, dev_addr, fcnt)

    monkeypatch.setattr(uplink, "data_up_mic_1_0", counting)
    return counters


def test_the_nearest_counter_is_tried_first(make_device, hear, tried):
    near, far = make_device(seed=1), make_device(seed=2)
    hear(near.uplink(1001), far.session(fcnt_up=900), near.session(fcnt_up=1000))
    assert tried == [1001]


def test_a_counter_that_cannot_follow_costs_no_mic_before_the_others(make_device, hear, tried):
    sender, other = make_device(seed=1), make_device(seed=2)
    hear(sender.uplink(16_000), other.session(), sender.session(fcnt_up=15_999))
    assert tried == [16_000]


def test_a_forged_frame_costs_few_mics(make_device, hear, tried):
    hear(make_device(seed=9).uplink(5), make_device(seed=1).session(fcnt_up=0x9_0007))
    assert len(tried) <= 3


def test_a_replay_among_several_names_its_device(make_device, hear):
    one, other = make_device(seed=1), make_device(seed=2)
    outcome = hear(other.uplink(5), one.session(), other.session(fcnt_up=9))
    assert refusal(outcome) is Refusal.FCNT_REPLAYED
    assert outcome.dev_eui == other.session().dev_eui


def test_a_stranger_at_a_shared_address_is_nobody(make_device, hear):
    outcome = hear(
        make_device(seed=9).uplink(5), make_device(seed=1).session(), make_device(seed=2).session()
    )
    assert refusal(outcome) is Refusal.MIC_MISMATCH
    assert outcome.dev_eui is None


def test_a_device_heard_in_another_region_is_refused(device, hear):
    outcome = hear(device.uplink(1), device.session(), region="US915", frequency_hz=902_300_000)
    assert refusal(outcome) is Refusal.WRONG_REGION
    assert outcome.reason == "heard in US915, but its device is of EU868"


def test_a_region_is_known_by_its_other_names(device, hear):
    assert isinstance(hear(device.uplink(1), device.session(region="EU863-870")), Accepted)


def test_the_old_and_the_new_session_at_one_address_are_told_apart(make_device, hear):
    old, new = make_device(seed=1), make_device(seed=2)
    sessions = (old.session(fcnt_up=500), new.session(pending=True))
    assert hear(old.uplink(501), *sessions).before is sessions[0]
    assert hear(new.uplink(0), *sessions).before is sessions[1]


def test_nothing_was_accepted_before_the_first_frame(device):
    assert device.session().fcnt_up == NO_FCNT == -1
