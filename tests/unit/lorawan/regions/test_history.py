"""What older revisions had otherwise, typed from their texts."""

from __future__ import annotations

from typing import Any

import pytest

from bittern.lorawan.regional_parameters import RegionalParameters
from bittern.lorawan.regions import names, plan, plan_of_profile, renumbered
from bittern.lorawan.regions.history import CHANGES, PREDECESSORS, as_of, own_data_rates
from bittern.lorawan.regions.plan import DynamicPlan, FixedPlan, Modulation, Plan
from bittern.lorawan.versions import MacVersion

R = RegionalParameters
BEFORE_RP002 = [revision for revision in R if revision.published_until(R.RP001_1_0_3_REV_A)]

AU915_UNTIL_1_0_2 = """
0 up SF10/125 11 11
1 up SF9/125 53 53
2 up SF8/125 125 125
3 up SF7/125 242 222
4 up SF8/500 242 222
8 down SF12/500 53 33
9 down SF11/500 129 109
10 down SF10/500 242 222
11 down SF9/500 242 222
12 down SF8/500 242 222
13 down SF7/500 242 222
"""
AU915_UNTIL_RP002_1_0_1 = """
0 up SF12/125 51 51
1 up SF11/125 51 51
2 up SF10/125 51 51
3 up SF9/125 115 115
4 up SF8/125 242 222
5 up SF7/125 242 222
6 up SF8/500 242 222
8 down SF12/500 53 33
9 down SF11/500 129 109
10 down SF10/500 242 222
11 down SF9/500 242 222
12 down SF8/500 242 222
13 down SF7/500 242 222
"""
US915_UNTIL_RP002_1_0_1 = """
0 up SF10/125 11 11
1 up SF9/125 53 53
2 up SF8/125 125 125
3 up SF7/125 242 222
4 up SF8/500 242 222
8 down SF12/500 53 33
9 down SF11/500 129 109
10 down SF10/500 242 222
11 down SF9/500 242 222
12 down SF8/500 242 222
13 down SF7/500 242 222
"""
AS923_RX1_UNTIL_1_0_3 = """
0 0 0 0 0 0 0 1 2
1 1 0 0 0 0 0 2 3
2 2 1 0 0 0 0 3 4
3 3 2 1 0 0 0 4 5
4 4 3 2 1 0 0 5 5
5 5 4 3 2 1 0 5 5
6 5 5 4 3 2 1 5 5
7 5 5 5 4 3 2 5 5
"""
IN865_RX1_UNTIL_1_0_3 = """
0 0 0 0 0 0 0 1 2
1 1 0 0 0 0 0 2 3
2 2 1 0 0 0 0 3 4
3 3 2 1 0 0 0 4 5
4 4 3 2 1 0 0 5 5
5 5 4 3 2 1 0 5 5
7 5 5 5 4 3 2 5 5
"""
CN470_RP002_1_0_0 = """
0 both SF12/125 51 51
1 both SF11/125 51 51
2 both SF10/125 51 51
3 both SF9/125 115 115
4 both SF8/125 242 222
5 both SF7/125 242 222
"""


def fixed(name: str, revision: RegionalParameters) -> FixedPlan:
    found = plan(name, revision)
    assert isinstance(found, FixedPlan)
    return found


@pytest.mark.parametrize("name", names())
def test_today_nothing_differs(name: str) -> None:
    assert plan(name, R.RP002_1_0_4) is plan(name)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("revision", R)
def test_every_plan_of_every_revision_is_whole(name: str, revision: RegionalParameters) -> None:
    """Each data rate has a size, each that goes up an RX1 row, and what RX1 uses goes down."""
    old = plan(name, revision)
    for sizes in (old.payload_sizes.plain, old.payload_sizes.repeater):
        assert set(sizes) == set(old.data_rates)
    assert set(old.rx1_data_rates) == {dr for dr, row in old.data_rates.items() if row.uplink}
    used = {dr for row in old.rx1_data_rates.values() for dr in row} | {old.rx2_data_rate}
    assert all(old.data_rates[dr].downlink for dr in used)
    for channel in old.uplink_channels():
        assert all(dr in old.data_rates for dr in range(channel.min_dr, channel.max_dr + 1))


