import json

from bittern.lorawan.frame import DataUp, MType
from bittern.lorawan.radio import Reception
from bittern.lorawan.regions import plan
from bittern.network.messages import rfc3339, uplink_message
from bittern.types import EUI64, DevAddr, DevEUI, GatewayEUI, Instant

GATEWAY = GatewayEUI(EUI64.from_hex("C0EE40FFFF29DF10"))
AT = Instant(1701447371.25)


def message(
    *,
    fport: int | None = 2,
    with_gateways: bool = True,
    acked: str | None = None,
    battery: int | None = None,
    margin: int | None = None,
) -> dict:
    frame = DataUp(
        mtype=MType.UNCONFIRMED_DATA_UP,
        dev_addr=DevAddr.from_hex("01AB23CD"),
        adr=False,
        adr_ack_req=False,
        ack=False,
        class_b=False,
        fcnt16=5,
        fopts=b"",
        fport=fport,
        frm_payload=b"" if fport is None else b"\0\0\0\0",
        mic=bytes.fromhex("9eb0337c"),
    )
    reception = Reception(
        gateway_eui=GATEWAY,
        frequency_hz=868_300_000,
        data_rate=5,
        rssi_dbm=-34,
        snr_db=9.5,
        received_at=AT,
        xtime=1,
        rctx=0,
    )
    text = uplink_message(
        message_id="6b6f2d02-f0d9-4e62-8f39-8a0c2cf4f3a1",
        device_id="1e4b9d0c-24a1-4f9c-90a4-5b5a3d4f1d9e",
        dev_eui=DevEUI(EUI64.from_hex("A84041D55182720B")),
        frame=frame,
        fcnt=5,
        payload=b"\x01\x02\x03\x04",
        data_rate=plan("EU868").data_rates[5],
        receptions=(reception,),
        received_at=AT,
        with_gateways=with_gateways,
        acked_message_id=acked,
        battery=battery,
        margin=margin,
    )
    return json.loads(text)


def test_the_message_is_field_for_field_and_type_for_type_that_of_aws():
    assert message() == {
        "MessageId": "6b6f2d02-f0d9-4e62-8f39-8a0c2cf4f3a1",
        "WirelessDeviceId": "1e4b9d0c-24a1-4f9c-90a4-5b5a3d4f1d9e",
        "PayloadData": "AQIDBA==",
        "WirelessMetadata": {
            "LoRaWAN": {
                "ADR": False,
                "Bandwidth": 125,
                "ClassB": False,
                "CodeRate": "4/5",
                "DataRate": "5",
                "DevAddr": "01ab23cd",
                "DevEui": "a84041d55182720b",
                "FCnt": 5,
                "FOptLen": 0,
                "FPort": 2,
                "Frequency": "868300000",
                "Gateways": [{"GatewayEui": "c0ee40ffff29df10", "Rssi": -34, "Snr": 9.5}],
                "MIC": "9eb0337c",
                "MType": "UnconfirmedDataUp",
                "Major": "LoRaWANR1",
                "Modulation": "LORA",
                "PolarizationInversion": False,
                "SpreadingFactor": 7,
                "Timestamp": "2023-12-01T16:16:11.250Z",
            }
        },
    }


def test_a_frame_without_fport_is_reported_with_225():
    assert message(fport=None)["WirelessMetadata"]["LoRaWAN"]["FPort"] == 225


def test_gateways_are_left_out_where_the_service_profile_says_so():
    assert "Gateways" not in message(with_gateways=False)["WirelessMetadata"]["LoRaWAN"]


def test_the_acknowledged_downlink_is_named():
    shown = message(acked="6011dd36-0043d6eb-0072-0008")["WirelessMetadata"]["LoRaWAN"]
    assert shown["AckedMessageId"] == "6011dd36-0043d6eb-0072-0008"


def test_timestamps_are_rfc_3339_in_utc():
    assert rfc3339(Instant(0.0)) == "1970-01-01T00:00:00.000Z"


def test_battery_and_margin_are_there_once_the_device_has_told_them():
    metadata = message(battery=0, margin=-6)["WirelessMetadata"]["LoRaWAN"]
    assert (metadata["Battery"], metadata["Margin"]) == (0, -6)
    assert list(metadata).index("Battery") == list(metadata).index("Frequency") + 1
