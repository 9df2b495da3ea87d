"""MICs, encryption and key derivation of LoRaWAN 1.0.x and 1.1.

The only module outside ``store/`` that looks into a key. Cipher contexts stay with their key
(``key.prepared``), as making one costs more than using it. They are not safe to use from two
threads at once. A root key may be in a token instead of here: then the token does what is done by
it (`KeyOperations`), and what is derived from it is here alone.

``msg`` is always the PHYPayload without its MIC: MHDR up to the last byte before it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from struct import Struct
from typing import Protocol, TypeVar, cast

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from bittern.lorawan.frame import EncryptedJoinAccept, JoinAccept, parse_join_accept
from bittern.types import (
    AES128Key,
    AppKey,
    AppSKey,
    DevAddr,
    DevEUI,
    FNwkSIntKey,
    JoinEUI,
    JSEncKey,
    JSIntKey,
    KeyEncryptionKey,
    NetID,
    NwkKey,
    NwkSEncKey,
    SNwkSIntKey,
)

JOIN_REQUEST_TYPE = 0xFF
"""JoinReqType of an answer to a join-request; a rejoin's is its type (1.1, table 15)."""

_BLOCK = Struct("<BHBBB4sLxB")
"""B0, B1 and A blocks: the first byte, 4 bytes, Dir, DevAddr, FCnt, 0, the last byte."""
_BLOCK_NUMBERS = (b"", *(bytes((i,)) for i in range(1, 256)))
_UPLINK, _DOWNLINK = 0, 1
_NO_SECRET = AES128Key(bytes(16))


_K = TypeVar("_K", bound=AES128Key)


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """The keys of one session. In LoRaWAN 1.0.x the three network keys are the NwkSKey."""

    f_nwk_s_int_key: FNwkSIntKey
    s_nwk_s_int_key: SNwkSIntKey
    nwk_s_enc_key: NwkSEncKey
    app_s_key: AppSKey

    @classmethod
    def of_1_0(cls, nwk_s_key: bytes, app_s_key: bytes) -> SessionKeys:
        """From the two keys that LoRaWAN 1.0.x has."""
        return cls(
            FNwkSIntKey(nwk_s_key),
            SNwkSIntKey(nwk_s_key),
            NwkSEncKey(nwk_s_key),
            AppSKey(app_s_key),
        )


class KeyOperations(Protocol):
    """All that LoRaWAN does with a root key. What ``AES128Key.prepared`` holds of a key in a token,
    while the token may be asked."""

    def cmac(self, message: bytes) -> bytes:
        """AES-CMAC, 16 bytes (RFC 4493)."""
        ...

    def encrypt(self, blocks: bytes) -> bytes:
        """Each block of 16 bytes by itself."""
        ...

    def decrypt(self, blocks: bytes) -> bytes:
        """Each block of 16 bytes by itself."""
        ...


class _Contexts:
    """What ``AES128Key.prepared`` holds of any other key once it was used."""

    __slots__ = ("_cmac", "encrypt")

    def __init__(self, value: bytes) -> None:
        self._cmac = CMAC(AES128(value))
        self.encrypt = Cipher(AES128(value), ECB()).encryptor().update  # nosec B305

    def cmac(self, message: bytes) -> bytes:
        keyed = self._cmac.copy()
        keyed.update(message)
        return keyed.finalize()


def _contexts(key: AES128Key) -> _Contexts | KeyOperations:
    prepared = key.prepared
    if type(prepared) is _Contexts:
        return prepared
    if key.reference is not None and prepared is not None:
        return cast(KeyOperations, prepared)
    key.prepared = made = _Contexts(key.reveal())
    return made


def _cmac(key: AES128Key, message: bytes) -> bytes:
    return _contexts(key).cmac(message)


def _encrypt_blocks(key: AES128Key, blocks: bytes) -> bytes:
    return _contexts(key).encrypt(blocks)


def _decrypt_blocks(key: AES128Key, blocks: bytes) -> bytes:
    if key.reference is not None and key.prepared is not None:
        return cast(KeyOperations, key.prepared).decrypt(blocks)
    # Seldom done: no context is kept for it.
    return Cipher(AES128(key.reveal()), ECB()).decryptor().update(blocks)  # nosec B305


def as_kind(kind: type[_K], key: AES128Key) -> _K:
    """The same secret in another role: the one NwkSKey of 1.0.x is three keys of 1.1."""
    return kind(key.reveal())


def mic_equal(expected: bytes, received: bytes) -> bool:
    """In a time that does not tell where they differ."""
    return hmac.compare_digest(expected, received)


# Data frames


def data_up_mic_1_0(key: FNwkSIntKey, msg: bytes, dev_addr: DevAddr, fcnt: int) -> bytes:
    """TS001-1.0.4, 4.4. ``fcnt`` is the full 32-bit counter; ``key`` is the NwkSKey."""
    block = _BLOCK.pack(0x49, 0, 0, 0, _UPLINK, dev_addr.to_wire(), fcnt, len(msg))
    return _cmac(key, block + msg)[:4]