@pytest.mark.parametrize("name", CHANGES)
def test_changes_are_newest_first(name: str) -> None:
    order = list(R)
    positions = [order.index(last) for last, _ in CHANGES[name]]
    assert positions == sorted(positions, reverse=True)
    assert R.RP002_1_0_4 not in (last for last, _ in CHANGES[name])


@pytest.mark.parametrize("name", ["EU868", "US915", "AU915"])
def test_lr_fhss_came_with_rp002_1_0_2(name: str) -> None:
    def has_lr_fhss(revision: RegionalParameters) -> bool:
        rows = plan(name, revision).data_rates.values()
        return any(row.modulation is Modulation.LR_FHSS for row in rows)

    later = {revision for revision in R if not revision.published_until(R.RP002_1_0_1)}
    assert {revision for revision in R if has_lr_fhss(revision)} == later


def test_wide_channels_had_one_data_rate_before_lr_fhss() -> None:
    assert fixed("US915", R.RP002_1_0_1).wide_channels[1] == (904_600_000, 4, 4)
    assert fixed("AU915", R.RP002_1_0_1).wide_channels[1] == (917_500_000, 6, 6)
    assert fixed("AU915", R.RP001_1_0_2).wide_channels[1] == (917_500_000, 4, 4)


def test_au915_had_the_data_rates_of_us915_at_first(told: Any) -> None:
    for revision in (R.TS001_1_0_1, R.RP001_1_0_2):
        old = fixed("AU915", revision)
        assert told.data_rates(old) == AU915_UNTIL_1_0_2.strip()
        assert told.rx1(old) == told.rx1(plan("US915", R.RP002_1_0_1))
        assert old.narrow_channels[0] == (915_200_000, 0, 3)
        assert old.max_adr_data_rate == 3
    for revision in (R.RP001_1_0_2_REV_B, R.RP002_1_0_1):
        old = fixed("AU915", revision)
        assert told.data_rates(old) == AU915_UNTIL_RP002_1_0_1.strip()
        assert old.max_adr_data_rate == 5


def test_au915_takes_tx_param_setup_since_1_1_rev_b() -> None:
    since = {revision for revision in R if plan("AU915", revision).has_tx_param_setup}
    assert since == {revision for revision in R if not revision.published_until(R.RP001_1_1_REV_A)}
    assert {revision for revision in R if plan("AU915", revision).boot_uplink_dwell} == since


def test_payloads_behind_a_repeater_were_shorter_in_us915(told: Any) -> None:
    assert told.data_rates(plan("US915", R.RP002_1_0_1)) == US915_UNTIL_RP002_1_0_1.strip()
    assert plan("US915", R.RP002_1_0_2).max_payload_size(8, repeater=True) == 53


@pytest.mark.parametrize(
    ("name", "revision", "powers"),
    [
        ("EU868", R.TS001_1_0_0, [20, 14, 11, 8, 5, 2]),
        ("EU868", R.RP001_1_0_2_REV_B, [16, 14, 12, 10, 8, 6, 4, 2]),
        ("US915", R.RP001_1_0_2_REV_B, [30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10]),
        ("US915", R.RP001_1_1_REV_A, [30 - 2 * index for index in range(15)]),
        ("AU915", R.RP001_1_1_REV_A, [30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10]),
        ("AU915", R.RP001_1_1_REV_B, [30 - 2 * index for index in range(15)]),
        ("AS923-1", R.RP001_1_0_2, [14, 12, 10, 8, 6, 4]),
        ("AS923-1", R.RP001_1_0_2_REV_B, [16, 14, 12, 10, 8, 6, 4, 2]),
        ("EU433", R.RP001_1_0_2, [10, 7, 4, 1, -2, -5]),
        ("CN779", R.RP001_1_0_2, [10, 7, 4, 1, -2, -5]),
        ("KR920", R.RP001_1_0_2, [20, 14, 10, 8, 5, 2, 0]),
        ("CN470", R.RP001_1_0_2, [17, 16, 14, 12, 10, 7, 5, 2]),
        ("CN470", R.RP001_1_0_3_REV_A, [19.15 - 2 * index for index in range(8)]),
    ],
)
def test_powers(told: Any, name: str, revision: RegionalParameters, powers: list[float]) -> None:
    assert told.powers(plan(name, revision)) == [round(power, 2) for power in powers]


