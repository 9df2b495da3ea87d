"""The websocket protocol of picows, for connections that an `Acceptor` has let in.

picows offers it only together with a listening server of its own, which accepts everybody at once
and keeps failed handshakes to itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from picows import WSAutoPingStrategy, WSListener, WSUpgradeRequest
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # not in its stubs

Route = Callable[[WSUpgradeRequest], WSListener | None]
READ_BUFFER_BYTES = 4096
"""At first, for each connection; it grows with what a gateway sends."""


def websocket_protocol(
    route: Route, logger: logging.Logger, *, handshake_timeout_s: float, max_frame_bytes: int
) -> Callable[[], asyncio.BaseProtocol]:
    """Makes the protocol of one connection; ``route`` finds its listener, None: 404.

    Pings are answered; sending them is the listener's.
    """

    def made() -> asyncio.BaseProtocol:
        protocol: asyncio.BaseProtocol = WSProtocol(
            None,  # host and port, and the path: of clients
            None,
            False,
            route,
            logger,
            True,  # a listener's exception ends the connection
            handshake_timeout_s,
            False,  # pings
            0,
            0,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            True,  # pongs
            max_frame_bytes,
            None,  # headers of clients
            READ_BUFFER_BYTES,
        )
        return protocol

    return made
