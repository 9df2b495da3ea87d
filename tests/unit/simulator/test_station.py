from __future__ import annotations

import json
import random

import pytest

from bittern.simulator.radio import Emission
from bittern.simulator.regions import Modulation
from bittern.simulator.station import RadioTransmission, Station, StationRejected
from bittern.types import EUI64, GatewayEUI

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
DEV_EUI = "00-04-A3-0B-00-1C-05-30"
UPLINK = bytes.fromhex("40f17dbe490000000201aabbccddee")
SF7 = Modulation(7, 125)
CONFIG = {
    "msgtype": "router_config",
    "hwspec": "sx1301/1",
    "sx1301_conf": [{}],
    "region": "EU868",
    "freq_range": [863_000_000, 870_000_000],
    "DRs": [[12, 125, 0], [11, 125, 0], [10, 125, 0], [9, 125, 0], [8, 125, 0], [7, 125, 0]],
    "upchannels": [[868_100_000, 0, 5], [868_300_000, 0, 5]],
    "NetID": None,
    "JoinEui": None,
    "MuxTime": 1000.5,
}


def a_station(**changes) -> Station:
    station = Station(EUI, random.Random(1))
    station.version()
    station.receive(json.dumps(CONFIG | changes), 0)
    return station


def an_emission(phy: bytes = UPLINK, frequency_hz: int = 868_100_000, modulation=SF7) -> Emission:
    return Emission(phy, 0, frequency_hz, 5, modulation)


def hear(station: Station, emission: Emission, ended_us: int = 5_000_000) -> dict | None:
    text = station.hear(emission, ended_us, 1_700_000_000.0, -61, 9.3)
    return None if text is None else json.loads(text)


def a_dnmsg(station: Station, **fields) -> str:
    message = {
        "msgtype": "dnmsg",
        "DevEui": DEV_EUI,
        "dC": 0,
        "diid": 77,
        "pdu": "60AABB",
        "RxDelay": 1,
        "RX1DR": 5,
        "RX1Freq": 868_100_000,
        "RX2DR": 0,
        "RX2Freq": 869_525_000,
        "xtime": station.xtime(5_000_000),
        "rctx": 0,
    }
    return json.dumps({k: v for k, v in (message | fields).items() if v is not None})


def test_discovery_names_the_station_and_reads_the_uri() -> None:
    station = Station(EUI, random.Random(1))
    assert json.loads(station.discovery_request()) == {"router": "16:c001:ff00:1"}
    answer = '{"router": "x", "muxs": "y", "uri": "wss://localhost:8887/lns"}'
    assert station.read_discovery(answer) == "wss://localhost:8887/lns"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ('{"error": "unknown gateway"}', "unknown gateway"),
        ("{}", "no uri"),
        ("[]", "no uri"),
        ("{", "garbage"),
        ('{"uri": "wss://localhost:8887"}', "bad uri"),
    ],
)
def test_discovery_without_uri_is_a_rejection(answer: str, reason: str) -> None:
    with pytest.raises(StationRejected, match=reason):
        Station(EUI, random.Random(1)).read_discovery(answer)


def test_version_is_the_first_message() -> None:
    version = json.loads(Station(EUI, random.Random(1)).version())
    assert (version["msgtype"], version["protocol"]) == ("version", 2)


def test_uplink_is_told_as_the_genuine_station_does() -> None:
    station = a_station()
    told = hear(station, an_emission())
    assert told is not None
    assert told["upinfo"]["xtime"] >> 48 == station.session
    assert told["upinfo"]["xtime"] & 0xFFFFFFFFFFFF == 5_000_000
    assert told["upinfo"] | {"xtime": 0} == {
        "rctx": 0,
        "xtime": 0,
        "gpstime": 0,
        "fts": -1,
        "rssi": -61,
        "snr": 9.25,
        "rxtime": 1_700_000_000.0,
    }
    assert (told["msgtype"], told["DR"], told["Freq"]) == ("updf", 5, 868_100_000)
    assert told["RefTime"] == 1005.5


