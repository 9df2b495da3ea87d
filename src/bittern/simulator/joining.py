"""A join-request or rejoin-request whose answer a device waits for: keys, MIC, derivation."""

from __future__ import annotations

from dataclasses import dataclass

from bittern.lorawan.crypto import (
    JOIN_REQUEST_TYPE,
    SessionKeys,
    decrypt_join_accept,
    derive_js_enc_key,
    derive_js_int_key,
    derive_session_keys_1_0,
    derive_session_keys_1_1,
    join_accept_mic_1_0,
    join_accept_mic_1_1,
    join_request_mic,
    mic_equal,
    rejoin_mic,
)
from bittern.lorawan.frame import (
    MIC_SIZE,
    EncryptedJoinAccept,
    JoinAccept,
    JoinRequest,
    RejoinRequest,
)
from bittern.simulator.complaint import Complaint, Objection
from bittern.types import AppKey, DevAddr, DevEUI, JoinEUI, NetID, NwkKey, SNwkSIntKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Otaa:
    """Root keys; ``nwk_key`` belongs to LoRaWAN 1.1 alone."""

    join_eui: JoinEUI
    app_key: AppKey
    nwk_key: NwkKey | None = None


@dataclass(frozen=True, slots=True)
class OpenJoin:
    """``nonce`` is the DevNonce, or the RJcount of a rejoin-request (1.1, 6.2.3 and 6.2.4)."""

    otaa: Otaa
    dev_eui: DevEUI
    nonce: int
    join_req_type: int = JOIN_REQUEST_TYPE

    @property
    def keeps_radio(self) -> bool:
        """Rejoin-request of type 2."""
        return self.join_req_type == 2

    def request(self, net_id: NetID | None, key: SNwkSIntKey | None) -> bytes:
        """The PHYPayload. Rejoin-requests 0 and 2 name the network and are sealed by the session's
        key, 1 names the join server and is sealed by a root key."""
        otaa = self.otaa
        if self.join_req_type == JOIN_REQUEST_TYPE:
            join = JoinRequest(join_eui=otaa.join_eui, dev_eui=self.dev_eui, dev_nonce=self.nonce)
            message = join.to_bytes()[:-MIC_SIZE]
            return message + join_request_mic(otaa.nwk_key or otaa.app_key, message)
        by_root = self.join_req_type == 1
        rejoin = RejoinRequest(
            self.join_req_type,
            self.dev_eui,
            self.nonce,
            net_id=None if by_root else net_id,
            join_eui=otaa.join_eui if by_root else None,
        )
        message = rejoin.to_bytes()[:-MIC_SIZE]
        if by_root or key is None:
            return message + rejoin_mic(derive_js_int_key(self._nwk_key, self.dev_eui), message)
        return message + rejoin_mic(key, message)

    def read(self, frame: EncryptedJoinAccept) -> JoinAccept:
        """Raises ``Objection`` if it is not the answer to this request."""
        otaa = self.otaa
        if self.join_req_type == JOIN_REQUEST_TYPE:
            accept = decrypt_join_accept(otaa.nwk_key or otaa.app_key, frame)
        else:
            accept = decrypt_join_accept(derive_js_enc_key(self._nwk_key, self.dev_eui), frame)
        if not mic_equal(self._mic(accept), accept.mic):
            raise Objection(
                Complaint.WRONG_MIC,
                f"join-accept for nonce {self.nonce}, JoinReqType {self.join_req_type}",
            )
        if not is_under(accept.dev_addr, accept.home_net_id):
            raise Objection(
                Complaint.DEV_ADDR_OUTSIDE_NET_ID,
                f"{accept.dev_addr} is not of NetID {accept.home_net_id}",
            )
        return accept

    def derive(self, accept: JoinAccept) -> SessionKeys:
        otaa = self.otaa
        if accept.opt_neg and otaa.nwk_key is not None:
            return derive_session_keys_1_1(
                otaa.nwk_key,
                otaa.app_key,
                join_nonce=accept.join_nonce,
                join_eui=otaa.join_eui,
                dev_nonce=self.nonce,
            )
        return derive_session_keys_1_0(
            otaa.nwk_key or otaa.app_key,
            join_nonce=accept.join_nonce,
            net_id=accept.home_net_id,
            dev_nonce=self.nonce,
        )

    def _mic(self, accept: JoinAccept) -> bytes:
        otaa, message = self.otaa, accept.to_bytes()[:-MIC_SIZE]
        if not accept.opt_neg or otaa.nwk_key is None:
            return join_accept_mic_1_0(otaa.nwk_key or otaa.app_key, message)
        return join_accept_mic_1_1(
            derive_js_int_key(otaa.nwk_key, self.dev_eui),
            message,
            join_req_type=self.join_req_type,
            join_eui=otaa.join_eui,
            dev_nonce=self.nonce,
        )

    @property
    def _nwk_key(self) -> NwkKey:
        if self.otaa.nwk_key is None:
            raise ValueError("rejoin-requests belong to LoRaWAN 1.1, and take a NwkKey")
        return self.otaa.nwk_key


def is_under(dev_addr: DevAddr, net_id: NetID) -> bool:
    """Whether the address carries the network's prefix (TS002-1.1.0, 13)."""
    net_id_type = int(net_id) >> 21
    nwk_id_bits = (6, 6, 9, 11, 12, 13, 15, 17)[net_id_type]
    prefix_bits = net_id_type + 1
    prefix = (1 << prefix_bits) - 2
    nwk_id = int(net_id) & ((1 << nwk_id_bits) - 1)
    return int(dev_addr) >> (32 - prefix_bits - nwk_id_bits) == prefix << nwk_id_bits | nwk_id
