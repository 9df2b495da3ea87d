import pytest

from bittern.lorawan.class_b import PingSlot
from bittern.lorawan.gps_time import gps_time_us
from bittern.lorawan.radio import Reception, Window
from bittern.lorawan.regions import plan
from bittern.mac.windows import Windows
from bittern.network.airtime_ledger import GatewayAirtime, Obstacle, Slot
from bittern.network.airtime_limits import AirtimeLimits
from bittern.network.offers import (
    AT_ONCE_S,
    TX_LEAD_S,
    Frame,
    Offer,
    Route,
    after_uplink,
    at_once,
    best_first,
    in_ping_slot,
)
from bittern.types import EUI64, GatewayEUI, Instant

EU868 = plan("EU868")
HEARD_AT = Instant(1000.0)
RX1, RX2 = Window(5, 868_100_000), Window(0, 869_525_000)
BOTH = Windows(delay_s=1, rx1=RX1, rx1_max_size=242, rx2=RX2, rx2_max_size=51)
FRAME = Frame(EU868, 20)


def gateway(
    number: int = 1,
    *,
    snr_db: float = 8.0,
    round_trip_s: float = 0.0,
    has_gps_time: bool = False,
    account: GatewayAirtime | None = None,
) -> Route:
    eui = GatewayEUI(EUI64.from_int(number))
    return Route(
        gateway_eui=eui,
        snr_db=snr_db,
        rctx=0,
        account=account or GatewayAirtime(AirtimeLimits(EU868, "")),
        round_trip_s=round_trip_s,
        has_gps_time=has_gps_time,
        heard=Reception(eui, 868_100_000, 5, -80, snr_db, HEARD_AT, 1, 0),
    )


def offered(route: Route, now: float = 1000.2, windows: Windows = BOTH) -> Offer:
    offer = after_uplink(route, windows, FRAME, Instant(now))
    assert isinstance(offer, Offer)
    return offer


# Class A


def test_both_windows_are_offered_rx1_first():
    offer = offered(gateway())
    assert (offer.rx1, offer.rx2, offer.rx_delay_s) == (RX1, RX2, 1)
    assert [slot.at for slot in offer.slots] == [1001.0, 1002.0]
    assert [slot.frequency_hz for slot in offer.slots] == [868_100_000, 869_525_000]


@pytest.mark.parametrize(
    ("round_trip_s", "now", "windows"),
    [
        (0.0, 1001 - TX_LEAD_S, (RX1, RX2)),
        (0.0, 1001 - TX_LEAD_S + 0.001, (None, RX2)),
        (0.4, 1000.5, (RX1, RX2)),
        (0.4, 1000.6, (None, RX2)),
        (0.9, 1000.2, (None, RX2)),
        (0.0, 1002 - TX_LEAD_S, (None, RX2)),
    ],
)
def test_rx1_sets_the_deadline_and_the_round_trip_of_the_gateway_brings_it_forward(
    round_trip_s, now, windows
):
    """An uplink received at 1000.0 ended half a round trip before; the frame travels as long."""
    offer = offered(gateway(round_trip_s=round_trip_s), now)
    assert (offer.rx1, offer.rx2) == windows


def test_after_both_deadlines_it_is_too_late():
    late = after_uplink(gateway(), BOTH, FRAME, Instant(1002.0))
    assert late is Obstacle.TOO_LATE


@pytest.mark.parametrize(
    ("begun_by", "windows"),
    [(None, (RX1, RX2)), (1000.9, (RX1, RX2)), (1001.0, (None, RX2)), (1001.9, (None, RX2))],
)
def test_a_window_that_opens_before_an_earlier_frame_has_begun_is_not_used(begun_by, windows):
    offer = after_uplink(gateway(), BOTH, FRAME, Instant(1000.2), begun_by)
    assert (offer.rx1, offer.rx2) == windows


def test_an_answer_that_would_overtake_an_earlier_frame_in_both_windows_is_not_offered():
    late = after_uplink(gateway(), BOTH, FRAME, Instant(1000.2), Instant(1002.0))
    assert late is Obstacle.OVERTAKES


def test_a_frame_for_one_window_is_offered_for_that_one():
    assert offered(gateway(), windows=BOTH.fitting(100)).rx2 is None
    alone = Windows(delay_s=5, rx1=None, rx1_max_size=0, rx2=RX2, rx2_max_size=51)
    offer = offered(gateway(), windows=alone)
    assert (offer.rx1, offer.rx2, offer.rx_delay_s) == (None, RX2, 5)
    assert [slot.at for slot in offer.slots] == [1006.0]


@pytest.mark.parametrize(
    ("snr_db", "windows"),
    [(-3.0, (RX1, RX2)), (-6.0, (None, RX2)), (-12.0, (None, RX2))],
)
def test_a_device_that_is_hardly_heard_is_answered_in_a_slower_rx2(snr_db, windows):
    """SF7 needs -7.5 dB, SF12 in RX2 -20 dB."""
    offer = offered(gateway(snr_db=snr_db))
    assert (offer.rx1, offer.rx2) == windows


def test_where_rx2_is_no_slower_rx1_is_kept_however_weak_the_device():
    slow = Windows(delay_s=1, rx1=Window(0, 868_100_000), rx1_max_size=51, rx2=RX2, rx2_max_size=51)
    assert offered(gateway(snr_db=-19.0), windows=slow).rx1 is not None