def test_join_request_is_told_in_dashed_euis() -> None:
    phy = bytes.fromhex("00" + "010000d07ed5b370" + "30051c000ba30400" + "0200" + "ffffffff")
    told = hear(a_station(), an_emission(phy))
    assert told is not None
    assert told["msgtype"] == "jreq"
    assert (told["DevEui"], told["JoinEui"]) == (DEV_EUI, "70-B3-D5-7E-D0-00-00-01")
    assert (told["DevNonce"], told["MIC"]) == (2, -1)


def test_proprietary_frame_is_told_whole() -> None:
    told = hear(a_station(), an_emission(b"\xe0" + bytes(12)))
    assert told is not None
    assert (told["msgtype"], told["FRMPayload"]) == ("propdf", "E0" + "00" * 12)


@pytest.mark.parametrize("size", [19, 24])
def test_rejoin_request_is_told_whole_by_a_station_that_knows_it(size: int) -> None:
    phy = b"\xc0" + bytes(size - 2) + b"\x80"
    knowing, old = a_station(), a_station()
    knowing.passes_rejoins = True
    told = hear(knowing, an_emission(phy))
    assert told is not None
    assert (told["msgtype"], told["MHdr"]) == ("rejoin", 0xC0)
    assert (told["PDU"], told["MIC"]) == (phy.hex().upper(), -(2**31))
    assert hear(old, an_emission(phy)) is None


@pytest.mark.parametrize(
    "emission",
    [
        an_emission(frequency_hz=868_500_000),
        an_emission(modulation=Modulation(7, 250)),
        an_emission(b"\x40" + bytes(10)),
        an_emission(b"\x41" + bytes(20)),
        an_emission(b"\xc0" + bytes(18)),
        an_emission(b"\x60" + bytes(18)),
    ],
)
def test_station_is_silent_about_what_it_cannot_hear(emission: Emission) -> None:
    station = a_station()
    assert hear(station, emission) is None
    assert len(station.dropped) == 1


def test_nothing_is_told_before_router_config() -> None:
    assert hear(Station(EUI, random.Random(1)), an_emission()) is None


def test_filters_hold_back() -> None:
    assert hear(a_station(NetID=[0x24]), an_emission()) is not None
    assert hear(a_station(NetID=[0x13]), an_emission()) is None
    join = an_emission(bytes(19) + b"abcd")
    assert hear(a_station(JoinEui=[[1, 5]]), join) is None
    assert hear(a_station(JoinEui=[[0, 5]]), join) is not None


@pytest.mark.parametrize("changes", [{"hwspec": "sx1301/2"}, {"sx1301_conf": {}}])
def test_radio_that_does_not_fit_ends_the_connection(changes) -> None:
    with pytest.raises(StationRejected):
        a_station(**changes)


def test_every_configuration_begins_a_new_session() -> None:
    station = a_station()
    before = station.session
    station.receive(json.dumps(CONFIG), 0)
    assert station.session != before
    assert station.session > 0


def test_class_a_downlink_goes_out_in_rx1() -> None:
    station = a_station()
    planned = station.receive(a_dnmsg(station), 5_300_000)
    assert planned == RadioTransmission(
        downlink_id=77,
        dev_eui=EUI64.from_hex(DEV_EUI),
        phy_payload=b"\x60\xaa\xbb",
        window="RX1",
        at_us=6_000_000,
        frequency_hz=868_100_000,
        data_rate=5,
        modulation=SF7,
        rctx=0,
    )
    report = json.loads(station.transmitted(planned))
    assert (report["msgtype"], report["diid"], report["seqno"]) == ("dntxed", 77, 77)
    assert (report["DR"], report["Freq"], report["DevEui"]) == (5, 868_100_000, DEV_EUI)
    assert report["xtime"] == station.xtime(6_000_000)


