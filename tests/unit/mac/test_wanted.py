from __future__ import annotations

import pytest

from bittern.lorawan.commands import MAX_EIRP_DBM
from bittern.lorawan.regions import plan
from bittern.mac.adr import ALGORITHMS, Bounds
from bittern.mac.session import ChannelState
from bittern.mac.wanted import bounds, extra_channels, max_eirp

EU868, US915, AS923 = plan("EU868"), plan("US915"), plan("AS923-1")


# Receive windows


def test_without_a_wish_rx2_is_the_regions(want):
    wanted = want()
    assert (wanted.rx2_data_rate, wanted.rx2_frequency_hz) == (0, 869_525_000)


def test_the_profile_moves_rx2(want):
    wanted = want(rx2_data_rate=3, rx2_frequency_hz=868_500_000)
    assert (wanted.rx2_data_rate, wanted.rx2_frequency_hz) == (3, 868_500_000)


def test_rx2_at_data_rate_0_is_a_wish(want):
    assert US915.rx2_data_rate == 8
    assert want("US915", rx2_data_rate=0).rx2_data_rate == 0


def test_where_the_join_channel_decides_rx2_it_stays_as_activated(want):
    assert want("CN470").rx2_frequency_hz is None
    assert want("CN470", rx2_frequency_hz=505_300_000).rx2_frequency_hz == 505_300_000


def test_a_delay_of_0_is_1_second(want):
    assert want(rx1_delay_s=0).rx1_delay_s == 1
    assert want(rx1_delay_s=5).rx1_delay_s == 5


def test_moved_downlinks_are_by_uplink_frequency(want):
    wanted = want(downlink_frequencies_hz=((868_100_000, 869_100_000),))
    assert wanted.downlink_frequencies_hz == {868_100_000: 869_100_000}


def test_a_personalized_device_starts_as_its_profile_says(want):
    wanted = want(rx1_delay_s=2, factory_preset_frequencies_hz=(867_300_000,))
    assert wanted.initial_radio.rx1_delay_s == 2
    assert wanted.initial_radio.extra_channels == (ChannelState(3, 867_300_000),)


# Channels


def test_the_network_adds_its_channels_behind_the_defaults():
    added = extra_channels(EU868)
    assert [channel.index for channel in added] == [3, 4, 5, 6, 7]
    assert added[0] == ChannelState(3, 867_100_000, 0, 5)


def test_the_network_adds_no_channel_to_a_fixed_plan(want):
    assert extra_channels(US915) == ()
    assert want("US915").extra_channels == ()


# What the region and the profile allow


def test_dwell_times_are_as_devices_of_the_region_start_unless_told(want):
    assert (want().uplink_dwell, want().downlink_dwell) == (False, False)
    started = want("AS923-1")
    assert (started.uplink_dwell, started.downlink_dwell) == (True, False)
    told = want("AS923-1", uplink_dwell_time=False, downlink_dwell_time=True)
    assert (told.uplink_dwell, told.downlink_dwell) == (False, True)


def test_the_eirp_is_the_most_that_the_region_allows():
    assert MAX_EIRP_DBM[max_eirp(EU868)] == 16
    assert MAX_EIRP_DBM[max_eirp(US915)] == 30


def test_the_profile_lowers_the_eirp_to_the_next_value_there_is():
    assert MAX_EIRP_DBM[max_eirp(EU868, 14)] == 14
    assert MAX_EIRP_DBM[max_eirp(EU868, 15)] == 14


def test_the_profile_cannot_raise_the_eirp():
    assert max_eirp(EU868, 30) == max_eirp(EU868)


def test_an_eirp_below_every_value_is_the_lowest_there_is():
    assert max_eirp(EU868, 3) == 0


# ADR


def test_the_algorithm_goes_by_its_name(want):
    name, algorithm = next(iter(ALGORITHMS.items()))
    assert want(policy={"adr_algorithm": name}).adr is algorithm


def test_no_algorithm_leaves_the_data_rate_alone(want):
    assert want(policy={"adr_algorithm": ""}).adr is None


def test_an_unknown_algorithm_is_refused_with_those_there_are(want):
    with pytest.raises(
        ValueError, match=f"no ADR algorithm 'guess'; there are .*{min(ALGORITHMS)}"
    ):
        want(policy={"adr_algorithm": "guess"})