def data_up_mic_1_1(
    f_nwk_s_int_key: FNwkSIntKey,
    s_nwk_s_int_key: SNwkSIntKey,
    msg: bytes,
    dev_addr: DevAddr,
    fcnt: int,
    *,
    conf_fcnt: int,
    tx_dr: int,
    tx_ch: int,
) -> bytes:
    """LoRaWAN 1.1, 4.4.2: half from each key.

    ``conf_fcnt`` is the counter of the confirmed downlink that this frame acknowledges, 0 if it
    does not; ``tx_dr`` and ``tx_ch`` are the data rate and the channel's index of this frame.
    """
    wire = dev_addr.to_wire()
    size = len(msg)
    b1 = _BLOCK.pack(0x49, conf_fcnt & 0xFFFF, tx_dr, tx_ch, _UPLINK, wire, fcnt, size)
    b0 = _BLOCK.pack(0x49, 0, 0, 0, _UPLINK, wire, fcnt, size)
    return _cmac(s_nwk_s_int_key, b1 + msg)[:2] + _cmac(f_nwk_s_int_key, b0 + msg)[:2]


def data_down_mic(
    key: SNwkSIntKey, msg: bytes, dev_addr: DevAddr, fcnt: int, *, conf_fcnt: int = 0
) -> bytes:
    """TS001-1.0.4, 4.4; LoRaWAN 1.1, 4.4.1.

    ``conf_fcnt`` is the counter of the confirmed uplink acknowledged: 1.1 only, 0 in 1.0.x.
    """
    wire = dev_addr.to_wire()
    block = _BLOCK.pack(0x49, conf_fcnt & 0xFFFF, 0, 0, _DOWNLINK, wire, fcnt, len(msg))
    return _cmac(key, block + msg)[:4]


def crypt_frm_payload(
    key: AppSKey | NwkSEncKey, payload: bytes, dev_addr: DevAddr, fcnt: int, *, uplink: bool
) -> bytes:
    """Encrypt or decrypt a FRMPayload, which is the same (TS001-1.0.4, 4.3.3).

    ``key`` is the NwkSEncKey for FPort 0 and the AppSKey for all others.
    """
    direction = _UPLINK if uplink else _DOWNLINK
    head = _BLOCK.pack(1, 0, 0, 0, direction, dev_addr.to_wire(), fcnt, 0)[:15]
    # Each block is the head and its number: joining by the head is the quickest way to write that.
    blocks = head.join(_BLOCK_NUMBERS[: (len(payload) + 31) >> 4])
    return _xor(payload, _encrypt_blocks(key, blocks))


def crypt_fopts(
    key: NwkSEncKey,
    fopts: bytes,
    dev_addr: DevAddr,
    fcnt: int,
    *,
    uplink: bool,
    a_fcnt_down: bool = False,
) -> bytes:
    """Encrypt or decrypt FOpts of LoRaWAN 1.1, which is the same (1.1, 4.3.1.6).

    As corrected by the erratum "FOpts Encryption, Usage of FCntDwn" of 2018: the fifth byte of the
    block is 1, or 2 if ``fcnt`` is an AFCntDown; so FOpts and FRMPayload never share a key stream.
    """
    direction = _UPLINK if uplink else _DOWNLINK
    counter = 2 if a_fcnt_down else 1
    block = _BLOCK.pack(1, 0, 0, counter, direction, dev_addr.to_wire(), fcnt, 1)
    return _xor(fopts, _encrypt_blocks(key, block))


def ping_slot_draw(beacon_time_s: int, dev_addr: DevAddr) -> int:
    """Rand of TS001-1.0.4, 13.2: 16 bits for each beacon and device, by a key of zeros."""
    beacon_time = (beacon_time_s & 0xFFFFFFFF).to_bytes(4, "little")
    rand = _encrypt_blocks(_NO_SECRET, (beacon_time + dev_addr.to_wire()).ljust(16, b"\x00"))
    return rand[0] | rand[1] << 8


def _xor(data: bytes, stream: bytes) -> bytes:
    """``data`` with as much of the key stream as it is long."""
    size = len(data)
    mixed = int.from_bytes(data, "little") ^ int.from_bytes(stream[:size], "little")
    return mixed.to_bytes(size, "little")


# Joins


def join_request_mic(key: AppKey | NwkKey, msg: bytes) -> bytes:
    """TS001-1.0.4, 6.2.2, by the AppKey; LoRaWAN 1.1, 6.2.2, by the NwkKey."""
    return _cmac(key, msg)[:4]


def rejoin_mic(key: SNwkSIntKey | JSIntKey, msg: bytes) -> bytes:
    """LoRaWAN 1.1, 6.2.4: types 0 and 2 by the SNwkSIntKey, type 1 by the JSIntKey."""
    return _cmac(key, msg)[:4]


