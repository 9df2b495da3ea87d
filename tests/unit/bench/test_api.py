from __future__ import annotations

import asyncio
import os

import msgspec
import pytest
from botocore.credentials import Credentials
from rich.console import Console

from bench.api import Calls, Listing, Report, Signer, calls, table

CALLS = Calls(
    operation="GetWirelessDevice",
    calls=10,
    per_second=900.0,
    per_cpu_second=2000.0,
    cpu_us=500.0,
    latency_ms_p50=1.0,
    latency_ms_p99=2.0,
)
LISTING = Listing(
    devices=100,
    pages=1,
    cpu_ms_first=1.0,
    cpu_ms_last=1.0,
    rss_before_mib=100.0,
    rss_after_mib=110.0,
)


def test_slow_calls_and_a_list_that_fills_the_memory_fail() -> None:
    assert Report(calls=[CALLS], listing=LISTING).passed
    slow = msgspec.structs.replace(CALLS, per_cpu_second=900.0)
    assert not Report(calls=[CALLS, slow], listing=LISTING).passed
    grown = msgspec.structs.replace(LISTING, rss_after_mib=300.0)
    assert not Report(calls=[CALLS], listing=grown).passed


def test_a_request_is_signed_for_where_it_goes() -> None:
    signer = Signer("http://127.0.0.1:8080", Credentials("AKIAEXAMPLE", "secret"))
    head, _, rest = signer.get("/wireless-devices", maxResults="2").decode().partition("\r\n")
    assert head == "GET /wireless-devices?maxResults=2 HTTP/1.1"
    assert "Host: 127.0.0.1:8080\r\n" in rest
    assert "Credential=AKIAEXAMPLE/" in rest
    assert rest.endswith("\r\n\r\n")
    assert "secret" not in rest


async def test_every_call_is_made_once() -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                asked.append(await reader.readuntil(b"\r\n\r\n"))
                status = b"404 Not Found" if b"gone" in asked[-1] else b"200 OK"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\n{}")
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    requests = [f"GET /{number} HTTP/1.1\r\n\r\n".encode() for number in range(20)]
    made = await calls("Get", os.getpid(), endpoint, [requests, requests])
    assert made.calls == len(asked) == 40
    assert set(asked) == set(requests)
    with pytest.raises(RuntimeError, match="404"):
        await calls("Get", os.getpid(), endpoint, [[b"GET /gone HTTP/1.1\r\n\r\n"]])
    server.close()
    await asyncio.sleep(0.05)  # those who answered see the end of their connections


def test_the_table_has_every_figure() -> None:
    console = Console(width=100, record=True)
    console.print(table(Report(calls=[CALLS], listing=LISTING)))
    text = console.export_text()
    assert "2,000" in text
    assert "100 / 110" in text
