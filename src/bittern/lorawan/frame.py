"""PHYPayload to and from typed frames: LoRaWAN 1.0.x (TS001-1.0.4, 4) and 1.1 (4, 6).

Nothing here knows a key: a data frame's ``fopts`` and ``frm_payload`` are the bytes on air, a
join-accept is ciphertext. ``lorawan/crypto.py`` checks and opens them.

Bits that the specification reserves are ignored when read and written as 0. So a MIC is computed
over the bytes received (``phy_payload[:-4]``), never over a frame written again.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

import msgspec

from bittern.errors import FrameError
from bittern.types import EUI64, DevAddr, DevEUI, JoinEUI, NetID

MIC_SIZE = 4
MAX_PHY_PAYLOAD_SIZE = 255
"""What the length byte of a LoRa radio header can say."""


class MType(IntEnum):
    """Bits 7..5 of the MHDR (TS001-1.0.4, 4.2.1: FType)."""

    JOIN_REQUEST = 0
    JOIN_ACCEPT = 1
    UNCONFIRMED_DATA_UP = 2
    UNCONFIRMED_DATA_DOWN = 3
    CONFIRMED_DATA_UP = 4
    CONFIRMED_DATA_DOWN = 5
    REJOIN_REQUEST = 6
    PROPRIETARY = 7

    @property
    def spec_name(self) -> str:
        """``UnconfirmedDataUp``: the specification's words in one, as AWS writes them."""
        return self.name.title().replace("_", "")


class Major:
    """Bits 1..0 of the MHDR. There is one value."""

    LORAWAN_R1 = 0


class DataUp(msgspec.Struct, frozen=True, gc=False):
    """A data frame from a device (TS001-1.0.4, 4.3)."""

    mtype: MType
    dev_addr: DevAddr
    adr: bool = False
    adr_ack_req: bool = False
    ack: bool = False
    class_b: bool = False
    fcnt16: int = 0
    """The counter's low 16 bits."""
    fopts: bytes = b""
    """As on air: in LoRaWAN 1.1 encrypted."""
    fport: int | None = None
    frm_payload: bytes = b""
    """As on air: encrypted."""
    mic: bytes = bytes(MIC_SIZE)

    @property
    def mhdr(self) -> int:
        return self.mtype << 5

    @property
    def confirmed(self) -> bool:
        return self.mtype is MType.CONFIRMED_DATA_UP

    @property
    def fctrl(self) -> int:
        flags = self.adr << 7 | self.adr_ack_req << 6 | self.ack << 5 | self.class_b << 4
        return flags | len(self.fopts)

    def to_bytes(self) -> bytes:
        return _data_bytes(self)


class DataDown(msgspec.Struct, frozen=True, gc=False):
    """A data frame to a device (TS001-1.0.4, 4.3)."""

    mtype: MType
    dev_addr: DevAddr
    adr: bool = False
    ack: bool = False
    fpending: bool = False
    fcnt16: int = 0
    fopts: bytes = b""
    fport: int | None = None
    frm_payload: bytes = b""
    mic: bytes = bytes(MIC_SIZE)

    @property
    def mhdr(self) -> int:
        return self.mtype << 5

    @property
    def confirmed(self) -> bool:
        return self.mtype is MType.CONFIRMED_DATA_DOWN

    @property
    def fctrl(self) -> int:
        return self.adr << 7 | self.ack << 5 | self.fpending << 4 | len(self.fopts)

    def to_bytes(self) -> bytes:
        return _data_bytes(self)


class JoinRequest(msgspec.Struct, frozen=True):
    """TS001-1.0.4, 6.2.2: a device asks for a session."""

    join_eui: JoinEUI
    dev_eui: DevEUI
    dev_nonce: int
    mic: bytes = bytes(MIC_SIZE)

    SIZE: ClassVar[int] = 23

    @property
    def mhdr(self) -> int:
        return MType.JOIN_REQUEST << 5

    def to_bytes(self) -> bytes:
        return b"".join(
            (
                b"\x00",
                self.join_eui.to_wire(),
                self.dev_eui.to_wire(),
                self.dev_nonce.to_bytes(2, "little"),
                self.mic,
            )
        )


class RejoinRequest(msgspec.Struct, frozen=True):
    """LoRaWAN 1.1, 6.2.4: a device with a session asks for another one.

    Types 0 and 2 name the ``net_id``, type 1 the ``join_eui``; the other one is ``None``.
    """

    rejoin_type: int
    dev_eui: DevEUI
    rj_count: int
    """RJcount0 for types 0 and 2, RJcount1 for type 1."""
    net_id: NetID | None = None
    join_eui: JoinEUI | None = None
    mic: bytes = bytes(MIC_SIZE)

    @property
    def mhdr(self) -> int:
        return MType.REJOIN_REQUEST << 5

    def to_bytes(self) -> bytes:
        home = self.join_eui if self.rejoin_type == 1 else self.net_id
        assert home is not None, "types 0 and 2 have a net_id, type 1 a join_eui"
        return b"".join(
            (
                bytes((self.mhdr, self.rejoin_type)),
                home.to_wire(),
                self.dev_eui.to_wire(),
                self.rj_count.to_bytes(2, "little"),
                self.mic,
            )
        )