def join_accept_mic_1_0(key: AppKey | NwkKey, msg: bytes) -> bytes:
    """TS001-1.0.4, 6.2.3. By the NwkKey if a 1.0.x network answers a 1.1 device."""
    return _cmac(key, msg)[:4]


def join_accept_mic_1_1(
    key: JSIntKey, msg: bytes, *, join_req_type: int, join_eui: JoinEUI, dev_nonce: int
) -> bytes:
    """LoRaWAN 1.1, 6.2.3, for OptNeg set.

    ``join_req_type`` is ``JOIN_REQUEST_TYPE`` or the rejoin's type; ``dev_nonce`` the DevNonce or
    the RJcount of the request.
    """
    request = bytes((join_req_type,)) + join_eui.to_wire() + dev_nonce.to_bytes(2, "little")
    return _cmac(key, request + msg)[:4]


def encrypt_join_accept(key: AppKey | NwkKey | JSEncKey, join_accept: JoinAccept) -> bytes:
    """The PHYPayload on air; ``join_accept`` carries its MIC already.

    ``key`` is the AppKey in 1.0.x; in 1.1 the NwkKey in answer to a join-request and the JSEncKey
    in answer to a rejoin-request.
    """
    clear = join_accept.to_bytes()
    # Decryption, so that a device needs no more than AES encryption (TS001-1.0.4, 6.2.3).
    return clear[:1] + _decrypt_blocks(key, clear[1:])


def decrypt_join_accept(
    key: AppKey | NwkKey | JSEncKey, join_accept: EncryptedJoinAccept
) -> JoinAccept:
    """The content, whose MIC only the caller can check. Raises ``FrameError`` on a wrong size."""
    return parse_join_accept(clear_join_accept(key, join_accept.to_bytes()))


def clear_join_accept(key: AppKey | NwkKey | JSEncKey, phy_payload: bytes) -> bytes:
    """The same as bytes: all but the last four are what the MIC is over."""
    return phy_payload[:1] + _encrypt_blocks(key, phy_payload[1:])


# Key derivation


def derive_session_keys_1_0(
    key: AppKey | NwkKey, *, join_nonce: int, net_id: NetID, dev_nonce: int
) -> SessionKeys:
    """TS001-1.0.4, 6.2.3. From the NwkKey if a 1.1 device joins a 1.0.x network."""
    tail = join_nonce.to_bytes(3, "little") + net_id.to_wire() + dev_nonce.to_bytes(2, "little")
    return SessionKeys.of_1_0(_derive(key, 0x01, tail), _derive(key, 0x02, tail))


def derive_session_keys_1_1(
    nwk_key: NwkKey, app_key: AppKey, *, join_nonce: int, join_eui: JoinEUI, dev_nonce: int
) -> SessionKeys:
    """LoRaWAN 1.1, 6.2.3, for OptNeg set. ``dev_nonce`` is the RJcount in answer to a rejoin."""
    tail = join_nonce.to_bytes(3, "little") + join_eui.to_wire() + dev_nonce.to_bytes(2, "little")
    return SessionKeys(
        FNwkSIntKey(_derive(nwk_key, 0x01, tail)),
        SNwkSIntKey(_derive(nwk_key, 0x03, tail)),
        NwkSEncKey(_derive(nwk_key, 0x04, tail)),
        AppSKey(_derive(app_key, 0x02, tail)),
    )


def derive_js_int_key(nwk_key: NwkKey, dev_eui: DevEUI) -> JSIntKey:
    """LoRaWAN 1.1, 6.1.1.3."""
    return JSIntKey(_derive(nwk_key, 0x06, dev_eui.to_wire()))


def derive_js_enc_key(nwk_key: NwkKey, dev_eui: DevEUI) -> JSEncKey:
    """LoRaWAN 1.1, 6.1.1.3."""
    return JSEncKey(_derive(nwk_key, 0x05, dev_eui.to_wire()))


# Keys on their way from one server to another (TS002-1.1.0, 16: KeyEnvelope)


def wrap_key(kek: KeyEncryptionKey, key: AES128Key) -> bytes:
    """24 bytes (RFC 3394, 2.2.1)."""
    return aes_key_wrap(kek.reveal(), key.reveal())


def unwrap_key(kind: type[_K], kek: KeyEncryptionKey, wrapped: bytes) -> _K:
    """Raises ``ValueError``: another key has wrapped it, or it was changed on its way."""
    try:
        return kind(aes_key_unwrap(kek.reveal(), wrapped))
    except InvalidUnwrap:
        raise ValueError("the key-encryption key does not open it") from None


def bare_key(key: AES128Key) -> bytes:
    """For a token that is to keep it, or for a peer with whom no key-encryption key is shared: TLS
    alone protects it."""
    return key.reveal()


def _derive(key: AES128Key, purpose: int, tail: bytes) -> bytes:
    return _encrypt_blocks(key, (bytes((purpose,)) + tail).ljust(16, b"\x00"))
