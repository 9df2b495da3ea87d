from __future__ import annotations

import json

import msgspec
import pytest

from bittern.errors import FrameError
from bittern.lorawan import crypto
from bittern.lorawan.frame import DataDown, DataUp, JoinAccept, JoinRequest, MType, RejoinRequest
from bittern.lorawan.inspection import FrameContext, FrameKeys, Tree, inspect_frame
from bittern.lorawan.versions import MacVersion
from bittern.types import (
    EUI64,
    AppKey,
    AppSKey,
    DevAddr,
    DevEUI,
    FNwkSIntKey,
    JoinEUI,
    NetID,
    NwkKey,
    NwkSEncKey,
)

# The example of the lora-packet documentation, which many implementations quote.
PHY_PAYLOAD = bytes.fromhex("40f17dbe4900020001954378762b11ff0d")
NWK_S_KEY = FNwkSIntKey.from_hex("44024241ed4ce9a68c6a8bc055233fd3")
APP_S_KEY = AppSKey.from_hex("ec925802ae430ca77fd3dd73cb2cc588")

DEV_ADDR = DevAddr.from_hex("49be7df1")
DEV_EUI = DevEUI(EUI64.from_hex("0004a30b001b7ad2"))
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0000001"))
ENC_KEY = NwkSEncKey(b"e" * 16)
NWK_KEY, APP_KEY = NwkKey(b"N" * 16), AppKey(b"A" * 16)
V1_1 = FrameContext(version=MacVersion.LORAWAN_1_1)


def test_well_known_frame_as_a_whole() -> None:
    assert inspect_frame(PHY_PAYLOAD, FrameKeys(nwk_s_key=NWK_S_KEY, app_s_key=APP_S_KEY)) == {
        "MHDR": {"MType": "UnconfirmedDataUp", "Major": "LoRaWAN R1"},
        "MACPayload": {
            "FHDR": {
                "DevAddr": "49be7df1",
                "FCtrl": {
                    "ADR": False,
                    "ADRACKReq": False,
                    "ACK": False,
                    "ClassB": False,
                    "FOptsLen": 0,
                },
                "FCnt": 2,
                "FOpts": "",
            },
            "FPort": 1,
            "FRMPayload": "95437876",
        },
        "MIC": {"Value": "2b11ff0d", "Valid": True},
        "FullFCnt": 2,
        "DecryptedFOpts": "",
        "DecryptedFRMPayload": b"test".hex(),
        "MACCommands": [],
        "Notes": [],
    }


def test_without_keys_the_fields_are_still_there() -> None:
    tree = inspect_frame(PHY_PAYLOAD)
    assert tree["MIC"] == {
        "Value": "2b11ff0d",
        "Valid": None,
        "Reason": "the MIC of a data frame needs nwk_s_key",
    }
    assert tree["DecryptedFRMPayload"] is None
    assert tree["Notes"] == ["FRMPayload on FPort 1 is encrypted: give app_s_key"]


def test_payload_under_a_wrong_mic_is_doubted() -> None:
    keys = FrameKeys(nwk_s_key=FNwkSIntKey(bytes(16)), app_s_key=APP_S_KEY)
    tree = inspect_frame(PHY_PAYLOAD, keys)
    assert tree["Notes"] == ["decrypted although the MIC does not match: may be meaningless"]


def test_commands_in_fopts_go_by_the_frames_direction() -> None:
    up = DataUp(MType.UNCONFIRMED_DATA_UP, DEV_ADDR, fopts=bytes.fromhex("0307"))
    down = DataDown(MType.UNCONFIRMED_DATA_DOWN, DEV_ADDR, fopts=bytes.fromhex("0350070001"))
    assert inspect_frame(up.to_bytes())["MACCommands"] == [
        {
            "CID": "0x03",
            "Command": "LinkADRAns",
            "In": "FOpts",
            "Fields": {"ChannelMaskACK": True, "DataRateACK": True, "PowerACK": True},
        }
    ]
    assert inspect_frame(down.to_bytes())["MACCommands"] == [
        {
            "CID": "0x03",
            "Command": "LinkADRReq",
            "In": "FOpts",
            "Fields": {"DataRate": 5, "TXPower": 0, "ChMask": 7, "ChMaskCntl": 0, "NbTrans": 1},
        }
    ]


def test_downlink_has_the_flags_of_a_downlink() -> None:
    down = DataDown(MType.CONFIRMED_DATA_DOWN, DEV_ADDR, ack=True, fpending=True)
    tree = inspect_frame(down.to_bytes())
    fhdr = payload_of(tree)["FHDR"]
    assert isinstance(fhdr, dict)
    assert fhdr["FCtrl"] == {"ADR": False, "ACK": True, "FPending": True, "FOptsLen": 0}
    assert tree["DecryptedFRMPayload"] is None
    assert tree["Notes"] == []


