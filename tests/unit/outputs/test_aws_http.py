from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import HTTPClientError
from urllib3.exceptions import ProtocolError

from bittern.config import Aws
from bittern.outputs import aws_http
from bittern.outputs.aws import connect
from bittern.outputs.aws_http import AnswerTooLong, AnswerTooSlow, BoundedTransport


class Raw:
    def __init__(self, pieces: list[bytes | Exception]) -> None:
        self._pieces = pieces
        self.closed = False

    def stream(self, size: int) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def close(self) -> None:
        self.closed = True


class Answer:
    url, status_code = "http://service", 200
    headers = {"x": "y"}  # noqa: RUF012

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.raw = Raw(list(pieces))


class Session:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def send(self, request: Any) -> Answer:
        assert request.stream_output
        return self._answer


def request() -> Any:
    return AWSRequest("GET", "http://service").prepare()


def transport(answer: Answer, *times: float) -> BoundedTransport:
    clock = iter(times)
    return BoundedTransport(Session(answer), 10, now=lambda: next(clock, 0.0))


def test_an_answer_comes_whole() -> None:
    answer = transport(Answer(b"one ", b"two"))(request())
    assert (answer.status_code, answer.content, answer.headers) == (200, b"one two", {"x": "y"})


def test_an_answer_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_http, "ANSWER_BYTES", 5)
    endless = Answer(b"one ", b"two")
    with pytest.raises(AnswerTooLong, match="longer than 5 bytes"):
        transport(endless)(request())
    assert endless.raw.closed


def test_an_answer_that_trickles_is_cut() -> None:
    slow = Answer(b"one ", b"two")
    with pytest.raises(AnswerTooSlow, match="longer than 10 s"):
        transport(slow, 0.0, 5.0, 11.0)(request())
    assert slow.raw.closed


def test_a_connection_that_ends_in_the_middle_is_an_error_of_botocore() -> None:
    with pytest.raises(HTTPClientError, match="reset"):
        transport(Answer(b"one ", ProtocolError("reset")))(request())


def test_clients_send_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    sent: list[str] = []

    class Recording:
        def __init__(self, **options: Any) -> None:
            assert options["verify"] is True
            assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) in options["socket_options"]

        def send(self, request: Any) -> Answer:
            sent.append(request.url)
            return Answer(b"{}")

        def close(self) -> None:
            sent.append("closed")

    monkeypatch.setattr(aws_http, "URLLib3Session", Recording)
    client = connect("sqs", Aws(endpoint_url="http://127.0.0.1:9"), None)
    client.list_queues()
    client.close()
    assert sent == ["http://127.0.0.1:9/", "closed"]