class JoinAccept(msgspec.Struct, frozen=True):
    """The clear content of a join-accept (TS001-1.0.4, 6.2.3; OptNeg: 1.1, 6.2.3)."""

    join_nonce: int
    """24 bits; AppNonce before LoRaWAN 1.0.4."""
    home_net_id: NetID
    dev_addr: DevAddr
    opt_neg: bool = False
    """The network speaks LoRaWAN 1.1."""
    rx1_dr_offset: int = 0
    rx2_data_rate: int = 0
    rx_delay: int = 1
    """Seconds to RX1, as on air: 0 means 1."""
    cf_list: bytes | None = None
    """16 bytes: 15 of frequencies or masks, then the CFListType."""
    mic: bytes = bytes(MIC_SIZE)

    @property
    def mhdr(self) -> int:
        return MType.JOIN_ACCEPT << 5

    def to_bytes(self) -> bytes:
        """MHDR, clear content and MIC: what ``crypto.encrypt_join_accept`` makes the frame of."""
        settings = self.opt_neg << 7 | self.rx1_dr_offset << 4 | self.rx2_data_rate
        return b"".join(
            (
                bytes((self.mhdr,)),
                self.join_nonce.to_bytes(3, "little"),
                self.home_net_id.to_wire(),
                self.dev_addr.to_wire(),
                bytes((settings, self.rx_delay)),
                self.cf_list or b"",
                self.mic,
            )
        )


class EncryptedJoinAccept(msgspec.Struct, frozen=True):
    """A join-accept as on air."""

    ciphertext: bytes
    """16 bytes, or 32 with a CFList; the MIC is inside."""

    @property
    def mhdr(self) -> int:
        return MType.JOIN_ACCEPT << 5

    def to_bytes(self) -> bytes:
        return bytes((self.mhdr,)) + self.ciphertext


class Proprietary(msgspec.Struct, frozen=True):
    """A frame of somebody's own format; only the MHDR is LoRaWAN's (TS001-1.0.4, 4.2.1.3)."""

    payload: bytes
    mic: bytes = bytes(MIC_SIZE)

    @property
    def mhdr(self) -> int:
        return MType.PROPRIETARY << 5

    def to_bytes(self) -> bytes:
        return bytes((self.mhdr,)) + self.payload + self.mic


Frame = (
    DataUp | DataDown | JoinRequest | RejoinRequest | JoinAccept | EncryptedJoinAccept | Proprietary
)
"""Each has ``mhdr`` and ``to_bytes()``, the whole PHYPayload. ``parse`` gives every one of them but
``JoinAccept``, which takes a key to open."""


def parse(phy_payload: bytes) -> Frame:
    """The frame of a PHYPayload; nothing is decrypted and no MIC checked.

    Raises ``FrameError``, whose text says what did not fit.
    """
    size = len(phy_payload)
    if size <= MIC_SIZE:
        raise FrameError(f"PHYPayload of {size} bytes has no room for MHDR and MIC")
    if size > MAX_PHY_PAYLOAD_SIZE:
        raise FrameError(f"PHYPayload of {size} bytes; a radio frame has at most 255")
    mhdr = phy_payload[0]
    if mhdr & 0b11 != Major.LORAWAN_R1:
        raise FrameError(f"Major {mhdr & 0b11} in MHDR 0x{mhdr:02x}; LoRaWAN R1 is 0")
    return _PARSERS[mhdr >> 5](phy_payload)


def parse_join_accept(clear: bytes) -> JoinAccept:
    """A decrypted join-accept: MHDR, content, MIC. Raises ``FrameError``."""
    if len(clear) not in (17, 33):
        raise FrameError(f"join-accept of {len(clear)} bytes; it has 17, or 33 with a CFList")
    if clear[0] >> 5 != MType.JOIN_ACCEPT:
        raise FrameError(f"MHDR 0x{clear[0]:02x} is not a join-accept's")
    settings = clear[11]
    return JoinAccept(
        join_nonce=int.from_bytes(clear[1:4], "little"),
        home_net_id=NetID.from_wire(clear[4:7]),
        dev_addr=DevAddr.from_wire(clear[7:11]),
        opt_neg=settings >= 0x80,
        rx1_dr_offset=settings >> 4 & 0b111,
        rx2_data_rate=settings & 0x0F,
        rx_delay=clear[12] & 0x0F,
        cf_list=clear[13:29] if len(clear) == 33 else None,
        mic=clear[-MIC_SIZE:],
    )


