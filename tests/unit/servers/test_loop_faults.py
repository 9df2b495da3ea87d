"""What the loop reports is told, unless it was told already."""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import Any

import pytest

from bittern.servers.loop_faults import tell_faults_of_ours


@pytest.mark.parametrize(
    "context",
    [
        {"message": "SSL handshake failed", "exception": ConnectionResetError()},
        {"message": "SSL handshake failed", "exception": ConnectionResetError},
        {"message": "error in a callback", "exception": ConnectionResetError},
        {"message": "SSL Handshake failed", "exception": ssl.SSLError(1, "no shared cipher")},
        {"message": "SSL handshake failed", "exception": TimeoutError},
    ],
)
async def test_a_peer_that_goes_during_its_handshake_is_not_told_twice(
    context: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    tell_faults_of_ours(loop)
    loop.call_exception_handler(context)
    assert caplog.records == []


@pytest.mark.parametrize(
    ("message", "fault", "told"),
    [
        ("callback failed", ValueError("ours"), "ValueError"),
        ("callback failed", ValueError, "ValueError"),
        ("SSL handshake failed", ValueError("ours"), "ValueError"),
        ("callback failed", ConnectionResetError("of a broker"), "of a broker"),
        ("a task was destroyed", None, "a task was destroyed"),
    ],
)
async def test_a_fault_of_ours_is_told_with_its_kind(
    message: str, fault: object, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    tell_faults_of_ours(loop)
    with caplog.at_level(logging.ERROR):
        loop.call_exception_handler({"message": message, "exception": fault})
    assert told in caplog.text


async def test_what_is_ours_goes_to_whom_it_went_to_before() -> None:
    loop, told = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: told.append(repr(context["exception"])))
    for _ in range(2):
        tell_faults_of_ours(loop)
    loop.call_exception_handler({"message": "ours", "exception": ValueError("x")})
    loop.call_exception_handler({"message": "a class", "exception": KeyError})
    loop.call_exception_handler({"message": "theirs", "exception": ConnectionResetError})
    assert told == ["ValueError('x')", "KeyError()"]
