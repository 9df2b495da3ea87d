"""One websocket of a gateway, whatever is said over it: how it begins, and how it ends in order."""

from __future__ import annotations

import asyncio

from picows import WSCloseCode, WSListener, WSTransport

from bittern.servers.lns_hub import LnsHub
from bittern.servers.tls import peer_address, peer_fingerprint
from bittern.types import Refusal

LINGER_S = 2.0
"""How long the other end may take to answer our close before the connection is cut."""


class Listener(WSListener):
    """What both endpoints have: one end, in order."""

    def __init__(self, hub: LnsHub) -> None:
        self._hub = hub
        self._transport: WSTransport | None = None
        self._peer = ""
        self._timer: asyncio.TimerHandle | None = None
        self._ending = False
        self.fingerprint: str | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._peer = peer_address(transport.underlying_transport)
        self.fingerprint = peer_fingerprint(transport.underlying_transport)
        self._hub.opened(self)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._ending = True
        self._cancel_timer()
        self._transport = None
        self._hub.closed(self)

    def end(self, reason: str, refusal: Refusal | None = None) -> None:
        """Close the connection; the reason is told to the other end."""
        self._close(WSCloseCode.POLICY_VIOLATION if refusal else WSCloseCode.GOING_AWAY, reason)

    def _close(self, code: WSCloseCode, reason: str) -> None:
        """Say why, let what was sent before arrive, then cut."""
        transport = self._transport
        if self._ending or transport is None:
            return
        self._ending = True
        self._cancel_timer()
        transport.send_close(code, reason.encode()[:123].decode(errors="ignore"))
        self._timer = asyncio.get_running_loop().call_later(LINGER_S, transport.disconnect, False)

    def _on_close_frame(self, transport: WSTransport) -> None:
        self._ending = True
        if not transport.is_close_frame_sent:
            transport.send_close(WSCloseCode.OK)
        transport.disconnect()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
