from __future__ import annotations

import random

import pytest

from bittern.simulator.complaint import Complaint, Objection
from bittern.simulator.radio import KEEP, DeviceRadio, LinkAdr
from bittern.simulator.regions import AS923_1, AU915, EU868, US915


def eu868(data_rate: int = 5) -> DeviceRadio:
    return DeviceRadio.of(EU868, data_rate)


def us915(*sub_bands: int, data_rate: int = 3) -> DeviceRadio:
    return DeviceRadio.of(US915, data_rate, sub_bands)


def link_adr(data_rate=KEEP, tx_power=KEEP, ch_mask=0b111, cntl=0, nb_trans=0) -> LinkAdr:
    return LinkAdr(data_rate, tx_power, ch_mask, cntl, nb_trans)


def test_channel_is_one_of_the_data_rates() -> None:
    radio = us915(2)
    chance = random.Random(3)
    assert {radio.choose_channel(chance) for _ in range(200)} == set(range(8, 16))
    radio.data_rate = 4
    assert radio.choose_channel(chance) == 65


def test_no_channel_of_the_data_rate_is_an_error() -> None:
    radio = eu868(data_rate=6)
    with pytest.raises(ValueError, match="no enabled channel has data rate 6"):
        radio.choose_channel(random.Random(0))


def test_link_adr_request_is_unpacked() -> None:
    assert LinkAdr.unpack(b"\x52\xff\x00\x61") == LinkAdr(5, 2, 0x00FF, 6, 1)


def test_link_adr_is_obeyed() -> None:
    radio = eu868()
    assert radio.link_adr([link_adr(3, 4, 0b101, nb_trans=2)]) == 0b111
    assert (radio.data_rate, radio.tx_power, radio.nb_trans) == (3, 4, 2)
    assert radio.enabled == {0, 2}


def test_link_adr_keeps_what_it_is_told_to_keep() -> None:
    radio = eu868()
    radio.tx_power = 6
    assert radio.link_adr([link_adr()]) == 0b111
    assert (radio.data_rate, radio.tx_power, radio.nb_trans) == (5, 6, 1)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (link_adr(ch_mask=0b1000), 0b110),
        (link_adr(ch_mask=0), 0b110),
        (link_adr(cntl=5), 0b110),
        (link_adr(data_rate=6), 0b101),
        (link_adr(data_rate=14), 0b101),
        (link_adr(tx_power=8), 0b011),
        (link_adr(data_rate=9, tx_power=9, ch_mask=0x8000), 0),
    ],
)
def test_link_adr_that_cannot_be_changes_nothing(request_: LinkAdr, status: int) -> None:
    radio = eu868()
    assert radio.link_adr([request_]) == status
    assert (radio.data_rate, radio.tx_power, radio.enabled) == (5, 0, {0, 1, 2})


def test_us915_masks_of_a_block_add_up() -> None:
    radio = us915()
    block = [link_adr(ch_mask=0b10, cntl=7), link_adr(data_rate=2, ch_mask=0xFF00, cntl=0)]
    assert radio.link_adr(block) == 0b111
    assert radio.enabled == {65, *range(8, 16)}
    assert radio.data_rate == 2


@pytest.mark.parametrize(
    ("cntl", "mask", "enabled"),
    [
        (1, 0x0001, {*range(16), 16, *range(32, 72)}),
        (4, 0x0081, {*range(64), 64, 71}),
        (5, 0x0003, {*range(16), 64, 65}),
        (6, 0x0001, {*range(64), 64}),
    ],
)
def test_us915_mask_controls(cntl: int, mask: int, enabled: set[int]) -> None:
    radio = us915()
    assert radio.link_adr([link_adr(ch_mask=mask, cntl=cntl)]) == 0b111
    assert radio.enabled == enabled


def test_rx_parameters_are_set_together_or_not() -> None:
    radio = eu868()
    assert radio.rx_param_setup(2, 9, 869_525_000) == 0b101
    assert radio.rx_param_setup(6, 3, 870_100_000) == 0b010
    assert (radio.rx1_dr_offset, radio.rx2_data_rate) == (0, 0)
    assert radio.rx_param_setup(2, 3, 869_000_000) == 0b111
    window = radio.rx2_window()
    assert (window.frequency_hz, window.data_rate) == (869_000_000, 3)


def test_channels_come_and_go() -> None:
    radio = eu868()
    assert radio.new_channel(3, 867_100_000, 0x50) == 0b11
    assert radio.channels[3].frequency_hz == 867_100_000
    assert radio.new_channel(4, 433_000_000, 0x50) == 0b10
    assert radio.new_channel(4, 867_100_000, 0x05) == 0b01
    assert radio.new_channel(0, 867_100_000, 0x50) == 0
    assert radio.new_channel(3, 0, 0) == 0b11
    assert sorted(radio.channels) == [0, 1, 2]


