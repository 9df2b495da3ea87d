from __future__ import annotations

import pytest

from bittern.lorawan.regions import names


def lines_of(bittern, *arguments: str) -> list[str]:
    return [" ".join(line.split()) for line in bittern.done(*arguments).stdout.splitlines()]


def test_list_has_a_line_for_every_region(bittern) -> None:
    heading, *lines = lines_of(bittern, "region", "list")
    assert heading == "NAME COMMON NAME PLAN MHZ CHANNELS RX2 STATION"
    assert [line.split()[0] for line in lines] == list(names())
    assert lines[0] == "EU868 EU863-870 dynamic 863-870 8 869.525 MHz DR0 EU868"
    assert lines[1] == "US915 US902-928 fixed 902-928 72 923.3 MHz DR8 US915"


def test_list_is_json_for_scripts(bittern) -> None:
    found = bittern.done("region", "list", "--json").json
    assert [one["name"] for one in found] == list(names())
    assert found[3] == {
        "name": "AS923-1",
        "common_name": "AS923-1",
        "channel_plan": "dynamic",
        "frequency_range_hz": [915_000_000, 928_000_000],
        "max_eirp_dbm": 16,
        "rx2": {"frequency_hz": 923_200_000, "data_rate": 2},
        "station_region": "IL915",
    }


@pytest.mark.parametrize("name", names())
def test_every_region_can_be_shown(bittern, name: str) -> None:
    assert f"name {name}" in lines_of(bittern, "region", "show", name)
    assert bittern.done("region", "show", name, "--json").json["name"] == name


def test_region_of_frequencies_is_shown_by_its_channels(bittern) -> None:
    lines = lines_of(bittern, "region", "show", "eu863")
    assert "RX2 869.525 MHz DR0" in lines
    assert "8 up LR_FHSS CR 1/3 137 kHz 50 50" in lines
    assert "0 868.1 0-5 default" in lines
    assert "7 867.9 0-5 added by the network" in lines
    assert "DR5 5 4 3 2 1 0" in lines
    assert "869.4-869.65 10 % 29.15" in lines
    assert "freq_range [863000000,870000000]" in lines
    assert not any(line.startswith("dwell time") for line in lines)


def test_region_of_sub_bands_is_shown_by_these(bittern) -> None:
    lines = lines_of(bittern, "region", "show", "US915")
    assert "2 8-15 903.9-905.3 65 904.6 923.3-927.5 7:0002 0:ff00" in lines
    assert "What a station is told of sub-band 2" in lines
    assert sum(line.endswith(("7:0001 0:00ff", "7:0080 3:ff00")) for line in lines) == 2


def test_dwell_time_has_columns_and_a_table_of_its_own(bittern) -> None:
    lines = lines_of(bittern, "region", "show", "AS923")
    assert "4 both LORA SF8 125 kHz 242 222 125 125" in lines
    assert "0 both LORA SF12 125 kHz 51 51 - -" in lines
    assert "dwell time by TXParamSetupReq; before it 400 ms for uplinks" in lines
    assert "DR0 2 2 2 2 2 2 2 2" in lines
    assert any(line.startswith("listen first devices and gateways in Japan") for line in lines)


def test_windows_that_follow_from_the_join_are_shown(bittern) -> None:
    lines = lines_of(bittern, "region", "show", "CN470")
    assert "504.1 490.9 491.7 8 x 490.3-491.7 8 x 490.3-491.7" in lines
    assert "500 KHZ" not in " ".join(lines)


def test_another_sub_band_is_what_the_station_is_told(bittern) -> None:
    lines = lines_of(bittern, "region", "show", "AU915", "--sub-band", "1")
    assert "What a station is told" in lines
    assert any(line.startswith("upchannels [[915200000,0,5],[915400000,0,5]") for line in lines)
    assert not any(line.startswith("2 8-15 ") for line in lines)


def test_older_revision_is_shown_as_it_was(bittern) -> None:
    lines = lines_of(bittern, "region", "show", "US915", "--revision", "1.0.2 rev B")
    assert "10 10" in lines
    assert "11 8" not in lines
    assert not any("LR_FHSS" in line for line in lines)
    newer = lines_of(bittern, "region", "show", "US915")
    assert "11 8" in newer
    assert any("LR_FHSS" in line for line in newer)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["XX999"], "unknown region 'XX999'"),
        (["EU868", "--sub-band", "1"], "EU868 has no sub-bands"),
        (["US915", "--sub-band", "9"], "US915 has sub-bands 1 to 8, not 9"),
        (["US915", "--sub-band", "0"], "--sub-band"),
        (["US915", "--revision", "RP003"], "RP002-1.0.4"),
    ],
)
def test_what_there_is_not_is_wrong_usage(bittern, arguments: list[str], told: str) -> None:
    done = bittern("region", "show", *arguments)
    assert done.exit_code == 2
    assert told in " ".join(done.stderr.replace("│", " ").split())