def test_bounds_are_what_policy_and_region_have_in_common(make_policy):
    policy = make_policy(
        dr_min=1,
        dr_max=4,
        tx_power_index_min=1,
        tx_power_index_max=3,
        nb_trans_min=2,
        nb_trans_max=3,
    )
    assert bounds(policy, EU868) == Bounds(1, 4, 1, 3, 2, 3)


def test_bounds_beyond_the_region_end_where_it_ends(make_policy):
    policy = make_policy(dr_min=0, dr_max=15, tx_power_index_max=15)
    found = bounds(policy, EU868)
    assert (found.min_data_rate, found.max_data_rate) == (0, EU868.max_adr_data_rate) == (0, 5)
    assert found.max_tx_power == len(EU868.tx_power_offsets_db) - 1 == 7


def test_bounds_with_nothing_in_common_are_the_regions_end(make_policy):
    found = bounds(make_policy(dr_min=9, dr_max=12, tx_power_index_min=20), EU868)
    assert (found.min_data_rate, found.max_data_rate) == (5, 5)
    assert found.min_tx_power == found.max_tx_power


def test_a_dwell_time_raises_the_slowest_data_rate(make_policy):
    policy = make_policy(dr_min=0, dr_max=5)
    assert bounds(policy, AS923, uplink_dwell=False).min_data_rate == 0
    assert bounds(policy, AS923, uplink_dwell=True).min_data_rate == 2


def test_a_policy_below_what_the_dwell_time_lets_through_gets_the_slowest_that_it_does(
    make_policy,
):
    found = bounds(make_policy(dr_min=0, dr_max=1), AS923, uplink_dwell=True)
    assert (found.min_data_rate, found.max_data_rate) == (2, 2)


@pytest.mark.parametrize(
    ("given", "kept"), [((0, 0), (1, 1)), ((2, 99), (2, 15)), ((9, 3), (3, 3))]
)
def test_a_frame_is_sent_1_to_15_times(make_policy, given, kept):
    policy = make_policy(nb_trans_min=given[0], nb_trans_max=given[1])
    found = bounds(policy, EU868)
    assert (found.min_nb_trans, found.max_nb_trans) == kept


# The device's status


def test_the_status_is_asked_for_so_often_a_day(want):
    assert want(policy={"dev_status_req_freq": 4}).dev_status_interval_s == 21_600.0


def test_a_status_that_is_never_asked_for_has_no_interval(want):
    assert want(policy={"dev_status_req_freq": 0}).dev_status_interval_s is None


def test_frequencies_of_class_b_are_0_for_the_regions(want):
    wanted = want()
    assert (wanted.ping_slot_frequency_hz, wanted.beacon_frequency_hz) == (0, 0)
    told = want(ping_slot_frequency_hz=868_900_000, beacon_frequency_hz=869_100_000)
    assert (told.ping_slot_frequency_hz, told.beacon_frequency_hz) == (868_900_000, 869_100_000)


def test_what_no_command_can_say_becomes_the_nearest_that_can(want):
    wish = want(
        policy={"max_duty_cycle": 99},
        rx1_delay_s=99,
        rx1_dr_offset=9,
        rx2_data_rate=40,
        rx2_frequency_hz=868_500_050,
        downlink_frequencies_hz=((868_100_000, 865_100_099),),
        adr_ack_limit_exp=-1,
        adr_ack_delay_exp=16,
        rejoin_max_time_n=16,
        rejoin_max_count_n=-3,
        ping_slot_frequency_hz=99_999_999_999,
        ping_slot_data_rate=16,
        beacon_frequency_hz=-5,
    )
    assert (wish.max_duty_cycle, wish.rx1_delay_s, wish.rx1_dr_offset) == (15, 15, 7)
    assert (wish.rx2_data_rate, wish.rx2_frequency_hz) == (15, 868_500_000)
    assert wish.downlink_frequencies_hz == {868_100_000: 865_100_000}
    assert (wish.adr_ack_limit_exp, wish.adr_ack_delay_exp) == (0, 15)
    assert (wish.rejoin_max_time_n, wish.rejoin_max_count_n) == (15, 0)
    assert (wish.ping_slot_frequency_hz, wish.ping_slot_data_rate) == (0xFF_FFFF * 100, 15)
    assert wish.beacon_frequency_hz == 0
