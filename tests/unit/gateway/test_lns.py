"""The data connection: what a station says, what the server answers, and when."""

from __future__ import annotations

import json

import pytest

from bittern.errors import GatewayProtocolError
from bittern.gateway.lns import (
    AlarmReceived,
    DownlinkTransmitted,
    GatewayRefused,
    LnsConnection,
    LnsLimits,
    MalformedReceived,
    PeerSilent,
    PingDue,
    ShellStatusReceived,
    StationEventReceived,
    UplinkReceived,
    VersionReceived,
    downlink_message,
)
from bittern.gateway.router_config import GatewaySettings, router_config
from bittern.lorawan.radio import Reception, Transmission, TransmissionReport, Window
from bittern.lorawan.regions import plan
from bittern.types import EUI64, DevEUI, GatewayEUI, Instant, Refusal

GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
DEVICE = DevEUI(EUI64.from_hex("00afee7cf5ed6f1e"))
CONFIG = router_config(plan("EU868"), GatewaySettings())
START = Instant(1_763_690_000.0)
XTIME = 69805796384966656

VERSION = (
    '{"msgtype":"version","station":"2.0.6(linux/testsim)","firmware":null,"package":null,'
    '"model":"linux","protocol":2,"features":"rmtsh gps"}'
)
TAIL = (
    '"RefTime":0.0,"DR":5,"Freq":868100000,"upinfo":{"rctx":3,"xtime":69805796384966656,'
    '"gpstime":0,"fts":-1,"rssi":-35,"snr":9.25,"rxtime":1763690000.123456}}'
)
UPDF = (
    '{"msgtype":"updf","MHdr":64,"DevAddr":637606874,"FCtrl":128,"FCnt":2,"FOpts":"","FPort":1,'
    '"FRMPayload":"954378762B11FF0D","MIC":-491713056,' + TAIL
)
PHY_PAYLOAD = bytes.fromhex("40da1b01268002000195437876" + "2b11ff0de00db1e2")
RECEPTION = Reception(GATEWAY, 868_100_000, 5, -35, 9.25, START, XTIME, 3)


def connection(**limits: object) -> LnsConnection:
    return LnsConnection(GATEWAY, CONFIG, START, LnsLimits(**limits))  # type: ignore[arg-type]


def open_connection(**limits: object) -> LnsConnection:
    lns = connection(**limits)
    lns.receive(VERSION, START)
    lns.text_to_send()
    return lns


# Opening


def test_version_is_answered_with_the_configuration() -> None:
    lns = connection()
    assert lns.receive(VERSION, START) == [
        VersionReceived("2.0.6(linux/testsim)", frozenset({"rmtsh", "gps"}), "linux")
    ]
    assert lns.is_open
    [text] = lns.text_to_send()
    answer = json.loads(text)
    assert answer["msgtype"] == "router_config"
    assert answer["MuxTime"] == START
    assert answer["upchannels"][0] == [868_100_000, 0, 5]
    assert lns.text_to_send() == []


@pytest.mark.parametrize(
    ("station", "refusal", "reason"),
    [
        (
            "2.0.3(linux/std)",
            Refusal.STATION_TOO_OLD,
            "station 2.0.3 is older than 2.0.4",
        ),
        ("1.9.99", Refusal.STATION_TOO_OLD, "station 1.9.99 is older than 2.0.4"),
        (
            "two",
            Refusal.STATION_VERSION_UNREADABLE,
            "station version 'two' is unreadable",
        ),
        ("", Refusal.STATION_VERSION_UNREADABLE, "station version '' is unreadable"),
        ("2.0", Refusal.STATION_VERSION_UNREADABLE, "station version '2.0' is unreadable"),
        (
            "2.0.40000000000",
            Refusal.STATION_VERSION_UNREADABLE,
            "station version '2.0.40000000000' is unreadable",
        ),
    ],
)
def test_other_stations_are_refused_and_told_why(
    station: str, refusal: Refusal, reason: str
) -> None:
    lns = connection()
    message = json.dumps({"msgtype": "version", "station": station})
    assert lns.receive(message, START) == [GatewayRefused(refusal, reason)]
    assert [json.loads(text) for text in lns.text_to_send()] == [
        {"msgtype": "error", "error": reason}
    ]
    assert not lns.is_open
    assert lns.next_timer() is None
    assert lns.fire_timer(START) == []
    assert lns.receive(UPDF, START) == []
    assert lns.receive("nonsense", START) == []


def test_version_of_a_wrong_type_is_unreadable() -> None:
    lns = connection()
    [event] = lns.receive('{"msgtype":"version","station":null}', START)
    assert isinstance(event, GatewayRefused)
    assert event.refusal is Refusal.STATION_VERSION_UNREADABLE
    assert "error" in lns.text_to_send()[0]


