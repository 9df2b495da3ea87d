"""docs/reference/regions.md is complete, agrees with the plans, and what it names is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bittern.lorawan.regional_parameters import RegionalParameters
from bittern.lorawan.regions import names, plan
from bittern.lorawan.regions.history import CHANGES, PREDECESSORS
from bittern.lorawan.regions.plan import DynamicPlan, FixedPlan, Plan

ROOT = Path(__file__).parents[2]
FOLDER = "tests/unit/lorawan/regions"
KINDS = {"LORA": "LoRa", "FSK": "FSK", "LR_FHSS": "LR-FHSS"}


@pytest.fixture(scope="module")
def page(reference_page: Any) -> Any:
    return reference_page("regions.md")


def mhz(*frequencies_hz: int) -> str:
    if len(frequencies_hz) == 1:
        return f"{frequencies_hz[0] / 1e6:g}"
    return f"{len(frequencies_hz)} of {mhz(min(frequencies_hz))}-{mhz(max(frequencies_hz))}"


def ranges(numbers: Iterable[int]) -> str:
    """``0-6, 8-13``."""
    ordered = sorted(numbers)
    firsts = [ordered[0], *(b for a, b in pairwise(ordered) if b != a + 1)]
    lasts = [*(a for a, b in pairwise(ordered) if b != a + 1), ordered[-1]]
    both = zip(firsts, lasts, strict=True)
    return ", ".join(f"{a}-{b}" if a != b else str(a) for a, b in both)


def each_once(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(texts)) or "none"


def channels(of: Plan) -> str:
    assert isinstance(of, DynamicPlan | FixedPlan)
    if isinstance(of, DynamicPlan):
        return f"{len(of.default_channels)} + {len(of.added_channels)}"
    wide = f" + {len(of.wide_channels)}" if of.wide_channels else ""
    return f"{len(of.narrow_channels)}{wide}"


def what_it_has(of: Plan) -> dict[str, str]:
    low, high = of.frequency_range_hz
    return {
        "Plan": "fixed" if isinstance(of, FixedPlan) else "dynamic",
        "MHz": f"{mhz(low)}-{mhz(high)}",
        "Channels": channels(of),
        "Join on": str(len(of.join_channels)),
        "CFList": f"type {(of.cf_list() or b'')[15]}",
        "Data rates": ranges(of.data_rates),
        "Modulations": each_once(KINDS[row.modulation] for row in of.data_rates.values()),
        "Powers": f"{of.max_eirp_dbm:g} dBm, {len(of.tx_power_offsets_db)} steps",
        "RX1 offsets": f"0-{of.max_rx1_dr_offset}",
        "RX2": f"{mhz(of.rx2_frequency_hz)} DR{of.rx2_data_rate}",
    }


def what_holds_there(of: Plan) -> dict[str, str]:
    limited = [of.boot_uplink_dwell and "uplinks", of.boot_downlink_dwell and "downlinks"]
    bands = (f"{100 * band.duty_cycle:g} %" for band in of.duty_cycle_bands if band.duty_cycle < 1)
    class_b, power = of.class_b, of.station_max_eirp_dbm
    return {
        "Dwell time": each_once(name for name in limited if name),
        "Duty cycle": each_once(bands),
        "Listens first": "yes" if of.listen_before_talk else "no",
        "Beacon": f"{mhz(*class_b.beacon_frequencies_hz)} DR{class_b.beacon_data_rate}",
        "Ping slot": f"{mhz(*class_b.ping_slot_frequencies_hz)} DR{class_b.ping_slot_data_rate}",
        "Station is told": of.station_region + ("" if power is None else f", {power:g} dBm"),
    }


def regions_of(rows: Sequence[dict[str, str]]) -> tuple[str, ...]:
    return tuple(row["Region"] for row in rows)


def test_every_region_is_told_as_it_is(page: Any) -> None:
    rows = page.rows("Region", "Section")
    assert regions_of(rows) == names()
    for row in rows:
        has = what_it_has(plan(row["Region"]))
        assert {column: row[column] for column in has} == has


def test_every_regions_limits_are_told_as_they_are(page: Any) -> None:
    rows = page.rows("Region", "Dwell time")
    assert regions_of(rows) == names()
    for row in rows:
        assert row == {"Region": row["Region"], **what_holds_there(plan(row["Region"]))}


def test_every_table_of_every_region_has_its_test(page: Any) -> None:
    rows = page.rows("Region", "File")
    assert regions_of(rows) == names()
    for row in rows:
        tests = [test for column, test in row.items() if column not in ("Region", "File")]
        assert len(tests) == 7
        named = ", ".join(f"{row['File']}::{test}" for test in tests)
        assert page.missing_tests(named, FOLDER) == [], row["Region"]


def test_the_file_of_a_region_is_about_it_and_names_the_section(page: Any) -> None:
    sections = {row["Region"]: row["Section"] for row in page.rows("Region", "Section")}
    for row in page.rows("Region", "File"):
        test = (ROOT / FOLDER / row["File"]).read_text(encoding="utf-8")
        source = ROOT / "src/bittern/lorawan/regions" / row["File"].removeprefix("test_")
        assert row["Region"].replace("-", "_") in test
        assert sections[row["Region"]] in source.read_text(encoding="utf-8")


def test_every_revision_is_read_as_it_is_said_to_be_written(page: Any) -> None:
    rows = page.rows("Revision")
    assert [row["Revision"] for row in rows] == list(RegionalParameters)
    for row in rows:
        for text in row["Also written"].split(", "):
            assert RegionalParameters.parse(text) == row["Revision"], text


def test_everything_that_a_revision_had_otherwise_is_told_and_tested(page: Any) -> None:
    rows = page.rows("Region", "Until")
    there = [(name, str(until.last)) for name, found in CHANGES.items() for until in found]
    there += [(name, str(last)) for name, (last, _) in PREDECESSORS.items()]
    assert sorted((row["Region"], row["Until"]) for row in rows) == sorted(there)
    for row in rows:
        named = ", ".join(f"test_history.py::{test}" for test in row["Test"].split(", "))
        assert page.missing_tests(named, FOLDER) == []
        assert row["What was otherwise"].endswith(".")


def test_what_else_the_page_names_is_there(page: Any) -> None:
    assert page.missing_paths() == []
    assert page.dangling_links() == []


def test_a_region_that_changed_would_be_noticed() -> None:
    assert what_it_has(plan("EU868")) != what_it_has(plan("EU433"))
    assert what_holds_there(plan("RU864")) != what_holds_there(plan("EU868"))
    assert ranges((0, 1, 2, 4, 6, 7)) == "0-2, 4, 6-7"