def test_a_band_used_up_leaves_the_other_window():
    busy = GatewayAirtime(AirtimeLimits(EU868, ""))
    busy.book(1, [Slot(Instant(900.0), 36.0, 868_100_000)], HEARD_AT)
    offer = offered(gateway(account=busy))
    assert (offer.rx1, offer.rx2) == (None, RX2)


def test_a_radio_that_is_busy_in_both_windows_offers_nothing():
    busy = GatewayAirtime(AirtimeLimits(EU868, ""))
    busy.book(1, [Slot(Instant(1000.9), 3.0, 923_300_000)], HEARD_AT)
    offer = after_uplink(gateway(account=busy), BOTH, FRAME, Instant(1000.2))
    assert offer is Obstacle.RADIO_BUSY


# Class C


def test_class_c_goes_as_soon_as_the_frame_is_there():
    offer = at_once(gateway(round_trip_s=0.1), RX2, FRAME, HEARD_AT)
    assert (offer.rx1, offer.rx2, offer.device_class) == (None, RX2, "C")
    assert offer.slots[0].at == pytest.approx(1000.05 + AT_ONCE_S)
    assert offer.wait_s(HEARD_AT) == pytest.approx(0.0)


def test_class_c_waits_for_the_radio():
    busy = GatewayAirtime(AirtimeLimits(EU868, ""))
    busy.book(1, [Slot(HEARD_AT, 2.0, 868_100_000)], HEARD_AT)
    offer = at_once(gateway(account=busy), RX2, FRAME, HEARD_AT)
    assert 1002.0 < offer.slots[0].at < 1002.1


# Class B


def ping_slot(at: float) -> PingSlot:
    return PingSlot(gps_time_us(Instant(at)), 0)


def test_class_b_goes_in_its_slot_by_a_gateway_with_gps_time():
    offer = in_ping_slot(gateway(has_gps_time=True), RX2, ping_slot(1000.5), FRAME, HEARD_AT)
    assert isinstance(offer, Offer)
    assert (offer.rx1, offer.rx2, offer.device_class) == (RX2, None, "B")
    assert offer.gps_time_us == gps_time_us(Instant(1000.5))
    assert offer.slots[0].at == pytest.approx(1000.5)


@pytest.mark.parametrize(
    ("has_gps_time", "at", "obstacle"),
    [(False, 1000.5, Obstacle.NO_GPS_TIME), (True, 1000.04, Obstacle.TOO_LATE)],
)
def test_class_b_goes_exactly_or_not_at_all(has_gps_time, at, obstacle):
    route = gateway(has_gps_time=has_gps_time)
    assert in_ping_slot(route, RX2, ping_slot(at), FRAME, HEARD_AT) is obstacle


# Choice


def chosen(*routes: Route) -> list[int]:
    offers = best_first([offered(route) for route in routes], HEARD_AT)
    return [int(offer.route.gateway_eui) for offer in offers]


def test_the_better_link_is_chosen_while_it_matters():
    assert chosen(gateway(1, snr_db=-4.0), gateway(2, snr_db=-1.0)) == [2, 1]


def test_of_two_good_links_the_gateway_with_less_to_do_is_chosen():
    busy = GatewayAirtime(AirtimeLimits(EU868, ""))
    for number in range(20):
        busy.book(number, [Slot(Instant(900.0 + number), 0.9, 923_300_000)], HEARD_AT)
    assert chosen(gateway(1, snr_db=9.0, account=busy), gateway(2, snr_db=5.0)) == [2, 1]
    assert chosen(gateway(1, snr_db=9.0, account=busy), gateway(2, snr_db=-4.0)) == [1, 2]


def test_of_two_good_links_the_one_with_more_of_its_duty_cycle_left_is_chosen():
    used = GatewayAirtime(AirtimeLimits(EU868, ""))
    used.book(1, [Slot(Instant(-1000.0), 20.0, 868_300_000)], Instant(-1000.0))
    assert chosen(gateway(1, snr_db=9.0, account=used), gateway(2, snr_db=5.0)) == [2, 1]


def test_between_equals_the_better_link_decides_after_all():
    assert chosen(gateway(1, snr_db=5.0), gateway(2, snr_db=9.0)) == [2, 1]


def test_a_gateway_that_did_not_report_its_last_frame_comes_after_one_that_does():
    silent = GatewayAirtime(AirtimeLimits(EU868, ""))
    silent.book(1, [Slot(Instant(900.0), 0.1, 868_100_000)], HEARD_AT)
    silent.release(1)
    assert chosen(gateway(1, snr_db=9.0, account=silent), gateway(2, snr_db=0.0)) == [2, 1]


def test_a_report_names_the_slot_by_its_frequency_and_else_by_its_time():
    offer = offered(gateway())
    assert offer.slot_used(RX1.frequency_hz, Instant(1005.0)).frequency_hz == RX1.frequency_hz
    assert offer.slot_used(RX2.frequency_hz, Instant(1000.0)).frequency_hz == RX2.frequency_hz
    assert offer.slot_used(867_100_000, Instant(1002.1)).frequency_hz == RX2.frequency_hz