def test_rx1_of_as923_never_left_dr5_before_rp002(told: Any) -> None:
    for revision in BEFORE_RP002:
        assert told.rx1(plan("AS923-1", revision)) == AS923_RX1_UNTIL_1_0_3.strip()
    assert plan("AS923-1", R.RP001_1_1_REV_B).rx1_data_rate(5, 7, downlink_dwell=True) == 5
    assert plan("AS923-1", R.RP002_1_0_0).rx1_data_rate(5, 7) == 7


def test_rx1_of_in865_never_left_dr5_before_rp002(told: Any) -> None:
    assert told.rx1(plan("IN865", R.RP001_1_0_3_REV_A)) == IN865_RX1_UNTIL_1_0_3.strip()


@pytest.mark.parametrize(
    ("revision", "size"), [(R.RP001_1_0_3_REV_A, 51), (R.RP002_1_0_0, 51), (R.RP002_1_0_1, 115)]
)
def test_dr2_of_as923_grew(revision: RegionalParameters, size: int) -> None:
    assert plan("AS923-1", revision).max_payload_size(2) == size
    assert plan("AS923-1", revision).max_payload_size(2, dwell=True) == 11


def test_as923_knew_no_repeater_under_a_dwell_time_before_rp002() -> None:
    sizes = [
        plan("AS923-1", revision).max_payload_size(5, dwell=True, repeater=True)
        for revision in (R.RP001_1_0_3_REV_A, R.RP002_1_0_0)
    ]
    assert sizes == [242, 222]


def test_devices_of_as923_1_0_2_rev_b_start_with_a_downlink_dwell_time() -> None:
    booting = {revision for revision in R if plan("AS923-1", revision).boot_downlink_dwell}
    assert booting == {R.RP001_1_0_2_REV_B}


def test_devices_of_as923_limit_uplinks_before_they_are_told_since_1_0_2_rev_b() -> None:
    since = {revision for revision in R if plan("AS923-1", revision).boot_uplink_dwell}
    assert since == {revision for revision in R if not revision.published_until(R.RP001_1_0_2)}


def test_cn470_was_another_plan_before_rp002() -> None:
    for revision in BEFORE_RP002:
        old = fixed("CN470", revision)
        assert len(old.channels) == 96
        assert old.rx2_frequency_hz == 505_300_000
    assert plan("CN470", R.RP001_1_0_3_REV_A) is plan("CN470-96")
    assert len(fixed("CN470", R.RP002_1_0_0).channels) == 64


@pytest.mark.parametrize("name", ["CN470", "CN470-20B", "CN470-26A", "CN470-26B"])
def test_dr0_of_cn470_went_with_rp002_1_0_1(told: Any, name: str) -> None:
    first = fixed(name, R.RP002_1_0_0)
    assert told.data_rates(first) == CN470_RP002_1_0_0.strip()
    assert first.rx2_data_rate == 0
    assert {(channel.min_dr, channel.max_dr) for channel in first.channels} == {(0, 5)}
    assert first.rx1_data_rate(2, 5) == 0
    second = fixed(name, R.RP002_1_0_1)
    assert [second.max_payload_size(dr) for dr in range(6)] == [0, 23, 86, 164, 242, 242]
    assert second.rx2_data_rate == 1
    assert {(channel.min_dr, channel.max_dr) for channel in second.channels} == {(1, 5)}


