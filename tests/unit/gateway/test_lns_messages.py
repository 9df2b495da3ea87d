"""Messages of the LNS protocol: what a genuine station writes and reads."""

from __future__ import annotations

import json

import pytest

from bittern.gateway.lns_messages import (
    STATION_MSGTYPES,
    UNREADABLE,
    Alarm,
    Beaconing,
    DataUp,
    DownlinkMessage,
    DownlinkSchedule,
    Error,
    GetXTime,
    JoinRequest,
    Message,
    OtherDownlink,
    OtherJoinAccept,
    Proprietary,
    Rejoin,
    RemoteShell,
    RemoteShellStatus,
    RouterConfig,
    RunCommand,
    ScheduledFrame,
    ShellSession,
    StationEvent,
    TimeSync,
    TimeSyncRequest,
    Transmitted,
    UpInfo,
    Version,
    XTimes,
    decode_server_message,
    decode_station_message,
    encode,
    msgtype_of,
)

UPINFO = (
    '"upinfo":{"rctx":0,"xtime":69805796384966656,"gpstime":0,"fts":-1,"rssi":-35,"snr":9.25,'
    '"rxtime":1763690000.123456}'
)
HEARD = UpInfo(xtime=69805796384966656, rssi=-35, snr=9.25)
TAIL = f'"RefTime":0.000000,"DR":5,"Freq":868100000,{UPINFO}'

FROM_STATION = [
    (
        '{"msgtype":"version","station":"2.0.6(linux/testsim)","firmware":null,"package":null,'
        '"model":"linux","protocol":2,"features":"rmtsh gps"}',
        Version(station="2.0.6(linux/testsim)", model="linux", protocol=2, features="rmtsh gps"),
    ),
    (
        '{"msgtype":"jreq","MHdr":0,"JoinEui":"00-00-00-00-00-00-00-01",'
        '"DevEui":"AA-BB-CC-DD-EE-FF-00-11","DevNonce":65535,"MIC":-1,' + TAIL + "}",
        JoinRequest(
            mhdr=0,
            join_eui="00-00-00-00-00-00-00-01",
            dev_eui="AA-BB-CC-DD-EE-FF-00-11",
            dev_nonce=65535,
            mic=-1,
            data_rate=5,
            frequency_hz=868100000,
            upinfo=HEARD,
        ),
    ),
    (
        '{"msgtype":"rejoin","MHdr":192,"JoinEUI":"00-00-00-00-00-00-00-01",'
        '"DevEUI":"AA-BB-CC-DD-EE-FF-00-11","DevNonce":1,"MIC":1,' + TAIL + "}",
        Rejoin(
            mhdr=192,
            join_eui_capital="00-00-00-00-00-00-00-01",
            dev_eui_capital="AA-BB-CC-DD-EE-FF-00-11",
            dev_nonce=1,
            mic=1,
            data_rate=5,
            frequency_hz=868100000,
            upinfo=HEARD,
        ),
    ),
    (
        '{"msgtype":"updf","MHdr":64,"DevAddr":-2147483648,"FCtrl":130,"FCnt":7,"FOpts":"0307",'
        '"FPort":-1,"FRMPayload":"","MIC":2147483647,' + TAIL + "}",
        DataUp(
            mhdr=64,
            dev_addr=-(2**31),
            fctrl=130,
            fcnt=7,
            fopts="0307",
            fport=-1,
            frm_payload="",
            mic=2**31 - 1,
            data_rate=5,
            frequency_hz=868100000,
            upinfo=HEARD,
        ),
    ),
    (
        '{"msgtype":"propdf","FRMPayload":"E0010203",' + TAIL + "}",
        Proprietary(frm_payload="E0010203", data_rate=5, frequency_hz=868100000, upinfo=HEARD),
    ),
    ('{"msgtype":"dndf","MHdr":96,"DevAddr":1,' + TAIL + "}", OtherDownlink()),
    ('{"msgtype":"jacc","FRMPayload":"20",' + TAIL + "}", OtherJoinAccept()),
    (
        '{"msgtype":"dntxed","seqno":5,"diid":5,"DR":5,"Freq":868100000,'
        '"DevEui":"AA-BB-CC-DD-EE-FF-00-11","rctx":0,"xtime":69805796385966656,'
        '"txtime":2216.71,"gpstime":0}',
        Transmitted(
            diid=5,
            dev_eui="AA-BB-CC-DD-EE-FF-00-11",
            data_rate=5,
            frequency_hz=868100000,
            xtime=69805796385966656,
        ),
    ),
    ('{"msgtype":"timesync","txtime":123456789}', TimeSyncRequest(txtime=123456789)),
    (
        '{"msgtype":"getxtime","MuxTime":1.5,"ustime":1,"UTCtime":2,"xtimes":[3,0,0,0]}',
        XTimes(ustime=1, utc_time=2, xtimes=(3, 0, 0, 0)),
    ),
    (
        '{"msgtype":"rmtsh","rmtsh":[{"user":"a","started":true,"age":3,"pid":4},'
        '{"user":"","started":false,"age":0,"pid":0}]}',
        RemoteShellStatus(
            rmtsh=(ShellSession(user="a", started=True, age=3, pid=4), ShellSession())
        ),
    ),
    (
        '{"msgtype":"event","evcat":"gps","evmsg":{"evtype":"fix","lat":47.3,"satellites":5}}',
        StationEvent(evcat="gps", evmsg={"evtype": "fix", "lat": 47.3, "satellites": 5}),
    ),
    ('{"msgtype":"alarm","text":"disk full"}', Alarm(text="disk full")),
    (
        '{"msgtype":"rejoin","MHdr":192,"PDU":"C0000102","MIC":-1,' + TAIL + "}",
        Rejoin(
            pdu_capital="C0000102",
            mhdr=192,
            mic=-1,
            data_rate=5,
            frequency_hz=868100000,
            upinfo=HEARD,
        ),
    ),
]