@pytest.mark.parametrize("station", ["2.0.4", "2.0.4(corecell/std)", "2.1.0", "10.0.0", "2.0.6-5"])
def test_newer_stations_are_welcome(station: str) -> None:
    lns = connection()
    lns.receive(json.dumps({"msgtype": "version", "station": station}), START)
    assert lns.is_open


def test_the_oldest_welcome_station_is_a_setting() -> None:
    lns = connection(minimum_station=(2, 0, 7))
    [event] = lns.receive(VERSION, START)
    assert event == GatewayRefused(Refusal.STATION_TOO_OLD, "station 2.0.6 is older than 2.0.7")


def test_nothing_is_taken_before_version() -> None:
    assert connection().receive(UPDF, START) == [
        MalformedReceived(Refusal.MALFORMED_MESSAGE, "updf before version")
    ]


def test_a_second_version_is_malformed() -> None:
    assert open_connection().receive(VERSION, START) == [
        MalformedReceived(Refusal.MALFORMED_MESSAGE, "version for the second time")
    ]


# Uplinks


def test_data_frame_is_rebuilt_exactly() -> None:
    assert open_connection().receive(UPDF, START) == [UplinkReceived(PHY_PAYLOAD, RECEPTION)]


def test_bytes_are_read_like_text() -> None:
    assert open_connection().receive(UPDF.encode(), START) == [
        UplinkReceived(PHY_PAYLOAD, RECEPTION)
    ]


def test_gps_and_fine_time_are_passed_on_where_there_are_any() -> None:
    text = UPDF.replace('"gpstime":0,"fts":-1', '"gpstime":1447725218000000,"fts":123')
    [event] = open_connection().receive(text, START)
    assert isinstance(event, UplinkReceived)
    assert event.reception.gps_time_us == 1447725218000000
    assert event.reception.fine_timestamp == 123


def test_join_request_is_rebuilt() -> None:
    text = (
        '{"msgtype":"jreq","MHdr":0,"JoinEui":"70-B3-D5-7E-D0-00-00-DC",'
        '"DevEui":"00-AF-EE-7C-F5-ED-6F-1E","DevNonce":258,"MIC":67305985,' + TAIL
    )
    assert open_connection().receive(text, START) == [
        UplinkReceived(bytes.fromhex("00dc0000d07ed5b3701e6fedf57ceeaf00020101020304"), RECEPTION)
    ]


def test_proprietary_frame_is_passed_on() -> None:
    text = '{"msgtype":"propdf","FRMPayload":"E0010203",' + TAIL
    assert open_connection().receive(text, START) == [
        UplinkReceived(bytes.fromhex("e0010203"), RECEPTION)
    ]


# Bad input


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Input data was truncated"),
        ("[]", "Expected `object`, got `array`"),
        ('{"msgtype":7}', "Expected `str` - at `$.msgtype`"),
        ('{"msgtype":"updf"}', "updf: Object missing required field `DR`"),
        (
            UPDF.replace('"FCnt":2', '"FCnt":65536'),
            "updf: Expected `int` <= 65535 - at `$.FCnt`",
        ),
        (UPDF.replace('"FOpts":""', '"FOpts":"03"'), "updf: FOpts has 1 bytes, FCtrl says 0"),
        (UPDF.replace("954378", "95437"), "updf: FRMPayload is not hexadecimal"),
        (
            '{"msgtype":"dntxed","diid":1,"DR":5,"Freq":868100000,"DevEui":"x","xtime":1}',
            "dntxed: not an EUI-64 such as 16:c001:ff00:1 or 00-16-C0-01-FF-00-00-01: 'x'",
        ),
    ],
)
def test_malformed_message_has_its_reason_and_the_connection_goes_on(
    text: str, reason: str
) -> None:
    lns = open_connection()
    assert lns.receive(text, START) == [MalformedReceived(Refusal.MALFORMED_MESSAGE, reason)]
    assert lns.receive(UPDF, START) == [UplinkReceived(PHY_PAYLOAD, RECEPTION)]


@pytest.mark.parametrize("text", [b"\xff\xfe", '{"msgtype":"alarm","text":' + "[" * 100_000])
def test_broken_utf8_and_endless_nesting_are_malformed(text: str | bytes) -> None:
    [event] = open_connection().receive(text, START)
    assert isinstance(event, MalformedReceived)


def test_unknown_msgtype_is_an_event_and_never_too_many() -> None:
    lns = open_connection(malformed_per_minute=1)
    for _ in range(3):
        assert lns.receive('{"msgtype":"weather","wind":3}', START) == [
            MalformedReceived(
                Refusal.UNKNOWN_MSGTYPE, "msgtype 'weather' is none of the protocol's"
            )
        ]