def test_downlink_channel_moves_rx1() -> None:
    radio = eu868()
    assert radio.dl_channel(1, 869_000_000) == 0b11
    assert radio.dl_channel(9, 869_000_000) == 0b01
    assert radio.dl_channel(1, 900_000_000) == 0b10
    rx1, _ = radio.windows(radio.emission(b"", 1, 5), join=False)
    assert rx1.frequency_hz == 869_000_000


def test_mask_list_of_us915_is_obeyed() -> None:
    radio = us915()
    masks = (0xFF00, 0, 0, 0, 0x0002)
    radio.apply_cf_list(b"".join(m.to_bytes(2, "little") for m in masks) + bytes(5) + b"\x01")
    assert radio.enabled == {65, *range(8, 16)}


def test_mask_list_without_a_channel_is_objected_to() -> None:
    with pytest.raises(Objection) as caught:
        us915().apply_cf_list(bytes(15) + b"\x01")
    assert caught.value.complaint is Complaint.IMPOSSIBLE_PARAMETER


def test_device_refuses_what_it_has_less_of_than_its_region() -> None:
    radio = eu868(data_rate=3)
    radio.max_tx_power, radio.max_data_rate = 4, 4
    assert radio.link_adr([link_adr(5, 0)]) == 0b101
    assert radio.link_adr([link_adr(4, 5)]) == 0b011
    assert radio.link_adr([link_adr(4, 4)]) == 0b111


def test_default_channels_come_back() -> None:
    radio = eu868()
    radio.enabled = {1}
    radio.enable_defaults()
    assert radio.enabled == {0, 1, 2}


# Regions with dwell time


def test_au915_joins_at_dr2_and_dr6_in_turns() -> None:
    radio, chance = DeviceRadio.of(AU915, 5, (2,)), random.Random(1)
    choices = [radio.choose_join_channel(chance, attempt) for attempt in range(6)]
    assert [data_rate for _, data_rate in choices] == [2, 6, 2, 6, 2, 6]
    assert {channel for channel, data_rate in choices if data_rate == 6} == {65}
    assert {channel for channel, data_rate in choices if data_rate == 2} <= set(range(8, 16))


def test_au915_answers_join_and_data_on_its_500_khz_channels() -> None:
    radio = DeviceRadio.of(AU915, 5, (2,))
    rx1, rx2 = radio.windows(radio.emission(bytes(23), 9, 2), join=True)
    assert (rx1.delay_s, rx1.frequency_hz, rx1.data_rate) == (5, 923_900_000, 10)
    assert (rx2.delay_s, rx2.frequency_hz, rx2.data_rate) == (6, 923_300_000, 8)
    rx1, _ = radio.windows(radio.emission(bytes(23), 65, 6), join=False)
    assert (rx1.frequency_hz, rx1.data_rate) == (923_900_000, 13)


def test_uplinks_are_short_until_the_network_lifts_the_dwell_time() -> None:
    radio = DeviceRadio.of(AS923_1, 2)
    assert radio.emission(bytes(24), 0, 2).data_rate == 2
    with pytest.raises(ValueError, match="25 bytes are too long for data rate 2"):
        radio.emission(bytes(25), 0, 2)
    assert not radio.can_send(1)
    radio.tx_param_setup(0x05)
    assert radio.emission(bytes(128), 0, 2).data_rate == 2
    assert radio.can_send(0)


def test_data_rate_too_slow_for_the_dwell_time_is_refused_and_left() -> None:
    radio = DeviceRadio.of(AS923_1, 5)
    slower = [link_adr(data_rate=1, ch_mask=0b11)]
    assert radio.link_adr(slower) == 0b101
    radio.tx_param_setup(0x05)
    assert radio.link_adr(slower) == 0b111
    assert radio.data_rate == 1
    radio.tx_param_setup(0x15)
    assert radio.data_rate == 2


def test_downlink_dwell_time_makes_rx1_of_data_frames_faster() -> None:
    radio = DeviceRadio.of(AS923_1, 0)
    radio.tx_param_setup(0x25)
    sent = radio.emission(bytes(23), 0, 0)
    assert radio.windows(sent, join=False)[0].data_rate == 2
    assert radio.windows(sent, join=True)[0].data_rate == 0


def test_au915_takes_its_blocks_of_nine_channels() -> None:
    radio = DeviceRadio.of(AU915, 5)
    assert radio.link_adr([link_adr(data_rate=5, ch_mask=0b10, cntl=5)]) == 0b111
    assert radio.enabled == {*range(8, 16), 65}


def test_as923_takes_its_list_of_frequencies() -> None:
    radio = DeviceRadio.of(AS923_1, 5)
    listed = (922_000_000, 922_200_000, 0, 0, 0)
    packed = b"".join((hz // 100).to_bytes(3, "little") for hz in listed)
    radio.apply_cf_list(packed + b"\x00")
    assert {i: radio.channels[i].frequency_hz for i in (2, 3)} == {2: 922_000_000, 3: 922_200_000}
    assert radio.enabled == {0, 1, 2, 3}