FROM_SERVER = [
    (
        RouterConfig(
            hwspec="sx1301/1",
            sx1301_conf=({},),
            region="EU868",
            freq_range=(863000000, 870000000),
            data_rates=((12, 125, 0), (-1, 0, 0)),
            upchannels=((868100000, 0, 5),),
            net_id=(1,),
            join_eui=((0, 2**64 - 1),),
            max_eirp=14.0,
            nodc=True,
            bcning=Beaconing(data_rate=3, layout=(2, 8, 17), freqs=(869525000,)),
            mux_time=1763690000.5,
        ),
        {
            "msgtype": "router_config",
            "hwspec": "sx1301/1",
            "sx1301_conf": [{}],
            "region": "EU868",
            "freq_range": [863000000, 870000000],
            "DRs": [[12, 125, 0], [-1, 0, 0]],
            "upchannels": [[868100000, 0, 5]],
            "NetID": [1],
            "JoinEui": [[0, 2**64 - 1]],
            "max_eirp": 14.0,
            "nodc": True,
            "bcning": {"DR": 3, "layout": [2, 8, 17], "freqs": [869525000]},
            "MuxTime": 1763690000.5,
        },
    ),
    (
        DownlinkMessage(
            dev_eui="AA-BB-CC-DD-EE-FF-00-11",
            device_class=0,
            diid=5,
            pdu="60",
            rx_delay=1,
            rx1_data_rate=5,
            rx1_frequency_hz=868100000,
            rx2_data_rate=0,
            rx2_frequency_hz=869525000,
            xtime=69805796384966656,
            rctx=0,
        ),
        {
            "msgtype": "dnmsg",
            "DevEui": "AA-BB-CC-DD-EE-FF-00-11",
            "dC": 0,
            "diid": 5,
            "pdu": "60",
            "RxDelay": 1,
            "RX1DR": 5,
            "RX1Freq": 868100000,
            "RX2DR": 0,
            "RX2Freq": 869525000,
            "xtime": 69805796384966656,
            "rctx": 0,
        },
    ),
    (
        DownlinkSchedule(
            schedule=(ScheduledFrame(pdu="60", data_rate=3, frequency_hz=869525000, gpstime=9),)
        ),
        {
            "msgtype": "dnsched",
            "schedule": [{"pdu": "60", "DR": 3, "Freq": 869525000, "gpstime": 9}],
        },
    ),
    (
        TimeSync(txtime=1, gpstime=2, mux_time=3.5),
        {"msgtype": "timesync", "txtime": 1, "gpstime": 2, "MuxTime": 3.5},
    ),
    (GetXTime(), {"msgtype": "getxtime"}),
    (
        RunCommand(command="/bin/true", arguments=("a",)),
        {"msgtype": "runcmd", "command": "/bin/true", "arguments": ["a"]},
    ),
    (RemoteShell(user="a", start=0), {"msgtype": "rmtsh", "user": "a", "start": 0}),
    (Error(error="no"), {"msgtype": "error", "error": "no"}),
]


