"""What a station does with its four ``cups`` files: it asks, and keeps what it is given."""

from __future__ import annotations

import asyncio
import json
import ssl
import urllib.request
from pathlib import Path

from bittern.gateway import cups, cups_credentials
from bittern.gateway.eui_text import format_id6
from bittern.types import GatewayEUI


async def visit_cups(home: Path, gateway_eui: GatewayEUI) -> None:
    """The first time: ``tc.uri tc.trust tc.crt tc.key`` are in ``home`` afterwards."""
    answer, image = cups.read_answer(await asyncio.to_thread(_ask, home, gateway_eui))
    assert image == b""
    given = cups_credentials.split(answer.lns_credentials)
    (home / "tc.uri").write_text(answer.lns_uri)
    for name, content in zip(("trust", "crt", "key"), given, strict=True):
        (home / f"tc.{name}").write_bytes(content)


def _ask(home: Path, gateway_eui: GatewayEUI) -> bytes:
    context = ssl.create_default_context(cafile=str(home / "cups.trust"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # as of mbedTLS 2.28
    context.load_cert_chain(home / "cups.crt", home / "cups.key")
    has = {
        "router": format_id6(gateway_eui),
        "cupsUri": (home / "cups.uri").read_text(),
        "cupsCredCrc": cups_credentials.crc(
            *((home / f"cups.{part}").read_bytes() for part in ("trust", "crt", "key"))
        ),
        "tcUri": "",
        "tcCredCrc": cups_credentials.EMPTY_CRC,
        "station": "2.0.6(linux/std) 2022-03-16 09:38:55",
        "model": "linux",
        "package": "1.0.0",
        "keys": [],
    }
    request = urllib.request.Request(
        f"{has['cupsUri']}{cups.PATH}", json.dumps(has).encode(), method="POST"
    )
    with urllib.request.urlopen(request, context=context, timeout=30) as response:
        answer: bytes = response.read()
    return answer
