from bittern.lorawan.radio import Reception
from bittern.network.deduplication import LATE_COPY_S, Deduplicator
from bittern.types import EUI64, GatewayEUI, Instant

ONE = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
TWO = GatewayEUI(EUI64.from_hex("0016c001ff000002"))


def heard(gateway: GatewayEUI, *, snr: float = 5.0, rssi: int = -60, at: float = 0.0) -> Reception:
    return Reception(
        gateway_eui=gateway,
        frequency_hz=868_100_000,
        data_rate=5,
        rssi_dbm=rssi,
        snr_db=snr,
        received_at=Instant(at),
        xtime=1,
        rctx=0,
    )


def test_copies_of_one_frame_are_gathered_until_the_window_ends():
    deduplicator = Deduplicator(0.2)
    deduplicator.add(b"frame", heard(ONE, snr=1.0), Instant(10.0))
    deduplicator.add(b"frame", heard(TWO, snr=7.0), Instant(10.1))
    assert deduplicator.due(Instant(10.19)) == []
    (gathered,) = deduplicator.due(Instant(10.2))
    assert [reception.gateway_eui for reception in gathered.receptions] == [TWO, ONE]
    assert deduplicator.next_timer() is None


def test_the_timer_is_the_end_of_the_oldest_window():
    deduplicator = Deduplicator(0.2)
    assert deduplicator.next_timer() is None
    deduplicator.add(b"first", heard(ONE), Instant(10.0))
    deduplicator.add(b"second", heard(ONE), Instant(10.1))
    assert deduplicator.next_timer() == Instant(10.2)
    assert [g.phy_payload for g in deduplicator.due(Instant(10.25))] == [b"first"]
    assert deduplicator.next_timer() == Instant(10.1 + 0.2)


def test_a_copy_behind_the_window_is_late_and_not_a_new_frame():
    deduplicator = Deduplicator(0.2)
    deduplicator.add(b"frame", heard(ONE), Instant(10.0))
    deduplicator.due(Instant(10.2))
    assert deduplicator.add(b"frame", heard(TWO), Instant(10.5))
    assert deduplicator.late_copies == 1
    assert deduplicator.next_timer() is None


def test_the_same_bytes_sent_again_after_the_receive_windows_are_a_frame_again():
    deduplicator = Deduplicator(0.2)
    deduplicator.add(b"frame", heard(ONE), Instant(10.0))
    deduplicator.due(Instant(10.2))
    deduplicator.due(Instant(10.2 + LATE_COPY_S))
    deduplicator.add(b"frame", heard(ONE), Instant(12.5))
    assert len(deduplicator.due(Instant(12.8))) == 1
    assert deduplicator.late_copies == 0


def test_one_gateway_with_two_antennas_counts_once_with_its_better_reception():
    deduplicator = Deduplicator(0.2)
    for reception in (heard(ONE, snr=2.0), heard(ONE, snr=9.0), heard(TWO, snr=5.0)):
        deduplicator.add(b"frame", reception, Instant(0.0))
    (gathered,) = deduplicator.due(Instant(1.0))
    assert [(r.gateway_eui, r.snr_db) for r in gathered.receptions] == [(ONE, 9.0), (TWO, 5.0)]


def test_equal_snr_is_decided_by_rssi():
    deduplicator = Deduplicator(0.2)
    deduplicator.add(b"frame", heard(ONE, rssi=-90), Instant(0.0))
    deduplicator.add(b"frame", heard(TWO, rssi=-50), Instant(0.0))
    (gathered,) = deduplicator.due(Instant(1.0))
    assert gathered.best.gateway_eui == TWO


def test_a_full_deduplicator_refuses_new_frames_but_takes_copies_of_known_ones():
    deduplicator = Deduplicator(0.2, capacity=1)
    assert deduplicator.add(b"first", heard(ONE), Instant(0.0))
    assert not deduplicator.add(b"second", heard(ONE), Instant(0.0))
    assert deduplicator.add(b"first", heard(TWO), Instant(0.1))


def test_flush_gives_up_everything_that_is_open():
    deduplicator = Deduplicator(0.2)
    deduplicator.add(b"frame", heard(ONE), Instant(0.0))
    assert [g.phy_payload for g in deduplicator.flush()] == [b"frame"]
    assert len(deduplicator) == 0


def test_a_frame_was_received_when_its_first_copy_arrived():
    deduplicator = Deduplicator(0.2)
    deduplicator.add(b"frame", heard(ONE, snr=1.0, at=5.0), Instant(5.0))
    deduplicator.add(b"frame", heard(TWO, snr=9.0, at=5.1), Instant(5.1))
    (gathered,) = deduplicator.due(Instant(6.0))
    assert gathered.received_at == Instant(5.0)


def test_no_more_are_due_at_once_than_is_asked_for():
    deduplicator = Deduplicator(0.2)
    for phy_payload in (b"first", b"second", b"third"):
        deduplicator.add(phy_payload, heard(ONE), Instant(0.0))
    assert [g.phy_payload for g in deduplicator.due(Instant(1.0), 2)] == [b"first", b"second"]
    assert [g.phy_payload for g in deduplicator.due(Instant(1.0), 2)] == [b"third"]
