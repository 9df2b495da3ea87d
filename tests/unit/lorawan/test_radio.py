from __future__ import annotations

import pytest

from bittern.lorawan.radio import Reception, Transmission, TransmissionReport, Window
from bittern.types import EUI64, DevEUI, GatewayEUI, Instant

GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
DEVICE = DevEUI(EUI64.from_hex("0004a30b001b7ad2"))


def reception(**changed: object) -> Reception:
    values: dict[str, object] = {
        "gateway_eui": GATEWAY,
        "frequency_hz": 868_100_000,
        "data_rate": 5,
        "rssi_dbm": -60,
        "snr_db": 9.25,
        "received_at": Instant(1_700_000_000.5),
        "xtime": 2**62 + 1,
        "rctx": 0,
    }
    return Reception(**{**values, **changed})  # type: ignore[arg-type]


def test_a_gateway_without_gps_has_no_gps_time() -> None:
    assert (reception().gps_time_us, reception().fine_timestamp) == (None, None)


def test_equal_receptions_are_equal_and_cannot_change() -> None:
    assert reception() == reception()
    assert reception() != reception(rssi_dbm=-61)
    with pytest.raises(AttributeError):
        reception().rssi_dbm = 0  # type: ignore[misc]


def test_xtime_keeps_all_its_bits() -> None:
    assert reception().xtime == 4611686018427387905


def test_a_window_is_data_rate_then_frequency() -> None:
    assert Window(5, 868_100_000) == (5, 868_100_000)


def test_a_transmission_names_the_windows_it_may_use() -> None:
    sent = Transmission(
        downlink_id=7,
        dev_eui=DEVICE,
        device_class="A",
        phy_payload=b"\x60",
        rx_delay_s=1,
        rx2=Window(0, 869_525_000),
        xtime=1,
        rctx=0,
    )
    assert sent.rx1 is None
    assert sent.rx2 == Window(data_rate=0, frequency_hz=869_525_000)
    assert (sent.gps_time_us, sent.priority) == (None, 0)


def test_a_report_says_where_and_when() -> None:
    report = TransmissionReport(
        downlink_id=7,
        gateway_eui=GATEWAY,
        dev_eui=DEVICE,
        frequency_hz=869_525_000,
        data_rate=0,
        xtime=5,
        at=Instant(3.0),
    )
    assert (report.frequency_hz, report.at, report.gps_time_us) == (869_525_000, 3.0, None)
