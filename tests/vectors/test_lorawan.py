"""Frames, MICs, encryption and derivations agree with lora-packet: see generate_lora_packet.js."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bittern.lorawan import crypto
from bittern.lorawan.diagnosis import FrameContext, FrameKeys
from bittern.lorawan.frame import (
    DataDown,
    DataUp,
    EncryptedJoinAccept,
    JoinAccept,
    JoinRequest,
    MType,
    RejoinRequest,
    parse,
)
from bittern.lorawan.inspection import inspect_frame
from bittern.lorawan.versions import MacVersion
from bittern.types import (
    EUI64,
    AppKey,
    AppSKey,
    DevAddr,
    DevEUI,
    FNwkSIntKey,
    JoinEUI,
    JSIntKey,
    NetID,
    NwkKey,
    NwkSEncKey,
    SNwkSIntKey,
)

Vector = dict[str, Any]
VECTORS: dict[str, list[Vector]] = json.loads(
    Path(__file__).with_name("lorawan.json").read_text(encoding="utf-8")
)


def of(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", VECTORS[kind], ids=range(len(VECTORS[kind])))


def phy(vector: Vector) -> bytes:
    return bytes.fromhex(vector["phy_payload"])


def test_every_kind_has_vectors() -> None:
    counts = {kind: len(vectors) for kind, vectors in VECTORS.items() if kind != "source"}
    assert counts == {
        "data_frames": 64,
        "join_requests": 4,
        "join_accepts": 10,
        "rejoin_requests": 3,
        "derivations": 4,
    }


@of("data_frames")
def test_data_frame_is_parsed_and_written(vector: Vector) -> None:
    frame = parse(phy(vector))
    assert isinstance(frame, DataUp if vector["uplink"] else DataDown)
    assert isinstance(frame, DataUp | DataDown)
    assert frame.mtype.spec_name == vector["mtype"]
    assert str(frame.dev_addr) == vector["dev_addr"]
    assert frame.fcnt16 == vector["fcnt"] & 0xFFFF
    assert (frame.adr, frame.ack, frame.fport) == (vector["adr"], vector["ack"], vector["fport"])
    if isinstance(frame, DataUp):
        assert (frame.adr_ack_req, frame.class_b) == (vector["adr_ack_req"], vector["bit_4"])
    else:
        assert frame.fpending == vector["bit_4"]
    assert frame.to_bytes() == phy(vector)


@of("data_frames")
def test_data_frame_decrypts(vector: Vector) -> None:
    frame = parse(phy(vector))
    assert isinstance(frame, DataUp | DataDown)
    up = bool(vector["uplink"])
    enc_key = NwkSEncKey.from_hex(vector["nwk_s_enc_key"])
    key = AppSKey.from_hex(vector["app_s_key"]) if frame.fport else enc_key
    clear = crypto.crypt_frm_payload(
        key, frame.frm_payload, frame.dev_addr, vector["fcnt"], uplink=up
    )
    assert clear.hex() == vector["payload"]
    fopts = frame.fopts
    if vector["version"] == "1.1":
        fopts = crypto.crypt_fopts(
            enc_key,
            fopts,
            frame.dev_addr,
            vector["fcnt"],
            uplink=up,
            a_fcnt_down=not up and bool(frame.fport),
        )
    assert fopts.hex() == vector["fopts"]


@of("data_frames")
def test_data_frame_mic(vector: Vector) -> None:
    msg, mic = phy(vector)[:-4], phy(vector)[-4:]
    dev_addr, fcnt = DevAddr.from_hex(vector["dev_addr"]), vector["fcnt"]
    f_key = FNwkSIntKey.from_hex(vector["f_nwk_s_int_key"])
    s_key = SNwkSIntKey.from_hex(vector["s_nwk_s_int_key"])
    conf_fcnt = vector["conf_fcnt"]
    if not vector["uplink"]:
        assert crypto.data_down_mic(s_key, msg, dev_addr, fcnt, conf_fcnt=conf_fcnt) == mic
    elif vector["version"] == "1.1":
        tx_dr, tx_ch = vector["tx_dr"], vector["tx_ch"]
        assert mic == crypto.data_up_mic_1_1(
            f_key, s_key, msg, dev_addr, fcnt, conf_fcnt=conf_fcnt, tx_dr=tx_dr, tx_ch=tx_ch
        )
    else:
        assert crypto.data_up_mic_1_0(f_key, msg, dev_addr, fcnt) == mic


@of("data_frames")
def test_data_frame_is_explained(vector: Vector) -> None:
    app_s_key = AppSKey.from_hex(vector["app_s_key"])
    if vector["version"] == "1.1":
        keys = FrameKeys(
            f_nwk_s_int_key=FNwkSIntKey.from_hex(vector["f_nwk_s_int_key"]),
            s_nwk_s_int_key=SNwkSIntKey.from_hex(vector["s_nwk_s_int_key"]),
            nwk_s_enc_key=NwkSEncKey.from_hex(vector["nwk_s_enc_key"]),
            app_s_key=app_s_key,
        )
    else:
        nwk_s_key = FNwkSIntKey.from_hex(vector["f_nwk_s_int_key"])
        keys = FrameKeys(nwk_s_key=nwk_s_key, app_s_key=app_s_key)
    context = FrameContext(
        version=MacVersion(vector["version"]),
        fcnt_msb=vector["fcnt"] >> 16,
        conf_fcnt=vector["conf_fcnt"],
        tx_dr=vector["tx_dr"],
        tx_ch=vector["tx_ch"],
    )
    tree = inspect_frame(phy(vector), keys, context)
    assert tree["MIC"] == {"Value": phy(vector)[-4:].hex(), "Valid": True}
    assert tree["DecryptedFOpts"] == vector["fopts"]
    assert tree["DecryptedFRMPayload"] == (
        vector["payload"] if vector["fport"] is not None else None
    )


@of("join_requests")
def test_join_request(vector: Vector) -> None:
    frame = parse(phy(vector))
    join_eui = JoinEUI(EUI64.from_hex(vector["join_eui"]))
    dev_eui = DevEUI(EUI64.from_hex(vector["dev_eui"]))
    assert frame == JoinRequest(join_eui, dev_eui, vector["dev_nonce"], phy(vector)[-4:])
    assert frame.to_bytes() == phy(vector)
    mic = crypto.join_request_mic(AppKey.from_hex(vector["key"]), phy(vector)[:-4])
    assert mic == phy(vector)[-4:]


@of("join_accepts")
def test_join_accept(vector: Vector) -> None:
    nwk_key = NwkKey.from_hex(vector["key"])
    dev_eui = DevEUI(EUI64.from_hex(vector["dev_eui"]))
    join_eui = JoinEUI(EUI64.from_hex(vector["join_eui"]))
    clear = bytes.fromhex(vector["clear"])
    content = JoinAccept(
        join_nonce=vector["join_nonce"],
        home_net_id=NetID.from_hex(vector["net_id"]),
        dev_addr=DevAddr.from_hex(vector["dev_addr"]),
        opt_neg=vector["opt_neg"],
        rx1_dr_offset=vector["rx1_dr_offset"],
        rx2_data_rate=vector["rx2_data_rate"],
        rx_delay=vector["rx_delay"],
        cf_list=bytes.fromhex(vector["cf_list"]) if vector["cf_list"] else None,
        mic=clear[-4:],
    )
    assert content.to_bytes() == clear
    answers_rejoin = vector["join_req_type"] != crypto.JOIN_REQUEST_TYPE
    key = crypto.derive_js_enc_key(nwk_key, dev_eui) if answers_rejoin else nwk_key
    assert crypto.encrypt_join_accept(key, content) == phy(vector)
    frame = parse(phy(vector))
    assert isinstance(frame, EncryptedJoinAccept)
    assert crypto.decrypt_join_accept(key, frame) == content
    if vector["version"] == "1.1":
        mic = crypto.join_accept_mic_1_1(
            crypto.derive_js_int_key(nwk_key, dev_eui),
            clear[:-4],
            join_req_type=vector["join_req_type"],
            join_eui=join_eui,
            dev_nonce=vector["dev_nonce"],
        )
    else:
        mic = crypto.join_accept_mic_1_0(nwk_key, clear[:-4])
    assert mic == clear[-4:]


@of("rejoin_requests")
def test_rejoin_request(vector: Vector) -> None:
    frame = parse(phy(vector))
    type_1 = vector["rejoin_type"] == 1
    assert frame == RejoinRequest(
        rejoin_type=vector["rejoin_type"],
        dev_eui=DevEUI(EUI64.from_hex(vector["dev_eui"])),
        rj_count=vector["rj_count"],
        net_id=None if type_1 else NetID.from_hex(vector["net_id"]),
        join_eui=JoinEUI(EUI64.from_hex(vector["join_eui"])) if type_1 else None,
        mic=phy(vector)[-4:],
    )
    assert frame.to_bytes() == phy(vector)
    kind = JSIntKey if type_1 else SNwkSIntKey
    mic = crypto.rejoin_mic(kind.from_hex(vector["key"]), phy(vector)[:-4])
    assert mic == phy(vector)[-4:]


@of("derivations")
def test_derived_keys(vector: Vector) -> None:
    app_key, nwk_key = AppKey.from_hex(vector["app_key"]), NwkKey.from_hex(vector["nwk_key"])
    nonces = {"join_nonce": vector["join_nonce"], "dev_nonce": vector["dev_nonce"]}
    of_1_0 = crypto.derive_session_keys_1_0(
        app_key, net_id=NetID.from_hex(vector["net_id"]), **nonces
    )
    expected = vector["of_1_0"]
    assert of_1_0.app_s_key == AppSKey.from_hex(expected["AppSKey"])
    nwk_s_key = FNwkSIntKey.from_hex(expected["NwkSKey"])
    assert of_1_0.f_nwk_s_int_key == of_1_0.s_nwk_s_int_key == of_1_0.nwk_s_enc_key == nwk_s_key
    of_1_1 = crypto.derive_session_keys_1_1(
        nwk_key, app_key, join_eui=JoinEUI(EUI64.from_hex(vector["join_eui"])), **nonces
    )
    expected = vector["of_1_1"]
    assert of_1_1.app_s_key == AppSKey.from_hex(expected["AppSKey"])
    assert of_1_1.f_nwk_s_int_key == FNwkSIntKey.from_hex(expected["FNwkSIntKey"])
    assert of_1_1.s_nwk_s_int_key == SNwkSIntKey.from_hex(expected["SNwkSIntKey"])
    assert of_1_1.nwk_s_enc_key == NwkSEncKey.from_hex(expected["NwkSEncKey"])
    dev_eui = DevEUI(EUI64.from_hex(vector["dev_eui"]))
    js = vector["js"]
    assert crypto.derive_js_int_key(nwk_key, dev_eui) == JSIntKey.from_hex(js["JSIntKey"])
    assert crypto.derive_js_enc_key(nwk_key, dev_eui) == JSIntKey.from_hex(js["JSEncKey"])


def test_data_frame_mtypes_are_all_there() -> None:
    seen = {parse(phy(vector)).mhdr >> 5 for vector in VECTORS["data_frames"]}
    assert seen == {
        MType.UNCONFIRMED_DATA_UP,
        MType.CONFIRMED_DATA_UP,
        MType.UNCONFIRMED_DATA_DOWN,
        MType.CONFIRMED_DATA_DOWN,
    }
