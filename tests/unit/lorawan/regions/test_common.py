"""What regions share; that they share it is in the tests of each."""

from __future__ import annotations

from bittern.lorawan.regions import common


def test_shared_tables_have_a_row_for_each_of_their_data_rates() -> None:
    eight = set(range(8))
    assert set(common.EIGHT_DATA_RATES) == set(common.EIGHT_RX1_DATA_RATES) == eight
    assert (
        set(common.EIGHT_PAYLOAD_SIZES.plain) == set(common.EIGHT_PAYLOAD_SIZES.repeater) == eight
    )
    assert set(common.LORA_125) == set(common.SIX_RX1_DATA_RATES) == set(range(6))


def test_powers_go_down_by_two_decibels() -> None:
    for powers, count in ((common.SIX_TX_POWERS_DB, 6), (common.EIGHT_TX_POWERS_DB, 8)):
        assert powers == tuple(-2 * index for index in range(count))


def test_a_beacon_has_its_second_half_seven_bytes_and_a_checksum_before_the_end() -> None:
    """RFU, Param, Time (4) and CRC (2), then GwSpecific (7), RFU and CRC (2)."""
    layouts = common.BEACON_LAYOUTS.values()
    for time_at, gw_specific_at, size in layouts:
        assert gw_specific_at == time_at + 6
        assert size - gw_specific_at - 9 >= 0
    assert [size for *_, size in layouts] == [19, 17, 19, 21, 23]