def test_commands_on_port_0_are_decrypted() -> None:
    key = crypto.as_kind(NwkSEncKey, NWK_S_KEY)
    sent = crypto.crypt_frm_payload(key, b"\x02\x0d", DEV_ADDR, 0, uplink=True)
    up = DataUp(MType.UNCONFIRMED_DATA_UP, DEV_ADDR, fport=0, frm_payload=sent)
    tree = inspect_frame(up.to_bytes(), FrameKeys(nwk_s_key=NWK_S_KEY))
    assert commands_of(tree) == [("LinkCheckReq", "FRMPayload"), ("DeviceTimeReq", "FRMPayload")]
    without = inspect_frame(up.to_bytes())
    assert without["MACCommands"] == []
    assert without["Notes"] == ["FRMPayload on FPort 0 is encrypted: give nwk_s_key"]


def test_unknown_command_is_said_and_those_before_it_are_shown() -> None:
    up = DataUp(MType.UNCONFIRMED_DATA_UP, DEV_ADDR, fopts=b"\x02\xff\x00")
    tree = inspect_frame(up.to_bytes())
    assert commands_of(tree) == [("LinkCheckReq", "FOpts")]
    assert tree["Notes"] == [
        "MAC commands in FOpts: unknown CID 0xff at byte 1; what follows is not read"
    ]


def test_fopts_of_1_1_are_decrypted() -> None:
    sent = crypto.crypt_fopts(ENC_KEY, b"\x02", DEV_ADDR, 7, uplink=True)
    up = DataUp(MType.UNCONFIRMED_DATA_UP, DEV_ADDR, fcnt16=7, fopts=sent)
    tree = inspect_frame(up.to_bytes(), FrameKeys(nwk_s_enc_key=ENC_KEY))
    assert tree["DecryptedFOpts"] == "02"
    assert commands_of(tree) == [("LinkCheckReq", "FOpts")]
    without = inspect_frame(up.to_bytes(), None, V1_1)
    assert without["DecryptedFOpts"] is None
    assert without["Notes"] == ["FOpts is encrypted in LoRaWAN 1.1: give nwk_s_enc_key"]


@pytest.mark.parametrize(("fport", "a_fcnt_down"), [(None, False), (5, True)])
def test_fopts_of_a_1_1_downlink_count_by_its_port(fport: int | None, a_fcnt_down: bool) -> None:
    sent = crypto.crypt_fopts(ENC_KEY, b"\x06", DEV_ADDR, 7, uplink=False, a_fcnt_down=a_fcnt_down)
    down = DataDown(MType.UNCONFIRMED_DATA_DOWN, DEV_ADDR, fcnt16=7, fopts=sent, fport=fport)
    tree = inspect_frame(down.to_bytes(), FrameKeys(nwk_s_enc_key=ENC_KEY))
    assert commands_of(tree) == [("DevStatusReq", "FOpts")]


def test_join_request() -> None:
    frame = JoinRequest(JOIN_EUI, DEV_EUI, 5)
    mic = crypto.join_request_mic(APP_KEY, frame.to_bytes()[:-4])
    phy_payload = frame.to_bytes()[:-4] + mic
    assert inspect_frame(phy_payload, FrameKeys(app_key=APP_KEY)) == {
        "MHDR": {"MType": "JoinRequest", "Major": "LoRaWAN R1"},
        "MACPayload": {"JoinEUI": str(JOIN_EUI), "DevEUI": str(DEV_EUI), "DevNonce": 5},
        "MIC": {"Value": mic.hex(), "Valid": True},
    }


def test_rejoin_requests_name_their_home_and_counter() -> None:
    type_0 = RejoinRequest(0, DEV_EUI, 5, net_id=NetID(b"\x00\x00\x13"))
    assert payload_of(inspect_frame(type_0.to_bytes())) == {
        "RejoinType": 0,
        "NetID": "000013",
        "DevEUI": str(DEV_EUI),
        "RJcount0": 5,
    }
    type_1 = RejoinRequest(1, DEV_EUI, 6, join_eui=JOIN_EUI)
    assert payload_of(inspect_frame(type_1.to_bytes())) == {
        "RejoinType": 1,
        "JoinEUI": str(JOIN_EUI),
        "DevEUI": str(DEV_EUI),
        "RJcount1": 6,
    }


def join_accept(cf_list: bytes | None = None) -> bytes:
    accept = JoinAccept(0x010203, NetID(b"\x00\x00\x13"), DEV_ADDR, False, 2, 3, 5, cf_list)
    mic = crypto.join_accept_mic_1_0(APP_KEY, accept.to_bytes()[:-4])
    return crypto.encrypt_join_accept(APP_KEY, msgspec.structs.replace(accept, mic=mic))


def test_join_accept_is_opened() -> None:
    tree = inspect_frame(join_accept(), FrameKeys(app_key=APP_KEY))
    assert tree["MHDR"] == {"MType": "JoinAccept", "Major": "LoRaWAN R1"}
    assert payload_of(tree) == {
        "JoinNonce": 0x010203,
        "Home_NetID": "000013",
        "DevAddr": "49be7df1",
        "DLSettings": {"OptNeg": False, "RX1DRoffset": 2, "RX2DataRate": 3},
        "RxDelay": 5,
        "CFList": None,
    }
    assert mic_of(tree)["Valid"] is True


