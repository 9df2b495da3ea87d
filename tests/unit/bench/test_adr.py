from __future__ import annotations

import random

import pytest

from bench.adr import (
    NOISE_DBM,
    REGION,
    Field,
    Stretch,
    delivery,
    main,
    path_loss_db,
    run,
    senders,
)
from bittern.store.records import ServiceProfile

POLICY = ServiceProfile(id="adr", dev_status_req_freq=0)


def test_path_loss_grows_with_the_logarithm_of_the_distance() -> None:
    assert path_loss_db(1.0) == pytest.approx(128.95)
    assert path_loss_db(10.0) - path_loss_db(1.0) == pytest.approx(23.2)


def test_a_field_is_the_same_for_the_same_seed() -> None:
    one, same, other = (
        Field(devices=50, seed=seed).path_losses_db(random.Random(seed)) for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_devices_are_spread_evenly_over_the_disk() -> None:
    """Half of the area is beyond 71 % of the radius."""
    air = Field(devices=4000, shadowing_db=0.0)
    losses = air.path_losses_db(random.Random(3))
    beyond = sum(loss > path_loss_db(0.7071 * air.radius_km) for loss in losses)
    assert 0.47 < beyond / len(losses) < 0.53


@pytest.mark.parametrize(
    ("snr_db", "nb_trans", "expected"),
    [(-20.0, 1, 0.5), (-20.0, 3, 0.875), (-10.0, 1, 1.0), (-30.0, 3, 0.0)],
)
def test_delivery_follows_from_the_margin(snr_db: float, nb_trans: int, expected: float) -> None:
    slowest = REGION.data_rates[0]
    assert delivery(snr_db, slowest, 2.5, nb_trans) == pytest.approx(expected, abs=1e-3)


def test_without_fading_a_margin_is_enough_or_not() -> None:
    slowest = REGION.data_rates[0]
    assert [delivery(snr_db, slowest, 0.0, 1) for snr_db in (-20.1, -19.9)] == [0.0, 1.0]


def test_reach_is_what_full_power_at_the_slowest_data_rate_bears() -> None:
    (one,) = senders(Field(devices=1), POLICY)
    for beyond_db, reachable in ((8.0, True), (0.0, False)):
        one.path_loss_db = REGION.max_eirp_dbm - NOISE_DBM + 20.0 - beyond_db
        assert one.is_reachable(2.5, 1) is reachable


def test_a_field_converges_and_delivers() -> None:
    reach, *rows = run(Field(devices=25), POLICY, uplinks=80, step=20)
    assert isinstance(reach, int)
    assert 10 <= reach <= 25
    first, *_, last = (row for row in rows if isinstance(row, Stretch))
    assert last.data_rate > 1.0
    assert last.airtime_ms < first.airtime_ms / 1.5
    assert last.delivery > 0.97
    assert first.settled < last.settled == 1.0


def test_without_an_algorithm_nothing_moves() -> None:
    policy = ServiceProfile(id="none", adr_algorithm="", dev_status_req_freq=0)
    _, *rows = run(Field(devices=10), policy, uplinks=40, step=20)
    assert [(row.data_rate, row.tx_power, row.settled) for row in rows] == [(0.0, 0.0, 1.0)] * 2


def test_the_table_and_the_verdict_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--devices", "10", "--uplinks", "40", "--fading-db", "0"])
    printed = capsys.readouterr().out
    assert code == 0
    assert "reference: " in printed
    assert "21-40" in printed
    assert "wanted 99%" in printed


def test_a_field_that_delivers_too_little_is_told_by_the_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["--devices", "10", "--uplinks", "60", "--wandering-db", "12"])
    assert code == 1
    assert "delivered" in capsys.readouterr().out
