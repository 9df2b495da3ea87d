"""What a join server answers: a message in, a message out, and one durable step between.

    bytes of a peer, known by its certificate    servers/join_server
    -> a message                                 backend/messages
    -> it is the peer's own, and for us
    -> not one that was answered already         network/join_repeats
    -> the device, its root keys                 store/join_registry
    -> MIC, nonces, join-accept, keys            mac/join, mac/rejoin: the join server's half
    -> ONE transaction: nonces, AppSKey          store/join_registry
    -> keys in envelopes                         backend/envelope

Everything has an answer with a result; nothing that a peer sends is an error of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple

from bittern.backend import messages
from bittern.backend.envelope import Kek, sealed
from bittern.backend.messages import (
    Answer,
    AppSKeyAns,
    AppSKeyReq,
    HomeNSAns,
    HomeNSReq,
    JoinAns,
    JoinReq,
    Request,
    Result,
    Unreadable,
)
from bittern.backend.values import Hex, ResultCode, version_of
from bittern.errors import BitternError, FrameError, StaleSession
from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.frame import JoinRequest, RejoinRequest, parse
from bittern.lorawan.versions import uses_nwk_key
from bittern.mac import join, rejoin
from bittern.mac.join import Agreed
from bittern.mac.join_accept import Offer
from bittern.mac.refused import Refused
from bittern.network.join_repeats import Repeats
from bittern.network.ports import Clock
from bittern.network.root_keys import RootKeys, by_root_keys
from bittern.store.join_keys import JoinKeys
from bittern.store.join_records import AgreedSession, JoinDevice, JoinPeer
from bittern.types import AES128Key, DevEUI, NetID, Refusal

FOR_EVER = 0
CF_LIST_SIZE = 16

_CODES = {
    Refusal.MIC_MISMATCH: ResultCode.MIC_FAILED,
    Refusal.DEV_NONCE_REPLAYED: ResultCode.FRAME_REPLAYED,
    Refusal.RJ_COUNT_REPLAYED: ResultCode.FRAME_REPLAYED,
    Refusal.JOIN_EUI_MISMATCH: ResultCode.JOIN_REQ_FAILED,
    Refusal.JOIN_NOT_SUPPORTED: ResultCode.JOIN_REQ_FAILED,
    Refusal.JOIN_NONCE_EXHAUSTED: ResultCode.JOIN_REQ_FAILED,
    Refusal.REJOIN_NOT_SUPPORTED: ResultCode.JOIN_REQ_FAILED,
}


class Told(NamedTuple):
    """For the log: what was asked, and what became of it."""

    message_type: str
    dev_eui: DevEUI | None
    code: str
    reason: str


class _No(Exception):
    """Ends the life of a request with a result."""

    def __init__(self, code: ResultCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class JoinDesk:
    """One for the whole join server."""

    def __init__(
        self,
        keys: JoinKeys,
        now: Clock,
        tell: Callable[[Told], None],
        root_keys: RootKeys | None = None,
    ) -> None:
        """`root_keys`: of the devices whose root keys are in a token."""
        self._keys = keys
        self._root_keys = root_keys
        self._now = now
        self._tell = tell
        self._repeats = Repeats[JoinAns](now)

    async def answer(self, body: bytes, fingerprint: str) -> bytes:
        """`fingerprint`: of the certificate that the peer has shown."""
        request = messages.read_request(body)
        if isinstance(request, Unreadable):
            answer: Answer = messages.answer_to(request)
            dev_eui = None
        else:
            dev_eui = DevEUI(request.dev_eui)
            answer = await self._answered(request, body, fingerprint)
        result = answer.result
        self._tell(Told(answer.message_type, dev_eui, result.result_code, result.description))
        return messages.encode(answer)

    async def _answered(self, request: Request, body: bytes, fingerprint: str) -> Answer:
        try:
            peer = await self._peer(request, fingerprint)
            match request:
                case JoinReq():
                    # The same bytes of the same peer, its TransactionID among them.
                    key = sha256(fingerprint.encode() + b"\x00" + body).digest()
                    return await self._repeats.answer(key, lambda: self._join(request, peer))
                case AppSKeyReq():
                    return await self._app_s_key(request, peer)
                case HomeNSReq():
                    return await self._home(request, peer)
        except _No as no:
            code, reason = no.code, no.reason
        except BitternError as error:  # a store that is away, a seal that is broken
            code, reason = ResultCode.OTHER, str(error)
        if code is ResultCode.FRAME_REPLAYED and request.protocol_version == "1.0":
            code = ResultCode.JOIN_REQ_FAILED  # 1.0 has no other word for it
        return Answer(
            **messages.heading(request), result=Result(result_code=code, description=reason)
        )

    # Who asks, and for which device

    async def _peer(self, request: Request, fingerprint: str) -> JoinPeer:
        peer = await self._keys.peer(fingerprint)
        if peer is None:
            raise _No(ResultCode.UNKNOWN_SENDER, "the certificate is of nobody who is known here")
        if peer.not_after <= self._now():
            raise _No(ResultCode.UNKNOWN_SENDER, "the certificate has expired")
        if not _is_named(request.sender_id, peer):
            reason = f"the certificate is of {peer.kind} {peer.identity}, not of the SenderID"
            raise _No(ResultCode.UNKNOWN_SENDER, reason)
        wanted = "application" if isinstance(request, AppSKeyReq) else "network"
        if peer.kind != wanted:
            reason = f"{request.message_type} is for {wanted} servers"
            raise _No(ResultCode.ACTIVATION_DISALLOWED, reason)
        return peer

    async def _device(self, request: Request) -> JoinDevice:
        device = await self._keys.device(DevEUI(request.dev_eui))
        if device is None:
            raise _No(ResultCode.UNKNOWN_DEV_EUI, f"no device {request.dev_eui} is registered")
        if request.receiver_id.removeprefix("0x").lower() != device.keys.join_eui.hex():
            reason = f"ReceiverID is not JoinEUI {device.keys.join_eui} of the device"
            raise _No(ResultCode.UNKNOWN_RECEIVER, reason)
        return device

    # What is asked

    async def _home(self, request: HomeNSReq, peer: JoinPeer) -> HomeNSAns:
        device = await self._device(request)
        return HomeNSAns(**messages.heading(request), result=_success(), h_net_id=device.net_id)

    async def _app_s_key(self, request: AppSKeyReq, peer: JoinPeer) -> AppSKeyAns:
        device = await self._device(request)
        if device.application != peer.identity:
            reason = "the device is not of this application server"
            raise _No(ResultCode.ACTIVATION_DISALLOWED, reason)
        spent = await self._keys.spent(device.dev_eui)
        for one in spent.sessions:
            if one.session_key_id == request.session_key_id:
                return AppSKeyAns(
                    **messages.heading(request),
                    result=_success(),
                    dev_eui=device.dev_eui,
                    app_s_key=sealed(one.app_s_key, _kek(peer)),
                    session_key_id=request.session_key_id,
                )
        raise _No(ResultCode.OTHER, "no session of that SessionKeyID is kept")

    async def _join(self, request: JoinReq, peer: JoinPeer) -> JoinAns:
        device = await self._device(request)
        if peer.identity != device.net_id.hex():
            reason = f"the home of the device is network {device.net_id}"
            raise _No(ResultCode.ACTIVATION_DISALLOWED, reason)
        frame = _frame(request)
        offered = _offer(request, device.net_id)
        for_application = await self._application_kek(device, peer)
        before = await self._keys.spent(device.dev_eui)
        answer = join if isinstance(frame, JoinRequest) else rejoin
        work = partial(
            answer.answer_as_join_server,
            frame,
            bytes(request.phy_payload),
            credentials=device.keys,
            version=device.mac_version,
            state=before.state,
            offered=offered,
        )
        agreed = await by_root_keys(device.dev_eui, device.keys, self._root_keys, work)
        if isinstance(agreed, Refused):
            raise _No(_CODES.get(agreed.refusal, ResultCode.OTHER), agreed.reason)
        session_key_id = device.dev_eui + agreed.join_nonce.to_bytes(3, "big")
        session = AgreedSession(
            session_key_id=session_key_id, app_s_key=agreed.keys.app_s_key, at=self._now()
        )
        try:
            await self._keys.spend(device, before, agreed.after, session)
        except StaleSession:
            reason = "another request of the device is being answered already"
            raise _No(ResultCode.FRAME_REPLAYED, reason) from None
        return JoinAns(
            **messages.heading(request),
            result=_success(),
            phy_payload=Hex(agreed.phy_payload),
            lifetime=FOR_EVER,
            **_envelopes(agreed, offered, _kek(peer)),
            app_s_key=sealed(agreed.keys.app_s_key, for_application),
            session_key_id=Hex(session_key_id),
        )

    async def _application_kek(self, device: JoinDevice, network: JoinPeer) -> Kek | None:
        """Looked for before anything is used up: without it nobody could have the key."""
        if not device.application:
            return _kek(network)
        application = await self._keys.application(device.application)
        kek = None if application is None else _kek(application)
        if kek is None:
            reason = f"application server {device.application} has no key-encryption key here"
            raise _No(ResultCode.OTHER, reason)
        return kek


def _frame(request: JoinReq) -> JoinRequest | RejoinRequest:
    """Of the type that the message says, and of its device."""
    wanted = JoinRequest if request.message_type == "JoinReq" else RejoinRequest
    try:
        frame = parse(bytes(request.phy_payload))
    except FrameError as error:
        raise _No(ResultCode.FRAME_SIZE_ERROR, f"PHYPayload: {error}") from None
    if not isinstance(frame, JoinRequest | RejoinRequest) or not isinstance(frame, wanted):
        raise _No(_malformed(request), f"PHYPayload: not a {wanted.__name__}")
    if frame.dev_eui != request.dev_eui:
        raise _No(_malformed(request), f"PHYPayload: of {frame.dev_eui}, not of DevEUI")
    return frame


def _offer(request: JoinReq, net_id: NetID) -> Offer:
    try:
        version = version_of(request.mac_version)
    except ValueError as error:
        raise _No(_malformed(request), f"MACVersion: {error}") from None
    if len(request.dl_settings) != 1:
        raise _No(_malformed(request), "DLSettings: not one octet")
    settings = request.dl_settings[0]
    if bool(settings & 0x80) != uses_nwk_key(version):
        raise _No(_malformed(request), f"DLSettings: OptNeg is not that of LoRaWAN {version}")
    cf_list = None if request.cf_list is None else bytes(request.cf_list)
    if cf_list is not None and len(cf_list) not in (0, CF_LIST_SIZE):
        raise _No(_malformed(request), f"CFList: {len(cf_list)} octets, not {CF_LIST_SIZE}")
    return Offer(
        mac_version=version,
        net_id=net_id,
        dev_addr=request.dev_addr,
        opt_neg=bool(settings & 0x80),
        rx1_dr_offset=settings >> 4 & 7,
        rx2_data_rate=settings & 0x0F,
        rx_delay=request.rx_delay,
        cf_list=cf_list or None,
    )


def _envelopes(agreed: Agreed, offered: Offer, kek: Kek | None) -> dict[str, Any]:
    """What the network is to have: never the root keys, nor what only join servers use."""
    keys: SessionKeys = agreed.keys
    wanted: dict[str, AES128Key] = {"nwk_s_key": keys.f_nwk_s_int_key}
    if offered.opt_neg:
        wanted = {
            "s_nwk_s_int_key": keys.s_nwk_s_int_key,
            "f_nwk_s_int_key": keys.f_nwk_s_int_key,
            "nwk_s_enc_key": keys.nwk_s_enc_key,
        }
    return {name: sealed(key, kek) for name, key in wanted.items()}


def _malformed(request: Request) -> ResultCode:
    named = messages.Named(protocol_version=request.protocol_version)
    return messages.malformed(named)


def _is_named(sender_id: str, peer: JoinPeer) -> bool:
    if peer.kind == "application":
        return sender_id == peer.identity
    return sender_id.removeprefix("0x").lower() == peer.identity


def _kek(peer: JoinPeer) -> Kek | None:
    return None if peer.kek is None else Kek(peer.kek_label, peer.kek)


def _success() -> Result:
    return Result(result_code=ResultCode.SUCCESS)