def test_too_many_malformed_messages_end_the_connection() -> None:
    lns = open_connection(malformed_per_minute=3)
    for _ in range(3):
        lns.receive("x", START)
    with pytest.raises(GatewayProtocolError, match="more than 3 malformed messages") as caught:
        lns.receive("x", Instant(START + 59))
    assert caught.value.refusal is Refusal.TOO_MANY_MALFORMED


def test_a_minute_later_malformed_messages_are_forgiven() -> None:
    lns = open_connection(malformed_per_minute=3)
    for second in range(0, 600, 20):
        [event] = lns.receive("x", Instant(START + second))
        assert isinstance(event, MalformedReceived)


# Downlinks


def class_a(**changes: object) -> Transmission:
    usual: dict[str, object] = dict(
        downlink_id=7,
        dev_eui=DEVICE,
        device_class="A",
        phy_payload=bytes.fromhex("60da1b0126"),
        rx_delay_s=1,
        rx1=Window(5, 868_100_000),
        rx2=Window(0, 869_525_000),
        xtime=XTIME,
        rctx=3,
    )
    return Transmission(**(usual | changes))  # type: ignore[arg-type]


def sent(transmission: Transmission) -> dict[str, object]:
    lns = open_connection()
    lns.send(transmission, START)
    [text] = lns.text_to_send()
    fields = json.loads(text)
    assert isinstance(fields, dict)
    return fields


def test_class_a_downlink_has_both_windows() -> None:
    assert sent(class_a()) == {
        "msgtype": "dnmsg",
        "DevEui": "00-AF-EE-7C-F5-ED-6F-1E",
        "dC": 0,
        "diid": 7,
        "pdu": "60da1b0126",
        "RxDelay": 1,
        "RX1DR": 5,
        "RX1Freq": 868_100_000,
        "RX2DR": 0,
        "RX2Freq": 869_525_000,
        "xtime": XTIME,
        "rctx": 3,
    }


def test_class_c_downlink_goes_out_at_once_in_rx2() -> None:
    assert sent(class_a(device_class="C", rx1=None, xtime=None, priority=9)) == {
        "msgtype": "dnmsg",
        "DevEui": "00-AF-EE-7C-F5-ED-6F-1E",
        "dC": 2,
        "diid": 7,
        "pdu": "60da1b0126",
        "RxDelay": 1,
        "RX2DR": 0,
        "RX2Freq": 869_525_000,
        "rctx": 3,
        "priority": 9,
    }


