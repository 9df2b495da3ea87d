"""Discovery, the first of the two websocket endpoints of the LNS: where to connect, or why not."""

from __future__ import annotations

import asyncio
import re

from picows import WSCloseCode, WSFrame, WSMsgType, WSTransport

from bittern.errors import GatewayProtocolError
from bittern.gateway.admission import Refused
from bittern.gateway.discovery import accepting_answer, read_request, refusing_answer
from bittern.servers.lns_listener import Listener
from bittern.types import GatewayEUI, Refusal

_HOST = re.compile(r"[A-Za-z0-9.-]+:\d{1,5}|\[[0-9A-Fa-f:.]+\]:\d{1,5}")


class DiscoveryListener(Listener):
    """``/router-info``: one question and one answer, always: a station waits for it without end."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self._asked = False
        self._timer = asyncio.get_running_loop().call_later(
            self._hub.settings.handshake_timeout_s, self._on_silence
        )

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            self._on_close_frame(transport)
        elif frame.msg_type == WSMsgType.TEXT and not self._asked and not self._ending:
            self._asked = True
            question = frame.get_payload_as_bytes()
            self._hub.start(self._answer(transport, question), f"lns-discovery-{self._peer}")

    async def _answer(self, transport: WSTransport, question: bytes) -> None:
        self._hub.counters.discoveries += 1
        text = refusing_answer(None, "the server cannot answer now")
        try:
            text = await self._answer_to(transport, question)
        finally:
            if not transport.is_disconnected:
                transport.send(WSMsgType.TEXT, text)
                self._close(WSCloseCode.OK, "")

    async def _answer_to(self, transport: WSTransport, question: bytes) -> str:
        hub = self._hub
        try:
            gateway_eui = read_request(question)
        except GatewayProtocolError as error:
            return self._refused(error.refusal, error.reason, None)
        decision = await hub.admit(gateway_eui, self.fingerprint)
        if isinstance(decision, Refused):
            return self._refused(decision.refusal, decision.reason, gateway_eui)
        try:
            return accepting_answer(gateway_eui, self._server_uri(transport))
        except ValueError as error:
            return self._refused(Refusal.GATEWAY_MISCONFIGURED, str(error), gateway_eui)

    def _refused(self, refusal: Refusal, reason: str, gateway_eui: GatewayEUI | None) -> str:
        """The same name and reason to the gateway's log as to ours."""
        self._hub.refuse(refusal, reason, gateway_eui, self._peer)
        return refusing_answer(gateway_eui, f"{refusal}: {reason}")

    def _server_uri(self, transport: WSTransport) -> str:
        """As configured, else the name by which the station came: its certificate check has
        passed under that name."""
        if self._hub.settings.uri is not None:
            return self._hub.settings.uri.rstrip("/")
        scheme = "wss" if transport.is_secure else "ws"
        host = transport.request.headers.get("Host", "")
        if not _HOST.fullmatch(host):
            address, port = transport.underlying_transport.get_extra_info("sockname")[:2]
            host = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        return f"{scheme}://{host}"

    def _on_silence(self) -> None:
        self._close(WSCloseCode.POLICY_VIOLATION, "no discovery request in time")
