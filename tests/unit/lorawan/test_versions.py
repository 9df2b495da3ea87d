from __future__ import annotations

import pytest

from bittern.lorawan import versions
from bittern.lorawan.versions import MacVersion

V = MacVersion


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.0.3", V.LORAWAN_1_0_3),
        ("1.0", V.LORAWAN_1_0_0),
        ("1.1", V.LORAWAN_1_1),
        ("1.1.0", V.LORAWAN_1_1),
        ("1.1.1", V.LORAWAN_1_1),
        ("v1.0.2", V.LORAWAN_1_0_2),
        ("LoRaWAN 1.0.4", V.LORAWAN_1_0_4),
        ("LORAWAN_1_0_1", V.LORAWAN_1_0_1),
        (" 1.0.4\n", V.LORAWAN_1_0_4),
    ],
)
def test_versions_are_read_as_people_write_them(text: str, version: MacVersion) -> None:
    assert MacVersion.parse(text) is version


@pytest.mark.parametrize(
    "text", ["", "1", "2.0", "1.0.5", "1.2", "1.0.3.1", "one", "1.0.x", "1.1.2"]
)
def test_what_is_no_version_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(ValueError, match=r"1\.0\.4, 1\.1"):
        MacVersion.parse(text)


def test_every_version_reads_its_own_text() -> None:
    for version in MacVersion:
        assert MacVersion.parse(str(version)) is version


@pytest.mark.parametrize(
    ("predicate", "since"),
    [
        ("is_1_1", V.LORAWAN_1_1),
        ("uses_nwk_key", V.LORAWAN_1_1),
        ("encrypts_fopts", V.LORAWAN_1_1),
        ("has_two_downlink_counters", V.LORAWAN_1_1),
        ("mic_covers_acknowledged_counter", V.LORAWAN_1_1),
        ("indicates_session_by_rekey", V.LORAWAN_1_1),
        ("resets_by_command", V.LORAWAN_1_1),
        ("announces_class", V.LORAWAN_1_1),
        ("increments_dev_nonce", V.LORAWAN_1_0_4),
        ("has_device_time", V.LORAWAN_1_0_3),
        ("masks_channels_by_cf_list", V.LORAWAN_1_0_3),
        ("answers_link_adr_as_block", V.LORAWAN_1_0_2),
        ("repeats_receive_answers", V.LORAWAN_1_0_2),
        ("has_tx_param_setup", V.LORAWAN_1_0_2),
        ("has_dl_channel", V.LORAWAN_1_0_2),
        ("has_ping_slot_channel", V.LORAWAN_1_0_3),
        ("keeps_by_15", V.LORAWAN_1_0_4),
        ("has_adr_param_setup", V.LORAWAN_1_1),
        ("has_rejoin", V.LORAWAN_1_1),
    ],
)
def test_each_difference_holds_from_one_version_on(predicate: str, since: MacVersion) -> None:
    order = list(MacVersion)
    expected = {version: order.index(version) >= order.index(since) for version in order}
    assert {version: getattr(versions, predicate)(version) for version in order} == expected


def test_counter_gap_was_limited_until_1_0_4() -> None:
    limited = {version for version in MacVersion if versions.has_max_fcnt_gap(version)}
    assert limited == {
        V.LORAWAN_1_0_0,
        V.LORAWAN_1_0_1,
        V.LORAWAN_1_0_2,
        V.LORAWAN_1_0_3,
    }


def test_beacon_timing_ended_with_1_0_2() -> None:
    assert [v for v in V if versions.has_beacon_timing(v)] == [
        V.LORAWAN_1_0_0,
        V.LORAWAN_1_0_1,
        V.LORAWAN_1_0_2,
    ]