@pytest.mark.parametrize("name", ["CN470", "CN470-20B", "CN470-26A", "CN470-26B"])
def test_dr3_of_cn470_grew_with_rp002_1_0_2(name: str) -> None:
    sizes = [plan(name, r).max_payload_size(3) for r in (R.RP002_1_0_1, R.RP002_1_0_2)]
    assert sizes == [164, 184]


def test_a_region_that_was_not_there_yet_is_as_it_was_at_first() -> None:
    assert plan("AS923-4", R.RP001_1_0_2) is plan("AS923-4")
    assert (
        plan("IN865", R.TS001_1_0_0).rx1_data_rates
        == plan("IN865", R.RP001_1_0_2_REV_B).rx1_data_rates
    )


def test_the_plan_keeps_its_name_and_kind() -> None:
    kinds: list[type[Plan]] = [DynamicPlan, FixedPlan]
    for name in names():
        for revision in R:
            old = as_of(plan(name), revision)
            assert old.name in {name, *(after.name for _, after in PREDECESSORS.values())}
            assert type(old) is type(plan(name))
            assert type(old) in kinds


# Beside gateways, which have the newest plan


def test_a_profile_names_its_plan() -> None:
    old = plan_of_profile("us_902_928", "1.0.2 rev B", MacVersion.LORAWAN_1_0_2)
    assert old is plan("US915", R.RP001_1_0_2_REV_B)
    assert plan_of_profile("US915", "B", MacVersion.LORAWAN_1_0_2) is old
    assert plan_of_profile("US915", " ", MacVersion.LORAWAN_1_0_2) is plan("US915")
    with pytest.raises(ValueError, match=r"RP002-1\.0\.4"):
        plan_of_profile("US915", "RP002-1.0.5", MacVersion.LORAWAN_1_0_2)
    with pytest.raises(ValueError, match="known are EU868"):
        plan_of_profile("EU", "", MacVersion.LORAWAN_1_0_2)


def test_sf10_of_au915_was_dr0_at_first() -> None:
    old = plan("AU915", R.RP001_1_0_2)
    assert own_data_rates(old, plan("AU915")) == {2: 0, 3: 1, 4: 2, 5: 3, 6: 4}
    assert renumbered(old) == own_data_rates(old, plan("AU915"))


@pytest.mark.parametrize("name", names())
def test_the_newest_plan_is_not_renumbered(name: str) -> None:
    assert renumbered(plan(name)) is None
    assert renumbered(plan(name, R.RP002_1_0_4)) is None


def test_no_other_plan_ever_changed_the_numbers_of_its_data_rates() -> None:
    changed = {
        (name, revision)
        for name in names()
        for revision in R
        if any(heard != own for heard, own in (renumbered(plan(name, revision)) or {}).items())
    }
    first = (R.TS001_1_0_0, R.TS001_1_0_1, R.RP001_1_0_2)
    assert changed == {("AU915", revision) for revision in first}


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("revision", list(R))
def test_gateways_send_by_the_numbers_of_every_revision(
    name: str, revision: RegionalParameters
) -> None:
    """Downlinks are given to gateways by the device's own numbers."""
    old = plan(name, revision)
    newest = plan(old.name)
    tables = [old.rx1_data_rates, old.rx1_data_rates_dwell or {}]
    used = {data_rate for table in tables for row in table.values() for data_rate in row}
    used |= {old.rx2_data_rate, old.class_b.ping_slot_data_rate, old.class_b.beacon_data_rate}
    used |= {data_rate for data_rate, row in old.data_rates.items() if row.downlink}
    assert all(old.data_rates[used_one] == newest.data_rates[used_one] for used_one in used)
