from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from bittern.cli.region_document import document
from bittern.lorawan.regional_parameters import RegionalParameters
from bittern.lorawan.regions import names, plan


def told(name: str, *sub_bands: int) -> Any:
    return json.loads(msgspec.json.encode(document(plan(name), sub_bands)))


def test_data_rates_carry_their_sizes() -> None:
    fastest = told("AS923-1")["data_rates"][5]
    assert fastest == {
        "data_rate": 5,
        "modulation": "LORA",
        "spreading_factor": 7,
        "bandwidth_khz": 125,
        "bit_rate": None,
        "coding_rate": "4/5",
        "uplink": True,
        "downlink": True,
        "max_payload_size": {"plain": 242, "repeater": 222, "dwell": 242, "dwell_repeater": 222},
    }
    lr_fhss = told("AU915")["data_rates"][7]
    assert (lr_fhss["modulation"], lr_fhss["downlink"], lr_fhss["spreading_factor"]) == (
        "LR_FHSS",
        False,
        None,
    )


def test_where_no_dwell_time_is_its_sizes_are_the_usual() -> None:
    sizes = told("EU868")["data_rates"][0]["max_payload_size"]
    assert sizes == {"plain": 51, "repeater": 51, "dwell": 51, "dwell_repeater": 51}


def test_rx1_tables() -> None:
    shown = told("AS923-1")
    assert shown["rx1_data_rates"]["0"] == [0, 0, 0, 0, 0, 0, 1, 2]
    assert shown["rx1_data_rates_dwell"]["0"] == [2] * 8
    assert told("EU868")["rx1_data_rates_dwell"] == told("EU868")["rx1_data_rates"]


def test_channels_of_a_sub_band_and_what_says_so_on_air() -> None:
    shown = told("US915", 2)
    assert [channel["index"] for channel in shown["channels"]] == [*range(8, 16), 65]
    assert shown["channels"][-1] == {
        "index": 65,
        "frequency_hz": 904_600_000,
        "min_dr": 4,
        "max_dr": 6,
        "rx1_frequency_hz": 923_900_000,
    }
    assert shown["link_adr_masks"] == [
        {"ch_mask_cntl": 7, "ch_mask": "0002"},
        {"ch_mask_cntl": 0, "ch_mask": "ff00"},
    ]
    assert shown["cf_list"] == {
        "type": 1,
        "bytes": "00ff" + "0000" * 3 + "0200" + "0000" * 2 + "0001",
    }
    assert len(shown["join_channels"]) == 72


def test_join_channels_decide_windows() -> None:
    (first, second) = told("CN470-20B")["join_channels"]
    assert (first["frequency_hz"], first["rx2_frequency_hz"]) == (479_900_000, 478_300_000)
    assert (second["frequency_hz"], second["rx2_frequency_hz"]) == (499_900_000, 498_300_000)
    assert second["class_b"]["beacon_frequencies_hz"] == [501_500_000]


def test_router_config_is_the_stations_own_message() -> None:
    config = told("EU868")["router_config"]
    assert config["msgtype"] == "router_config"
    assert config["region"] == "EU868"
    assert len(config["DRs"]) == 16
    assert config["upchannels"][0] == [868_100_000, 0, 5]
    two = told("US915", 1, 2)["router_config"]
    assert (two["hwspec"], len(two["upchannels"])) == ("sx1301/2", 18)


def test_bands_and_powers() -> None:
    shown = told("RU864")
    assert shown["duty_cycle_bands"][2] == {
        "min_hz": 868_700_000,
        "max_hz": 869_200_000,
        "duty_cycle": 0.1,
        "max_eirp_dbm": 22.15,
    }
    assert shown["tx_powers_dbm"] == [16, 14, 12, 10, 8, 6, 4, 2]
    assert shown["listen_before_talk"] is None


def test_an_older_plan_is_shown_as_it_was() -> None:
    old = document(plan("EU868", RegionalParameters.RP002_1_0_1))
    rates = old["data_rates"]
    assert isinstance(rates, list)
    assert len(rates) == 8


@pytest.mark.parametrize("name", names())
def test_every_table_is_there(name: str) -> None:
    shown = told(name)
    assert set(shown) >= {
        *("data_rates", "tx_powers_dbm", "channels", "join_channels", "rx1_data_rates", "rx2"),
        *("cf_list", "link_adr_masks", "class_b", "duty_cycle_bands", "dwell_time", "defaults"),
        *("listen_before_talk", "router_config", "frequency_range_hz", "station_region"),
    }