@pytest.mark.parametrize(
    ("fields", "now_us", "window", "at_us"),
    [
        ({}, 5_990_000, "RX2", 7_000_000),
        ({"RX1DR": None, "RX1Freq": None}, 5_100_000, "RX2", 7_000_000),
        ({"RxDelay": 0}, 5_100_000, "RX1", 6_000_000),
        ({"RxDelay": None}, 5_100_000, "RX1", 6_000_000),
        ({"RxDelay": 5}, 5_100_000, "RX1", 10_000_000),
        ({"dC": 2}, 5_100_000, "RX1", 6_000_000),
        ({"dC": 2}, 6_000_000, "RX2", 6_020_000),
        ({"dC": 2, "RX1DR": None, "RX1Freq": None}, 9_000_000, "RX2", 9_020_000),
    ],
)
def test_window_is_chosen(fields, now_us: int, window: str, at_us: int) -> None:
    station = a_station()
    planned = station.receive(a_dnmsg(station, **fields), now_us)
    assert planned is not None
    assert (planned.window, planned.at_us) == (window, at_us)


@pytest.mark.parametrize(
    ("fields", "now_us", "reason"),
    [
        ({}, 7_000_000, "no window left"),
        ({"xtime": 99 << 48}, 5_100_000, "obsolete session"),
        ({"RX1Freq": 915_000_000}, 5_100_000, "frequency"),
        ({"RX1DR": None}, 5_100_000, "belong together"),
        ({"RX1DR": 12}, 5_100_000, "cannot be read"),
        ({"pdu": None}, 5_100_000, "cannot be read"),
        ({"dC": 1}, 5_100_000, "GPS"),
        ({"dC": 3}, 5_100_000, "dC 3"),
        ({"RxDelay": 700}, 5_100_000, "no window left"),
    ],
)
def test_downlink_that_cannot_be_sent_is_dropped_in_silence(fields, now_us, reason) -> None:
    station = a_station()
    assert station.receive(a_dnmsg(station, **fields), now_us) is None
    assert reason in station.dropped[-1]


def test_second_downlink_for_the_same_moment_takes_rx2() -> None:
    station = a_station()
    windows = [station.receive(a_dnmsg(station, diid=n), 5_100_000) for n in (1, 2, 3)]
    assert [planned and planned.window for planned in windows] == ["RX1", "RX2", None]


def test_unknown_region_receives_but_never_sends() -> None:
    station = a_station(region="AS923-2")
    assert hear(station, an_emission()) is not None
    assert station.receive(a_dnmsg(station), 5_100_000) is None


def test_downlink_for_nobody_is_not_reported() -> None:
    station = a_station()
    planned = station.receive(a_dnmsg(station, DevEui="00-00-00-00-00-00-00-00"), 5_100_000)
    assert planned is not None
    assert station.transmitted(planned) is None


def test_station_with_pps_asks_for_the_time_until_it_knows() -> None:
    station = a_station()
    assert station.timesync(1_000) is None
    station.pps = True
    assert json.loads(station.timesync(1_000)) == {"msgtype": "timesync", "txtime": 1_000}
    station.receive('{"msgtype":"timesync","txtime":1000,"gpstime":5001000}', 2_000)
    assert station.timesync(3_000) is None
    told = hear(station, an_emission(), ended_us=10_000)
    assert told is not None
    assert told["upinfo"]["gpstime"] == 5_010_000


def test_a_station_that_knows_its_pulses_takes_only_the_second_from_the_server() -> None:
    station = a_station()
    station.pps, station.pulse_us = True, 250_000
    station.receive('{"msgtype":"timesync","txtime":1300000,"gpstime":77090000}', 1_340_000)
    assert station.gps_offset_us == 75_750_000, "a pulse at 1.25 s was second 77 and not 77.04"


def test_server_may_label_the_clock_by_an_uplink() -> None:
    station = a_station()
    label = {"msgtype": "timesync", "xtime": station.xtime(7_000), "gpstime": 8_000}
    station.receive(json.dumps(label), 9_000)
    assert station.gps_offset_us == 1_000
    ping = a_dnmsg(station, dC=1, DR=3, Freq=869_525_000, gpstime=601_000)
    planned = station.receive(ping, 9_000)
    assert planned is not None
    assert (planned.window, planned.at_us) == ("PING", 600_000)


@pytest.mark.parametrize("text", ["{", "[]", '{"msgtype":"hello"}', "{}", '{"msgtype":"timesync"}'])
def test_garbage_is_dropped_and_the_connection_stays(text: str) -> None:
    station = a_station()
    assert station.receive(text, 0) is None
    assert len(station.dropped) == 1
