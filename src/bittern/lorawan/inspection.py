"""A frame as a tree that a person reads: fields by their names in the specification.

``inspect_frame`` explains as much as the keys at hand allow. What it cannot check it calls
``None`` with the reason beside it; when a MIC does not match it tries the usual mistakes. The tree
is plain dictionaries, lists, text, numbers and ``None``; it never holds a key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from bittern.lorawan import crypto
from bittern.lorawan.commands import MacCommand, read_downlink_commands, read_uplink_commands
from bittern.lorawan.diagnosis import Diagnosis, FrameContext, FrameKeys
from bittern.lorawan.frame import (
    DataDown,
    DataUp,
    EncryptedJoinAccept,
    Frame,
    JoinAccept,
    JoinRequest,
    MType,
    Proprietary,
    RejoinRequest,
    parse,
    parse_join_accept,
)
from bittern.types import AppKey, JSEncKey, NwkKey

Tree = dict[str, object]

__all__ = ["FrameContext", "FrameKeys", "Tree", "inspect_frame"]


def inspect_frame(
    phy_payload: bytes, keys: FrameKeys | None = None, context: FrameContext | None = None
) -> Tree:
    """The tree of one PHYPayload. Raises ``FrameError`` if it is no LoRaWAN frame."""
    frame = parse(phy_payload)
    inspection = _Inspection(phy_payload, keys or FrameKeys(), context or FrameContext())
    tree: Tree = {"MHDR": _mhdr(frame, phy_payload[0])}
    match frame:
        case DataUp() | DataDown():
            tree.update(inspection.data(frame))
        case JoinRequest():
            tree.update(inspection.join_request(frame))
        case RejoinRequest():
            tree.update(inspection.rejoin_request(frame))
        case EncryptedJoinAccept():
            tree.update(inspection.join_accept(frame))
        case Proprietary():
            tree["Payload"] = (frame.payload + frame.mic).hex()
        case JoinAccept():
            raise AssertionError("parse never decrypts")
    return tree


class _Inspection:
    def __init__(self, phy_payload: bytes, keys: FrameKeys, context: FrameContext) -> None:
        self.phy_payload = phy_payload
        self.keys = keys
        self.context = context
        self.diagnosis = Diagnosis(phy_payload, keys, context)

    def data(self, frame: DataUp | DataDown) -> Tree:
        fcnt = self.context.fcnt_msb << 16 | frame.fcnt16
        verdict = self.diagnosis.data_mic(frame, fcnt)
        notes: list[str] = []
        fopts = self.fopts(frame, fcnt, notes)
        payload = self.frm_payload(frame, fcnt, notes)
        if verdict.valid is False and payload is not None and frame.frm_payload:
            notes.append("decrypted although the MIC does not match: may be meaningless")
        commands = [*_commands(frame, fopts, "FOpts", notes)]
        if frame.fport == 0:
            commands += _commands(frame, payload, "FRMPayload", notes)
        return {
            "MACPayload": _mac_payload(frame),
            "MIC": verdict.tree(frame.mic),
            "FullFCnt": fcnt,
            "DecryptedFOpts": None if fopts is None else fopts.hex(),
            "DecryptedFRMPayload": None if payload is None else payload.hex(),
            "MACCommands": commands,
            "Notes": notes,
        }

    def fopts(self, frame: DataUp | DataDown, fcnt: int, notes: list[str]) -> bytes | None:
        if not self.diagnosis.is_1_1 or not frame.fopts:
            return frame.fopts
        key = self.keys.nwk_s_enc_key
        if key is None:
            notes.append("FOpts is encrypted in LoRaWAN 1.1: give nwk_s_enc_key")
            return None
        up = isinstance(frame, DataUp)
        # LoRaWAN 1.1, 4.3.1.5: a downlink on an application's port counts by AFCntDown.
        a_fcnt_down = not up and bool(frame.fport)
        return crypto.crypt_fopts(
            key, frame.fopts, frame.dev_addr, fcnt, uplink=up, a_fcnt_down=a_fcnt_down
        )

    def frm_payload(self, frame: DataUp | DataDown, fcnt: int, notes: list[str]) -> bytes | None:
        if frame.fport is None:
            return None
        key = self.diagnosis.nwk_s_enc_key() if frame.fport == 0 else self.keys.app_s_key
        if key is None:
            name = self.diagnosis.nwk_s_enc_key_name if frame.fport == 0 else "app_s_key"
            notes.append(f"FRMPayload on FPort {frame.fport} is encrypted: give {name}")
            return None
        up = isinstance(frame, DataUp)
        return crypto.crypt_frm_payload(key, frame.frm_payload, frame.dev_addr, fcnt, uplink=up)

    def join_request(self, frame: JoinRequest) -> Tree:
        return {
            "MACPayload": {
                "JoinEUI": str(frame.join_eui),
                "DevEUI": str(frame.dev_eui),
                "DevNonce": frame.dev_nonce,
            },
            "MIC": self.diagnosis.join_request_mic(frame).tree(frame.mic),
        }

    def rejoin_request(self, frame: RejoinRequest) -> Tree:
        home: Tree = (
            {"JoinEUI": str(frame.join_eui)}
            if frame.rejoin_type == 1
            else {"NetID": str(frame.net_id)}
        )
        count = "RJcount1" if frame.rejoin_type == 1 else "RJcount0"
        return {
            "MACPayload": {
                "RejoinType": frame.rejoin_type,
                **home,
                "DevEUI": str(frame.dev_eui),
                count: frame.rj_count,
            },
            "MIC": self.diagnosis.rejoin_mic(frame).tree(frame.mic),
        }

    def join_accept(self, frame: EncryptedJoinAccept) -> Tree:
        key = self.diagnosis.root_key()
        if key is None:
            return _sealed(
                frame, f"a join-accept is encrypted: give {self.diagnosis.root_key_name}"
            )
        secret: AppKey | NwkKey | JSEncKey = key
        if self.context.join_req_type != crypto.JOIN_REQUEST_TYPE:
            if not isinstance(key, NwkKey) or self.context.dev_eui is None:
                return _sealed(
                    frame, "the answer to a rejoin-request is encrypted: give nwk_key and dev_eui"
                )
            secret = crypto.derive_js_enc_key(key, self.context.dev_eui)
        opened = crypto.clear_join_accept(secret, self.phy_payload)
        clear = parse_join_accept(opened)
        return {
            "MACPayload": _join_accept(clear),
            "MIC": self.diagnosis.join_accept_mic(key, clear, opened[:-4]).tree(clear.mic),
        }


def _mhdr(frame: Frame, mhdr: int) -> Tree:
    tree: Tree = {"MType": MType(frame.mhdr >> 5).spec_name, "Major": "LoRaWAN R1"}
    if mhdr & 0b11100:
        tree["RFU"] = mhdr >> 2 & 0b111
    return tree


def _mac_payload(frame: DataUp | DataDown) -> Tree:
    bits: Tree
    if isinstance(frame, DataUp):
        bits = {
            "ADR": frame.adr,
            "ADRACKReq": frame.adr_ack_req,
            "ACK": frame.ack,
            "ClassB": frame.class_b,
        }
    else:
        bits = {"ADR": frame.adr, "ACK": frame.ack, "FPending": frame.fpending}
    bits["FOptsLen"] = len(frame.fopts)
    return {
        "FHDR": {
            "DevAddr": str(frame.dev_addr),
            "FCtrl": bits,
            "FCnt": frame.fcnt16,
            "FOpts": frame.fopts.hex(),
        },
        "FPort": frame.fport,
        "FRMPayload": frame.frm_payload.hex(),
    }


def _commands(
    frame: DataUp | DataDown, data: bytes | None, place: str, notes: list[str]
) -> Iterator[Tree]:
    if data is None:
        return
    commands: Sequence[MacCommand]
    if isinstance(frame, DataUp):
        commands, problem = read_uplink_commands(data)
    else:
        commands, problem = read_downlink_commands(data)
    for command in commands:
        yield {
            "CID": f"0x{command.CID:02x}",
            "Command": command.spec_name(),
            "In": place,
            "Fields": msgspec.to_builtins(command),
        }
    if problem is not None:
        notes.append(f"MAC commands in {place}: {problem}; what follows is not read")


def _sealed(frame: EncryptedJoinAccept, reason: str) -> Tree:
    return {
        "Ciphertext": frame.ciphertext.hex(),
        "MIC": {"Value": None, "Valid": None, "Reason": reason},
    }


def _join_accept(clear: JoinAccept) -> Tree:
    return {
        "JoinNonce": clear.join_nonce,
        "Home_NetID": str(clear.home_net_id),
        "DevAddr": str(clear.dev_addr),
        "DLSettings": {
            "OptNeg": clear.opt_neg,
            "RX1DRoffset": clear.rx1_dr_offset,
            "RX2DataRate": clear.rx2_data_rate,
        },
        "RxDelay": clear.rx_delay,
        "CFList": None if clear.cf_list is None else _cf_list(clear.cf_list),
    }


def _cf_list(cf_list: bytes) -> Tree:
    """RP002-1.0.4, 2.2: type 0 lists frequencies, type 1 masks."""
    tree: Tree = {"CFListType": cf_list[15]}
    match cf_list[15]:
        case 0:
            steps = [int.from_bytes(cf_list[at : at + 3], "little") for at in range(0, 15, 3)]
            tree["FrequenciesHz"] = [100 * step for step in steps]
        case 1:
            masks = [int.from_bytes(cf_list[at : at + 2], "little") for at in range(0, 12, 2)]
            tree["ChMasks"] = [f"0x{mask:04x}" for mask in masks]
            everything = int.from_bytes(cf_list[:12], "little")
            tree["EnabledChannels"] = [i for i in range(96) if everything >> i & 1]
        case unknown:
            tree["Reason"] = f"CFListType {unknown} is not known; there are 0 and 1"
            tree["Value"] = cf_list.hex()
    return tree
