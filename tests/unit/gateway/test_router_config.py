"""router_config: channels as facts of the genuine station demand them."""

from __future__ import annotations

import pytest

from bittern.gateway.lns_messages import Beaconing
from bittern.gateway.router_config import GatewaySettings, router_config
from bittern.lorawan.regions import names, plan

EU868 = plan("EU868")
US915 = plan("US915")


def test_eu868_is_what_a_station_was_seen_to_accept() -> None:
    config = router_config(EU868, GatewaySettings())
    assert config.hwspec == "sx1301/1"
    assert config.sx1301_conf == ({},)
    assert config.region == "EU868"
    assert config.freq_range == (863_000_000, 870_000_000)
    assert config.data_rates == (
        *((sf, 125, 0) for sf in (12, 11, 10, 9, 8, 7)),
        (7, 250, 0),
        (0, 0, 0),
        *((-1, 0, 0),) * 8,
    )
    frequencies = (868.1, 868.3, 868.5, 867.1, 867.3, 867.5, 867.7, 867.9)
    assert config.upchannels == (
        *((round(mhz * 1e6), 0, 5) for mhz in frequencies),
        (868_300_000, 6, 6),
        (868_800_000, 7, 7),
    )


def test_us915_listens_to_the_customary_sub_band() -> None:
    config = router_config(US915, GatewaySettings())
    assert config.region == "US915"
    assert config.freq_range == (902_000_000, 928_000_000)
    assert config.data_rates == (
        *((sf, 125, 0) for sf in (10, 9, 8, 7)),
        (8, 500, 0),
        *((-1, 0, 0),) * 3,
        *((sf, 500, 1) for sf in (12, 11, 10, 9, 8, 7)),
        *((-1, 0, 0),) * 2,
    )
    assert config.upchannels == (
        *((903_900_000 + 200_000 * n, 0, 3) for n in range(8)),
        (904_600_000, 4, 4),
    )


@pytest.mark.parametrize("name", names())
def test_every_region_fits_what_a_station_takes(name: str) -> None:
    config = router_config(plan(name), GatewaySettings())
    assert config.region in {"EU868", "US915", "AU915", "AS923-1", "KR920", "IL915"}
    assert len(config.data_rates) == 16
    low, high = config.freq_range
    for frequency_hz, min_dr, max_dr in config.upchannels:
        assert low <= frequency_hz <= high
        assert 0 <= min_dr <= max_dr <= 7
        # A range that mixes 125 kHz with wider rows would claim the one wide modem.
        rows = config.data_rates[min_dr : max_dr + 1]
        assert len({(spreading > 0, khz) for spreading, khz, _ in rows}) == 1
    assert sum(config.data_rates[dr][1] == 125 for _, dr, _ in config.upchannels) <= 8


def test_another_sub_band_is_listened_to_instead() -> None:
    config = router_config(US915, GatewaySettings(sub_bands=(1,)))
    assert config.upchannels[0] == (902_300_000, 0, 3)
    assert config.upchannels[-1] == (903_000_000, 4, 4)
    assert len(config.upchannels) == 9


def test_two_sub_bands_need_two_boards() -> None:
    with pytest.raises(ValueError, match="2 sub-bands need 2 concentrator boards, not 1"):
        router_config(US915, GatewaySettings(sub_bands=(1, 2)))
    config = router_config(US915, GatewaySettings(sub_bands=(1, 2), boards=2))
    assert config.hwspec == "sx1301/2"
    assert config.sx1301_conf == ({}, {})
    assert len(config.upchannels) == 18


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (GatewaySettings(sub_bands=(9,)), "sub-bands 1 to 8, not 9"),
        (GatewaySettings(join_eui_filters=((2, 1),)), "not a range of JoinEUIs"),
        (GatewaySettings(join_eui_filters=((0, 2**64),)), "not a range of JoinEUIs"),
        (GatewaySettings(join_eui_filters=((0, 1),) * 11), "keeps 10 ranges of JoinEUIs, not 11"),
        (GatewaySettings(net_id_filters=(2**24,)), "not a NetID"),
    ],
)
def test_settings_that_a_station_cannot_take_are_refused(
    settings: GatewaySettings, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        router_config(US915, settings)


def test_a_dynamic_plan_has_no_sub_bands() -> None:
    with pytest.raises(ValueError, match="no sub-bands"):
        router_config(EU868, GatewaySettings(sub_bands=(1,)))


def test_no_filter_is_left_out_since_an_empty_one_blocks_everything() -> None:
    config = router_config(EU868, GatewaySettings())
    assert config.net_id is None
    assert config.join_eui is None
    assert config.bcning is None


def test_the_operators_settings_are_in_it() -> None:
    config = router_config(
        EU868,
        GatewaySettings(
            net_id_filters=(0x13,),
            join_eui_filters=((1, 2),),
            max_eirp_dbm=14,
            station_region="AS923-1",
            disable_lbt=True,
            disable_duty_cycle=True,
            disable_dwell_time=True,
            beacons=True,
        ),
    )
    assert config.net_id == (0x13,)
    assert config.join_eui == ((1, 2),)
    assert config.max_eirp == 14
    assert config.region == "AS923-1"
    assert (config.nocca, config.nodc, config.nodwell) == (True, True, True)
    assert config.bcning == Beaconing(data_rate=3, layout=(2, 8, 17), freqs=(869_525_000,))


def test_a_station_that_knows_a_region_by_another_name_is_held_to_its_power():
    assert router_config(plan("EU433"), GatewaySettings()).max_eirp == 12.15
    lower = router_config(plan("EU433"), GatewaySettings(max_eirp_dbm=10))
    higher = router_config(plan("EU433"), GatewaySettings(max_eirp_dbm=20))
    assert (lower.max_eirp, higher.max_eirp) == (10, 12.15)


def test_beacons_at_another_data_rate_are_as_long_as_it_demands() -> None:
    config = router_config(
        EU868,
        GatewaySettings(beacons=True, beacon_data_rate=0, beacon_frequencies_hz=(868_100_000,)),
    )
    assert config.bcning == Beaconing(data_rate=0, layout=(5, 11, 23), freqs=(868_100_000,))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (GatewaySettings(beacons=True, beacon_data_rate=5), "no beacon can be sent at data rate 5"),
        (GatewaySettings(beacons=True, beacon_data_rate=15), "at data rate 15"),
        (GatewaySettings(beacons=True, beacon_frequencies_hz=(915_000_000,)), "outside 863000000"),
    ],
)
def test_beacons_that_no_device_would_hear_are_refused(
    settings: GatewaySettings, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        router_config(EU868, settings)