def test_class_b_downlink_has_its_ping_slot() -> None:
    fields = sent(class_a(device_class="B", rx2=None, xtime=None, gps_time_us=1447725218000000))
    assert fields["dC"] == 1
    assert (fields["DR"], fields["Freq"]) == (5, 868_100_000)
    assert fields["gpstime"] == 1447725218000000
    assert "RX1DR" not in fields


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"xtime": None}, "opens by the xtime"),
        ({"rx1": None, "rx2": None}, "needs a receive window"),
        ({"device_class": "C", "xtime": None}, "opens by the xtime"),
        ({"device_class": "B"}, "its ping slot and its GPS time"),
        ({"device_class": "B", "rx1": None, "gps_time_us": 1}, "its ping slot and its GPS time"),
    ],
)
def test_transmission_that_no_station_could_send_is_an_error(
    changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        downlink_message(class_a(**changes))


def test_nothing_is_sent_before_the_configuration() -> None:
    with pytest.raises(ValueError, match="no configuration yet"):
        connection().send(class_a(), START)


def test_transmitted_downlink_is_reported() -> None:
    text = (
        '{"msgtype":"dntxed","seqno":7,"diid":7,"DR":5,"Freq":868100000,'
        '"DevEui":"00-AF-EE-7C-F5-ED-6F-1E","rctx":0,"xtime":69805796385966656,'
        '"txtime":2216.71,"gpstime":0}'
    )
    assert open_connection().receive(text, START) == [
        DownlinkTransmitted(
            TransmissionReport(
                downlink_id=7,
                gateway_eui=GATEWAY,
                dev_eui=DEVICE,
                frequency_hz=868_100_000,
                data_rate=5,
                xtime=69805796385966656,
                at=START,
            )
        )
    ]


# Other messages


def test_timesync_is_answered_with_gps_time() -> None:
    lns = open_connection()
    assert lns.receive('{"msgtype":"timesync","txtime":123456789}', START) == []
    assert [json.loads(text) for text in lns.text_to_send()] == [
        {
            "msgtype": "timesync",
            "txtime": 123456789,
            # 2025-11-21T01:53:20Z is 1447725200 s behind the epoch of 1980, plus 18 leap seconds.
            "gpstime": 1_447_725_218_000_000,
            "MuxTime": START,
        }
    ]


def test_events_and_alarms_are_passed_on() -> None:
    lns = open_connection()
    text = '{"msgtype":"event","evcat":"gps","evmsg":{"evtype":"nofix","since":3}}'
    assert lns.receive(text, START) == [
        StationEventReceived("gps", {"evtype": "nofix", "since": 3})
    ]
    assert lns.receive('{"msgtype":"alarm","text":"hot"}', START) == [AlarmReceived("hot")]


@pytest.mark.parametrize(
    "text",
    [
        '{"msgtype":"dndf","MHdr":96,' + TAIL,
        '{"msgtype":"jacc","FRMPayload":"20",' + TAIL,
        '{"msgtype":"getxtime","ustime":1,"UTCtime":2,"xtimes":[0,0,0,0]}',
    ],
)
def test_what_nobody_asked_for_is_ignored(text: str) -> None:
    lns = open_connection()
    assert lns.receive(text, START) == []
    assert lns.text_to_send() == []


def test_status_of_the_remote_shells_is_handed_on() -> None:
    text = '{"msgtype":"rmtsh","rmtsh":[{"user":"ann","started":true,"age":-1,"pid":7}]}'
    [event] = open_connection().receive(text, START)
    assert isinstance(event, ShellStatusReceived)
    [session] = event.status.rmtsh
    assert (session.user, session.started, session.pid) == ("ann", True, 7)


# Timers


def test_silent_newcomer_is_given_up() -> None:
    lns = connection(version_timeout_s=10)
    assert lns.next_timer() == START + 10
    assert lns.fire_timer(Instant(START + 9.9)) == []
    assert lns.fire_timer(Instant(START + 10)) == [PeerSilent("no version within 10 s")]


def test_malformed_messages_do_not_prolong_the_wait_for_version() -> None:
    lns = connection(version_timeout_s=10)
    lns.receive("x", Instant(START + 9))
    assert lns.next_timer() == START + 10


def test_a_station_is_pinged_soon_after_it_was_configured_and_then_regularly() -> None:
    lns = open_connection(ping_interval_s=30, ping_timeout_s=20)
    assert lns.next_timer() == START + 1
    assert lns.fire_timer(Instant(START + 0.9)) == []
    assert lns.fire_timer(Instant(START + 1)) == [PingDue()]
    assert lns.next_timer() == START + 21
    lns.pong(Instant(START + 1.1))
    assert lns.next_timer() == START + 31
    assert lns.fire_timer(Instant(START + 21)) == []
    assert lns.fire_timer(Instant(START + 31)) == [PingDue()]


def test_its_pongs_tell_the_round_trip() -> None:
    lns = open_connection()
    assert lns.round_trip_s is None
    lns.fire_timer(Instant(START + 1))
    lns.receive(UPDF, Instant(START + 1.25))
    assert lns.round_trip_s is None, "an uplink answers nothing"
    lns.pong(Instant(START + 1.5))
    assert lns.round_trip_s == 0.5


def test_any_message_is_as_good_as_a_pong() -> None:
    lns = open_connection(ping_interval_s=30, ping_timeout_s=20)
    lns.fire_timer(Instant(START + 1))
    lns.receive(UPDF, Instant(START + 2))
    assert lns.next_timer() == START + 31


def test_station_that_does_not_answer_a_ping_is_given_up() -> None:
    lns = open_connection(ping_interval_s=30, ping_timeout_s=20)
    lns.fire_timer(Instant(START + 1))
    assert lns.fire_timer(Instant(START + 20)) == []
    assert lns.fire_timer(Instant(START + 21)) == [PeerSilent("no answer to a ping within 20 s")]


def test_a_station_pinged_more_often_than_it_may_be_silent_is_given_up_all_the_same() -> None:
    lns = open_connection(ping_interval_s=5, ping_timeout_s=12)
    assert [lns.fire_timer(Instant(START + at)) for at in (1, 6, 11)] == [[PingDue()]] * 3
    assert lns.next_timer() == START + 13
    assert lns.fire_timer(Instant(START + 13)) == [PeerSilent("no answer to a ping within 12 s")]


def test_busy_station_is_pinged_too() -> None:
    lns = open_connection(ping_interval_s=30)
    pings = []
    for second in range(0, 100, 2):
        lns.receive(UPDF, Instant(START + second))
        if lns.fire_timer(Instant(START + second)):
            pings.append(second)
    assert pings == [2, 32, 62, 92]
