"""A frame as it was on air, from the fields that a station takes it apart into.

PHYPayload is MHDR | DevAddr | FCtrl | FCnt | FOpts | [FPort | FRMPayload] | MIC, every number least
significant byte first (TS001-1.0.4, 4). The MIC is the network's to check, so this must be exact:
what does not fit together raises ValueError.
"""

from __future__ import annotations

import struct

from bittern.gateway.eui_text import parse_eui
from bittern.gateway.lns_messages import DataUp, JoinRequest, Proprietary, Rejoin
from bittern.types import EUI64

_FHDR = struct.Struct("<BiBH")
_JOIN = struct.Struct("<B8s8sHi")
_MIC = struct.Struct("<i")
MAX_PHY_PAYLOAD = 255


def data_up(message: DataUp) -> bytes:
    """PHYPayload of an ``updf``."""
    fopts = _unhex("FOpts", message.fopts) if message.fopts else b""
    if len(fopts) != message.fctrl & 0x0F:
        raise ValueError(f"FOpts has {len(fopts)} bytes, FCtrl says {message.fctrl & 0x0F}")
    head = _FHDR.pack(message.mhdr, message.dev_addr, message.fctrl, message.fcnt)
    mic = _MIC.pack(message.mic)
    if message.fport < 0:
        if message.frm_payload:
            raise ValueError("FRMPayload without FPort")
        return head + fopts + mic
    frm_payload = _unhex("FRMPayload", message.frm_payload)
    return _sized(head + fopts + bytes((message.fport,)) + frm_payload + mic)


def join_request(message: JoinRequest | Rejoin) -> bytes:
    """PHYPayload of a ``jreq``, and of a ``rejoin``: all of it, or in the layout of a ``jreq``."""
    if isinstance(message, Rejoin) and (pdu := message.pdu_capital or message.pdu):
        return _sized(_unhex("PDU", pdu))
    return _JOIN.pack(
        message.mhdr,
        _eui("JoinEui", message.join_eui or message.join_eui_capital).to_wire(),
        _eui("DevEui", message.dev_eui or message.dev_eui_capital).to_wire(),
        message.dev_nonce,
        message.mic,
    )


def proprietary(message: Proprietary) -> bytes:
    """PHYPayload of a ``propdf``: all of it is there already."""
    return _sized(_unhex("FRMPayload", message.frm_payload))


def _unhex(field: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"{field} is not hexadecimal") from None


def _eui(field: str, text: str) -> EUI64:
    try:
        return parse_eui(text)
    except ValueError as error:
        raise ValueError(f"{field}: {error}" if text else f"{field} is absent") from None


def _sized(phy_payload: bytes) -> bytes:
    if len(phy_payload) > MAX_PHY_PAYLOAD:
        raise ValueError(f"a frame of {len(phy_payload)} bytes; no radio sends more than 255")
    return phy_payload