@pytest.mark.parametrize(("text", "message"), FROM_STATION)
def test_what_a_station_writes_is_read(text: str, message: Message) -> None:
    assert decode_station_message(text) == message
    assert decode_station_message(text.encode()) == message


@pytest.mark.parametrize(("text", "message"), FROM_STATION)
def test_a_station_message_comes_back(text: str, message: Message) -> None:
    assert decode_station_message(encode(message)) == message


def test_every_msgtype_of_a_station_is_tried_here() -> None:
    assert {json.loads(text)["msgtype"] for text, _ in FROM_STATION} == STATION_MSGTYPES


@pytest.mark.parametrize(("message", "fields"), FROM_SERVER)
def test_what_a_station_reads_is_written(message: Message, fields: dict[str, object]) -> None:
    assert json.loads(encode(message)) == fields
    assert decode_server_message(encode(message)) == message


def test_xtime_beyond_a_double_is_exact() -> None:
    text = FROM_STATION[3][0].replace("69805796384966656", "9223372036854775807")
    message = decode_station_message(text)
    assert isinstance(message, DataUp)
    assert message.upinfo.xtime == 9223372036854775807


def test_integers_are_written_without_fraction_or_exponent() -> None:
    """A station rejects ``863e6`` and ``5.0`` where it wants an integer."""
    text = encode(FROM_SERVER[0][0])
    assert '"freq_range":[863000000,870000000]' in text
    assert '"xtime":69805796384966656' in encode(FROM_SERVER[1][0])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "{}",
        '"updf"',
        '{"msgtype":5}',
        '{"msgtype":"updf"}',
        '{"msgtype":"version","station":"2.0.6"} trailing',
        FROM_STATION[3][0].replace('"FCnt":7', '"FCnt":65536'),
        FROM_STATION[3][0].replace('"FCnt":7', '"FCnt":"7"'),
        FROM_STATION[3][0].replace('"FCtrl":130', '"FCtrl":256'),
        FROM_STATION[3][0].replace('"FPort":-1', '"FPort":-2'),
        FROM_STATION[3][0].replace("-2147483648", "-2147483649"),
        FROM_STATION[3][0].replace("2147483647", "2147483648"),
        FROM_STATION[3][0].replace("69805796384966656", "9223372036854775808"),
        FROM_STATION[3][0].replace("69805796384966656", "6.98057963849667e16"),
        FROM_STATION[3][0].replace(UPINFO, '"upinfo":{}'),
        '{"msgtype":"alarm","text":' + "[" * 100_000,
        b'{"msgtype":"alarm","text":"\xff"}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_message_raises_one_of_unreadable(text: str | bytes) -> None:
    with pytest.raises(UNREADABLE):
        decode_station_message(text)


@pytest.mark.parametrize(
    ("text", "msgtype"),
    [
        ('{"msgtype":"updf"}', "updf"),
        ('{"msgtype":"weather","wind":3}', "weather"),
        ('{"wind":3}', None),
        ("[", None),
        (b"\xff", None),
    ],
)
def test_msgtype_is_found_in_what_did_not_decode(text: str | bytes, msgtype: str | None) -> None:
    assert msgtype_of(text) == msgtype
