"""Answers of services, bounded: none is longer, or takes longer, than an answer may."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies
from urllib3.exceptions import HTTPError

from bittern.config import Aws

ANSWER_BYTES = 4 * 1024 * 1024
"""The longest answer: that of a batch of 500 records has some 100 KB."""
PIECE_BYTES = 64 * 1024


SOCKET_OPTIONS = [
    # Head and body are two writes: without this the second waits for the first's acknowledgement.
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
]


class AnswerTooLong(HTTPClientError):  # type: ignore[misc]
    """An answer without end is no answer."""

    fmt = "the answer is longer than {limit} bytes"


class AnswerTooSlow(HTTPClientError):  # type: ignore[misc]
    """Each piece may come in time, and the whole not."""

    fmt = "the answer took longer than {limit:g} s"


class Body(io.BytesIO):
    """What is left of an answer's stream when it has been read."""

    def stream(self, size: int = PIECE_BYTES) -> Iterator[bytes]:
        while piece := self.read(size):
            yield piece


class BoundedTransport:
    """Sends requests as botocore itself does, by a pool of connections."""

    def __init__(
        self, session: Any, limit_s: float, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._session = session
        self._limit_s = limit_s
        self._now = now

    def __call__(self, request: Any, **_: object) -> AWSResponse:
        """What botocore's event ``before-send`` wants."""
        request.stream_output = True
        until = self._now() + self._limit_s
        answer = self._session.send(request)
        body = Body()
        try:
            for piece in answer.raw.stream(PIECE_BYTES):
                if body.tell() + len(piece) > ANSWER_BYTES:
                    raise AnswerTooLong(limit=ANSWER_BYTES)
                if self._now() > until:
                    raise AnswerTooSlow(limit=self._limit_s)
                body.write(piece)
        except (HTTPError, HTTPClientError) as error:
            answer.raw.close()
            if isinstance(error, HTTPClientError):
                raise
            raise HTTPClientError(error=error) from None
        body.seek(0)
        return AWSResponse(answer.url, answer.status_code, answer.headers, body)


def limit_answers(client: Any, settings: Aws, ca_bundle: str | None) -> None:
    """Make `client` send by a `BoundedTransport`, until it is closed.

    Certificates are always verified.
    """
    session = URLLib3Session(
        verify=str(settings.ca) if settings.ca else ca_bundle or True,
        proxies=get_environ_proxies(client.meta.endpoint_url),
        timeout=(settings.connect_timeout_s, settings.read_timeout_s),
        max_pool_connections=settings.calls,
        socket_options=SOCKET_OPTIONS,
    )
    close = client.close

    def close_both() -> None:
        session.close()
        close()

    client.close = close_both
    limit_s = settings.connect_timeout_s + settings.read_timeout_s
    client.meta.events.register("before-send", BoundedTransport(session, limit_s))
