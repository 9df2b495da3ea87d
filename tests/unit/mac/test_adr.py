from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan.commands import LinkADRReq
from bittern.lorawan.regions import plan
from bittern.mac.adr import (
    ALGORITHMS,
    HISTORY_SIZE,
    Bounds,
    Heard,
    History,
    Mobile,
    Reference,
    Setting,
    Situation,
    nb_trans_by_loss,
    observe,
    record,
    tx_power_by_change,
)
from bittern.mac.session import Request

EU868 = plan("EU868")
BOUNDS = Bounds(0, 5, 0, 7, 1, 3)


def a_history(*snrs_db: float, lost: int = 0) -> bytes:
    history = b""
    for snr_db in snrs_db:
        history = record(history, lost=lost, snr_db=snr_db)
    return history


def a_situation(
    history: bytes, *, data_rate: int = 0, tx_power: int = 0, nb_trans: int = 1, bounds=BOUNDS
) -> Situation:
    setting = Setting(data_rate, tx_power, nb_trans)
    return Situation(EU868, setting, History(history), bounds)


# What was heard


def test_the_history_has_two_bytes_for_each_of_the_last_uplinks():
    history = a_history(*range(-10, 30))
    assert len(history) == 2 * HISTORY_SIZE
    assert History(history).is_full
    assert (History(history).worst_snr_db, History(history).best_snr_db) == (10.0, 29.0)


@pytest.mark.parametrize("snr_db", [-32.0, -20.5, 0.0, 9.5, 31.0])
def test_an_snr_is_kept_to_half_a_decibel(snr_db):
    assert History(a_history(snr_db)).best_snr_db == snr_db


def test_an_impossible_snr_is_kept_as_the_nearest_one():
    assert History(a_history(-500.0)).best_snr_db == -64.0
    assert History(a_history(500.0)).best_snr_db == 63.5


def test_loss_is_what_was_lost_between_the_uplinks_of_the_history():
    history = record(b"", lost=200, snr_db=0.0)
    assert History(history).loss == 0.0, "what was lost before the first one does not count"
    for lost in (0, 1, 0, 1):
        history = record(history, lost=lost, snr_db=0.0)
    assert History(history).loss == 2 / 6


def test_more_lost_uplinks_than_a_byte_holds_are_as_many_as_it_holds():
    history = record(a_history(0.0), lost=70_000, snr_db=0.0)
    assert History(history).loss == 255 / 256


# What an uplink tells


def heard(data_rate: int = 5, *, snr_db: float = 5.0, lost: int = 0, adr=True, ack_req=False):
    return Heard(data_rate, snr_db, lost, adr, ack_req)


def adapted(device, **fields):
    session = device.session()
    values = {"data_rate": 5, "tx_power": 3, "nb_trans": 2, **fields}
    radio = msgspec.structs.replace(session.radio, **values)
    return msgspec.structs.replace(session, radio=radio, uplink_history=a_history(1.0))


def test_an_uplink_joins_the_history(device):
    session = adapted(device)
    after = observe(session, heard(lost=2, snr_db=-3.0), EU868)
    assert after.uplink_history == session.uplink_history + bytes((2, 122))
    assert after.radio is session.radio


def test_a_device_without_adr_has_no_history(device):
    session = adapted(device)
    after = observe(session, heard(adr=False), EU868)
    assert after.uplink_history == b""
    assert observe(after, heard(adr=False), EU868) is after


def test_what_was_heard_of_another_data_rate_is_forgotten(device):
    after = observe(adapted(device), heard(data_rate=6, snr_db=7.0), EU868)
    assert len(History(after.uplink_history)) == 1
    assert after.radio.data_rate == 6


def test_an_fsk_uplink_has_no_snr_to_go_by(device):
    after = observe(adapted(device, data_rate=7), heard(data_rate=7), EU868)
    assert after.uplink_history == b""


def test_who_comes_slower_than_told_has_gone_to_full_power(device):
    radio = observe(adapted(device), heard(data_rate=4), EU868).radio
    assert (radio.data_rate, radio.tx_power, radio.link_uncertain) == (4, 0, True)


def test_who_was_asked_to_be_slower_has_obeyed(device):
    """Its answer got lost, so the power is not known before the next one."""
    session = adapted(device)
    request = LinkADRReq(data_rate=3, tx_power=1, ch_mask=7).pack()
    session = msgspec.structs.replace(session, requests=(Request(request, 0),))
    radio = observe(session, heard(data_rate=3), EU868).radio
    assert (radio.data_rate, radio.tx_power, radio.link_uncertain) == (3, 3, False)


def test_a_device_without_adr_chooses_its_data_rate(device):
    radio = observe(adapted(device), heard(data_rate=2, adr=False), EU868).radio
    assert (radio.data_rate, radio.tx_power, radio.link_uncertain) == (2, 3, False)