def _data_bytes(frame: DataUp | DataDown) -> bytes:
    assert len(frame.fopts) <= 15, "FOptsLen has four bits"
    assert frame.fport is not None or not frame.frm_payload, "a FRMPayload needs an FPort"
    head = bytes((frame.mhdr,)) + frame.dev_addr.to_wire() + bytes((frame.fctrl,))
    head += frame.fcnt16.to_bytes(2, "little") + frame.fopts
    if frame.fport is None:
        return head + frame.mic
    return head + bytes((frame.fport,)) + frame.frm_payload + frame.mic


def _data_tail(phy: bytes) -> tuple[DevAddr, int, int, bytes, int | None, bytes, bytes]:
    """DevAddr, FCtrl, FCnt, FOpts, FPort, FRMPayload and MIC of a data frame."""
    size = len(phy)
    if size < 12:
        raise FrameError(f"data frame of {size} bytes; MHDR, FHDR and MIC alone are 12")
    fctrl = phy[5]
    end = 8 + (fctrl & 0x0F)
    mic_at = size - MIC_SIZE
    if end > mic_at:
        raise FrameError(f"FOptsLen {fctrl & 0x0F} reaches beyond the frame of {size} bytes")
    dev_addr = DevAddr(phy[4:0:-1])
    fcnt16 = phy[6] | phy[7] << 8
    if end == mic_at:
        return dev_addr, fctrl, fcnt16, phy[8:end], None, b"", phy[mic_at:]
    fport = phy[end]
    if fport == 0 and end > 8:
        # TS001-1.0.4, 4.3.1.6: commands are in FOpts or on port 0, never in both.
        raise FrameError("FPort 0 together with FOpts")
    return dev_addr, fctrl, fcnt16, phy[8:end], fport, phy[end + 1 : mic_at], phy[mic_at:]


def _parse_data_up(phy: bytes) -> DataUp:
    dev_addr, fctrl, fcnt16, fopts, fport, frm_payload, mic = _data_tail(phy)
    return DataUp(
        _MTYPES[phy[0] >> 5],
        dev_addr,
        fctrl & 0x80 != 0,
        fctrl & 0x40 != 0,
        fctrl & 0x20 != 0,
        fctrl & 0x10 != 0,
        fcnt16,
        fopts,
        fport,
        frm_payload,
        mic,
    )


def _parse_data_down(phy: bytes) -> DataDown:
    dev_addr, fctrl, fcnt16, fopts, fport, frm_payload, mic = _data_tail(phy)
    return DataDown(
        _MTYPES[phy[0] >> 5],
        dev_addr,
        fctrl & 0x80 != 0,
        fctrl & 0x20 != 0,
        fctrl & 0x10 != 0,
        fcnt16,
        fopts,
        fport,
        frm_payload,
        mic,
    )


def _parse_join_request(phy: bytes) -> JoinRequest:
    if len(phy) != JoinRequest.SIZE:
        raise FrameError(f"join-request of {len(phy)} bytes; it has {JoinRequest.SIZE}")
    return JoinRequest(
        join_eui=JoinEUI(EUI64.from_wire(phy[1:9])),
        dev_eui=DevEUI(EUI64.from_wire(phy[9:17])),
        dev_nonce=int.from_bytes(phy[17:19], "little"),
        mic=phy[19:],
    )


def _parse_rejoin_request(phy: bytes) -> RejoinRequest:
    rejoin_type = phy[1]
    if rejoin_type > 2:
        raise FrameError(f"rejoin-request of type {rejoin_type}; there are 0, 1 and 2")
    size = 24 if rejoin_type == 1 else 19
    if len(phy) != size:
        raise FrameError(
            f"rejoin-request of type {rejoin_type} has {size} bytes, this one {len(phy)}"
        )
    return RejoinRequest(
        rejoin_type=rejoin_type,
        dev_eui=DevEUI(EUI64.from_wire(phy[-14:-6])),
        rj_count=int.from_bytes(phy[-6:-4], "little"),
        net_id=None if rejoin_type == 1 else NetID.from_wire(phy[2:5]),
        join_eui=JoinEUI(EUI64.from_wire(phy[2:10])) if rejoin_type == 1 else None,
        mic=phy[-MIC_SIZE:],
    )


def _parse_join_accept(phy: bytes) -> EncryptedJoinAccept:
    if len(phy) not in (17, 33):
        raise FrameError(f"join-accept of {len(phy)} bytes; it has 17, or 33 with a CFList")
    return EncryptedJoinAccept(phy[1:])


def _parse_proprietary(phy: bytes) -> Proprietary:
    return Proprietary(phy[1:-MIC_SIZE], phy[-MIC_SIZE:])


_MTYPES = tuple(MType)
_PARSERS = (
    _parse_join_request,
    _parse_join_accept,
    _parse_data_up,
    _parse_data_down,
    _parse_data_up,
    _parse_data_down,
    _parse_rejoin_request,
    _parse_proprietary,
)
"""By MType."""