def test_join_accept_stays_closed_without_its_key() -> None:
    phy_payload = join_accept()
    tree = inspect_frame(phy_payload)
    assert tree["Ciphertext"] == phy_payload[1:].hex()
    assert mic_of(tree) == {
        "Value": None,
        "Valid": None,
        "Reason": "a join-accept is encrypted: give app_key",
    }


def test_join_accept_opened_with_a_wrong_key_is_told() -> None:
    tree = inspect_frame(join_accept(), FrameKeys(app_key=AppKey(bytes(16))))
    assert mic_of(tree)["Valid"] is False
    assert mic_of(tree)["Reason"] == "wrong app_key, or the frame was altered"


def test_cf_list_of_frequencies() -> None:
    cf_list = bytes.fromhex("184f84" + "e85684" + "b85e84" + "886684" + "000000" + "00")
    tree = inspect_frame(join_accept(cf_list), FrameKeys(app_key=APP_KEY))
    assert payload_of(tree)["CFList"] == {
        "CFListType": 0,
        "FrequenciesHz": [867_100_000, 867_300_000, 867_500_000, 867_700_000, 0],
    }
    assert mic_of(tree)["Valid"] is True


def test_cf_list_of_masks() -> None:
    cf_list = bytes.fromhex("00ff" + "0000" * 3 + "0200" + "0000" + "000000" + "01")
    tree = inspect_frame(join_accept(cf_list), FrameKeys(app_key=APP_KEY))
    assert payload_of(tree)["CFList"] == {
        "CFListType": 1,
        "ChMasks": ["0xff00", "0x0000", "0x0000", "0x0000", "0x0002", "0x0000"],
        "EnabledChannels": [*range(8, 16), 65],
    }


def test_cf_list_of_an_unknown_type() -> None:
    cf_list = bytes(15) + b"\x07"
    tree = inspect_frame(join_accept(cf_list), FrameKeys(app_key=APP_KEY))
    assert payload_of(tree)["CFList"] == {
        "CFListType": 7,
        "Reason": "CFListType 7 is not known; there are 0 and 1",
        "Value": cf_list.hex(),
    }


def test_answer_to_a_rejoin_request_is_under_another_key() -> None:
    accept = JoinAccept(1, NetID(b"\x00\x00\x13"), DEV_ADDR, opt_neg=True)
    mic = crypto.join_accept_mic_1_1(
        crypto.derive_js_int_key(NWK_KEY, DEV_EUI),
        accept.to_bytes()[:-4],
        join_req_type=0,
        join_eui=JOIN_EUI,
        dev_nonce=9,
    )
    phy_payload = crypto.encrypt_join_accept(
        crypto.derive_js_enc_key(NWK_KEY, DEV_EUI), msgspec.structs.replace(accept, mic=mic)
    )
    request = FrameContext(join_req_type=0, dev_eui=DEV_EUI, join_eui=JOIN_EUI, dev_nonce=9)
    tree = inspect_frame(phy_payload, FrameKeys(nwk_key=NWK_KEY), request)
    assert mic_of(tree) == {"Value": mic.hex(), "Valid": True}
    without = inspect_frame(phy_payload, FrameKeys(nwk_key=NWK_KEY), FrameContext(join_req_type=0))
    assert "give nwk_key and dev_eui" in str(mic_of(without)["Reason"])


def test_proprietary_frame_is_shown_as_it_is() -> None:
    assert inspect_frame(b"\xe0\x01\x02\x03\x04\x05") == {
        "MHDR": {"MType": "Proprietary", "Major": "LoRaWAN R1"},
        "Payload": "0102030405",
    }


def test_reserved_bits_that_are_set_are_shown() -> None:
    tree = inspect_frame(b"\x54" + PHY_PAYLOAD[1:])
    assert tree["MHDR"] == {"MType": "UnconfirmedDataUp", "Major": "LoRaWAN R1", "RFU": 5}


def test_what_is_no_frame_is_said() -> None:
    with pytest.raises(FrameError, match="data frame of 8 bytes"):
        inspect_frame(b"\x40" + bytes(7))


def test_the_tree_is_json_and_holds_no_key() -> None:
    keys = FrameKeys(nwk_s_key=NWK_S_KEY, app_s_key=APP_S_KEY, app_key=APP_KEY)
    for phy_payload in (PHY_PAYLOAD, join_accept(), JoinRequest(JOIN_EUI, DEV_EUI, 5).to_bytes()):
        text = json.dumps(inspect_frame(phy_payload, keys))
        for secret in ("44024241ed4ce9a68c6a8bc055233fd3", "ec925802ae430ca77fd3dd73cb2cc588"):
            assert secret not in text
        assert APP_KEY.__class__.__name__ not in text


def payload_of(tree: Tree) -> Tree:
    payload = tree["MACPayload"]
    assert isinstance(payload, dict)
    return payload


def mic_of(tree: Tree) -> Tree:
    mic = tree["MIC"]
    assert isinstance(mic, dict)
    return mic


def commands_of(tree: Tree) -> list[tuple[str, str]]:
    commands = tree["MACCommands"]
    assert isinstance(commands, list)
    return [(command["Command"], command["In"]) for command in commands]