@pytest.mark.parametrize(
    ("fields", "uncertain"),
    [
        ({}, True),
        ({"tx_power": 0, "nb_trans": 1}, False),
        ({"tx_power": 0}, True),
        ({"nb_trans": 1}, True),
        ({"tx_power": 0, "nb_trans": 1, "enabled_channels": (0, 1)}, True),
    ],
)
def test_who_asks_for_a_downlink_may_have_fallen_back(device, fields, uncertain):
    after = observe(adapted(device, **fields), heard(ack_req=True), EU868)
    assert after.radio.link_uncertain is uncertain


# What to make of it


@pytest.mark.parametrize(
    ("loss", "nb_trans", "better"),
    [
        (0.0, 1, 1),
        (0.0, 2, 1),
        (0.04, 3, 2),
        (0.05, 1, 1),
        (0.09, 2, 2),
        (0.1, 1, 2),
        (0.29, 3, 3),
        (0.3, 1, 3),
        (1.0, 15, 3),
        (0.0, 0, 1),
    ],
)
def test_loss_decides_the_number_of_transmissions(loss, nb_trans, better):
    assert nb_trans_by_loss(loss, nb_trans) == better


@pytest.mark.parametrize(
    ("tx_power", "change_db", "index"),
    [(0, 0, 0), (0, 3, 1), (0, 6, 3), (3, 4, 5), (0, 99, 7), (5, -3, 3), (5, -99, 0), (2, -2, 1)],
)
def test_power_changes_by_no_more_than_there_is_to_give(tx_power, change_db, index):
    assert tx_power_by_change(EU868, tx_power, change_db) == index


@pytest.mark.parametrize(
    ("data_rate", "tx_power", "best_db", "expected"),
    [
        # DR0 needs -20 dB, and 10 dB more: -10 dB leave nothing to spend, -7 dB one step of 3 dB.
        (0, 0, -10.0, (0, 0)),
        (0, 0, -7.0, (1, 0)),
        (0, 0, 4.5, (4, 0)),
        # Four steps make it as fast as it gets; the fifth is 3 dB less power: one index of 2 dB.
        (0, 0, 11.0, (5, 3)),
        (5, 0, 2.5, (5, 0)),
        (5, 0, 5.5, (5, 1)),
        (5, 0, 99.0, (5, 7)),
        # Too little: power comes back, the data rate does not.
        (5, 4, -3.5, (5, 1)),
        (5, 1, -20.0, (5, 0)),
        (5, 4, 0.0, (5, 4)),
    ],
)
def test_the_reference_spends_what_the_best_uplink_had_to_spare(
    data_rate, tx_power, best_db, expected
):
    history = a_history(*[best_db - 8.0] * 19, best_db)
    situation = a_situation(history, data_rate=data_rate, tx_power=tx_power)
    decided = Reference(margin_db=10.0).decide(situation)
    assert decided[:2] == expected


def test_the_reference_waits_for_twenty_uplinks():
    situation = a_situation(a_history(*[30.0] * 19))
    assert Reference().decide(situation) == situation.current


def test_the_reference_repeats_what_gets_lost():
    history = a_history(*[-10.0] * 20, lost=1)
    assert Reference().decide(a_situation(history)).nb_trans == 3


def test_the_reference_stops_at_the_fastest_that_is_allowed():
    bounds = Bounds(0, 2, 0, 7, 1, 3)
    situation = a_situation(a_history(*[2.0] * 20), bounds=bounds)
    decided = Reference(margin_db=10.0).decide(situation)
    assert (decided.data_rate, decided.tx_power) == (2, 3)


def test_the_mobile_one_goes_by_the_worst_uplink_and_keeps_its_power():
    history = a_history(9.0, 9.0, -6.0, 9.0, 9.0)
    decided = Mobile().decide(a_situation(history, data_rate=0, tx_power=4))
    assert decided == Setting(3, 0, 1)


def test_the_mobile_one_is_quick_to_slow_down_and_slow_to_speed_up():
    one = a_history(-12.0)
    assert Mobile().decide(a_situation(one, data_rate=5)).data_rate == 1
    assert Mobile().decide(a_situation(one, data_rate=0)).data_rate == 0
    assert Mobile().decide(a_situation(a_history(*[-12.0] * 5))).data_rate == 1


def test_where_nothing_is_enough_the_mobile_one_is_as_slow_as_allowed():
    bounds = Bounds(2, 5, 0, 7, 1, 3)
    decided = Mobile().decide(a_situation(a_history(-30.0), data_rate=4, bounds=bounds))
    assert decided.data_rate == 2


def test_bounds_hold_whatever_is_decided():
    bounds = Bounds(1, 4, 2, 5, 1, 2)
    assert bounds.clamp(Setting(0, 0, 0)) == Setting(1, 2, 1)
    assert bounds.clamp(Setting(5, 7, 3)) == Setting(4, 5, 2)


def test_there_are_two_algorithms():
    assert {name: type(one) for name, one in ALGORITHMS.items()} == {
        "reference": Reference,
        "mobile": Mobile,
    }
