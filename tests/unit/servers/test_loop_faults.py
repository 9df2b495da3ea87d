"""What the loop reports is told, unless it was told already."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bittern.servers.loop_faults import tell_faults_of_ours


@pytest.mark.parametrize(
    "context",
    [
        {"message": "SSL handshake failed", "exception": ConnectionResetError()},
        {"message": "SSL handshake failed", "exception": ConnectionResetError},
    ],
)
async def test_a_peer_that_goes_during_its_handshake_is_not_told_twice(
    context: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    tell_faults_of_ours(asyncio.get_running_loop(), context)
    assert caplog.records == []


@pytest.mark.parametrize("fault", [ValueError("ours"), ValueError])
async def test_a_fault_of_ours_is_told_with_its_kind(
    fault: object, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        tell_faults_of_ours(
            asyncio.get_running_loop(), {"message": "callback failed", "exception": fault}
        )
    assert "ValueError" in caplog.text
