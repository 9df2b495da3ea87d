"""Both front ends for gateways as somebody outside finds them, with ``openssl s_client``.

That the server is who refuses, and why, is seen by what it counts and logs: a client that gives up
by itself does not get that far.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from bittern.config import Configuration
from bittern.installation import authorities, opened_store
from bittern.pki.authority import Authority, open_authority
from bittern.pki.issuing import Issued, issue_gateway_certificate
from bittern.store.records import GatewayCertificate
from bittern.types import EUI64, GatewayEUI, Instant

OPENSSL = shutil.which("openssl")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(OPENSSL is None, reason="there is no openssl"),
]

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
OUTSIDER = GatewayEUI(EUI64.from_hex("0016c001ff000002"))
PLACES = ("lns", "cups")
REQUEST = b"GET / HTTP/1.0\r\n\r\n"
TIMEOUT_S = 2
NAMELESS = {"lns": "tc", "cups": "cups"}


@dataclass
class Server:
    """`bittern serve` with one gateway registered, whose files for both places are there."""

    folder: Path
    environment: dict[str, str]
    ports: dict[str, int]
    api: str

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def failed_handshakes(self, place: str) -> int:
        with urllib.request.urlopen(f"{self.api}/metrics") as answer:
            text = answer.read().decode()
        found = re.search(rf"^bittern_{place}_failed_handshakes\S* (\S+)$", text, re.M)
        assert found, text
        return int(float(found[1]))

    @contextlib.contextmanager
    def refusing(self, place: str, reason: str) -> Iterator[None]:
        """The server fails one handshake meanwhile. The same reason is not told each time."""
        before = self.failed_handshakes(place)
        yield
        deadline = time.monotonic() + 10
        while (failed := self.failed_handshakes(place)) == before:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert failed == before + 1
        assert reason in self.log()

    @property
    def home(self) -> Path:
        return self.folder / "files"

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    def bittern(self, *arguments: str | Path) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "bittern", *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def own(self, place: str) -> list[str]:
        """The gateway's own certificate for that place, as options of s_client."""
        stem = str(self.home / NAMELESS[place])
        return ["-cert", f"{stem}.crt", "-key", f"{stem}.key"]

    def shown(self, issued: Issued, name: str) -> list[str]:
        """Another certificate, likewise."""
        (self.folder / f"{name}.crt").write_bytes(issued.certificate_pem)
        (self.folder / f"{name}.key").write_bytes(issued.private_key_pem())
        return [
            *("-cert", str(self.folder / f"{name}.crt")),
            *("-key", str(self.folder / f"{name}.key")),
        ]

    def connect(self, place: str, *options: str) -> str:
        """What s_client tells of the handshake, and of the answer to a request behind it."""
        done = subprocess.run(
            [
                *(str(OPENSSL), "s_client", "-connect", f"127.0.0.1:{self.ports[place]}"),
                *("-servername", "localhost", "-verify_hostname", "localhost"),
                *("-CAfile", str(self.home / f"{NAMELESS[place]}.trust")),
                *("-verify_return_error", "-ign_eof", *options),
            ],
            input=REQUEST,
            capture_output=True,
            timeout=30,
            check=False,
        )
        return (done.stdout + done.stderr).decode(errors="replace")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("tls")
    own = {name: text for name, text in os.environ.items() if not name.startswith("BITTERN_")}
    ports = {f"BITTERN_{name}__PORT": "0" for name in ("LNS", "CUPS", "MQTT", "API")}
    environment = own | ports | {"BITTERN_DATA_DIR": str(folder / "data")}
    environment["BITTERN_LNS__HANDSHAKE_TIMEOUT_S"] = str(TIMEOUT_S)
    environment["BITTERN_CUPS__REQUEST_TIMEOUT_S"] = str(TIMEOUT_S)
    with (folder / "log").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "bittern", "serve", "--json"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdout is not None
    try:
        ready = json.loads(process.stdout.readline())
        server = Server(
            folder,
            environment,
            {place: int(ready[place].rpartition(":")[2]) for place in PLACES},
            ready["api"],
        )
        uris = ("--uri", ready["lns"], "--cups-uri", ready["cups"])
        server.bittern("gateway", "add", str(EUI), "--files", server.home, *uris)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    log = (folder / "log").read_text()
    assert "Traceback" not in log, log[-4000:]


def was_accepted(told: str) -> bool:
    return "Verify return code: 0 (ok)" in told and "\nHTTP/1." in told


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# Versions and suites


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_todays_versions_are_spoken(server: Server, place: str, version: str) -> None:
    told = server.connect(place, f"-{version}", *server.own(place))
    assert was_accepted(told), told
    assert f"New, TLSv1.{version[-1]}, Cipher is " in told


@pytest.mark.parametrize("version", ["tls1", "tls1_1"])
def test_yesterdays_versions_are_refused(server: Server, place: str, version: str) -> None:
    with server.refusing(place, "unsupported protocol"):
        told = server.connect(
            place, f"-{version}", "-cipher", "ALL:@SECLEVEL=0", *server.own(place)
        )
    assert not was_accepted(told)


@pytest.mark.parametrize(
    "suite",
    [
        "AES128-SHA",  # no forward secrecy, CBC
        "AES128-GCM-SHA256",  # no forward secrecy
        "ECDHE-ECDSA-AES128-SHA",  # CBC
        "ECDHE-ECDSA-AES128-SHA256",
        "ECDHE-ECDSA-AES256-SHA384",
        "ECDHE-RSA-AES128-SHA",
        "DHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-NULL-SHA",
        "AECDH-AES128-SHA",  # no authentication
    ],
)
def test_weak_suites_are_refused(server: Server, place: str, suite: str) -> None:
    weak = f"{suite}:@SECLEVEL=0"
    with server.refusing(place, "no shared cipher"):
        told = server.connect(place, "-tls1_2", "-cipher", weak, *server.own(place))
    assert not was_accepted(told)


@pytest.mark.parametrize(
    "suite",
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
    ],
)
def test_suites_of_stations_are_spoken(server: Server, place: str, suite: str) -> None:
    told = server.connect(place, "-tls1_2", "-cipher", suite, *server.own(place))
    assert was_accepted(told), told
    assert f"Cipher is {suite}" in told


def test_renegotiation_is_refused(server: Server, place: str) -> None:
    """Each would cost the server a handshake, and the client nothing."""
    done = subprocess.run(
        [
            *(str(OPENSSL), "s_client", "-connect", f"127.0.0.1:{server.ports[place]}"),
            *("-tls1_2", *server.own(place)),
        ],
        input=b"R\n",
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert b"RENEGOTIATING" in done.stdout + done.stderr
    assert b"no renegotiation" in done.stdout + done.stderr


# Certificates


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_without_a_certificate_nobody_gets_in(server: Server, place: str, version: str) -> None:
    with server.refusing(place, "certificate_missing"):
        told = server.connect(place, f"-{version}")
    assert not was_accepted(told)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return open_authority(tmp_path_factory.mktemp("elsewhere"), Instant(time.time()))


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_a_certificate_of_a_foreign_authority_is_refused(
    server: Server, elsewhere: Authority, place: str, version: str
) -> None:
    issued = issue_gateway_certificate(elsewhere, EUI, Instant(time.time()))
    with server.refusing(place, "certificate_unknown"):
        told = server.connect(place, f"-{version}", *server.shown(issued, "foreign"))
    assert not was_accepted(told)


def test_a_registered_certificate_of_an_outside_authority_is_accepted(
    server: Server, elsewhere: Authority
) -> None:
    """And that one alone: its authority is not trusted with others."""
    now = Instant(time.time())
    issued = issue_gateway_certificate(elsewhere, OUTSIDER, now)
    shown = server.shown(issued, "outside")
    uris = (
        *("--uri", f"wss://localhost:{server.ports['lns']}"),
        *("--cups-uri", f"https://localhost:{server.ports['cups']}"),
    )
    server.bittern("gateway", "add", str(OUTSIDER), "--files", server.folder / "unused", *uris)
    certificate = ("gateway", "certificate", "register", str(OUTSIDER))
    server.bittern(*certificate, "--file", server.folder / "outside.crt")
    for where in PLACES:
        deadline = time.monotonic() + 20
        while not was_accepted(told := server.connect(where, *shown)):
            assert time.monotonic() < deadline, told
            time.sleep(0.2)
    assert "uri" in discovered(server, issued, OUTSIDER)
    another = issue_gateway_certificate(elsewhere, OUTSIDER, now)
    with server.refusing("lns", "certificate_unknown"):
        told = server.connect("lns", *server.shown(another, "another"))
    assert not was_accepted(told)


def test_an_expired_certificate_is_refused_by_name(server: Server) -> None:
    """Behind the handshake, where the gateway can be told."""
    now = Instant(time.time())
    authority = authorities(Configuration(data_dir=server.data_dir), now).issuing
    begun = Instant(now - 3600)
    expired = issue_gateway_certificate(authority, EUI, begun, lifetime=timedelta(minutes=30))
    asyncio.run(registered(server, expired, begun))
    assert was_accepted(server.connect("lns", *server.shown(expired, "expired")))
    answer = discovered(server, expired, EUI)
    assert str(answer["error"]).startswith("certificate_expired: certificate ")
    assert "uri" not in answer
    assert "certificate_expired" in server.log()


async def registered(server: Server, issued: Issued, now: Instant) -> None:
    async with opened_store(Configuration(data_dir=server.data_dir), now) as store:
        await store.add_certificate(
            GatewayCertificate(
                fingerprint=issued.certificate_id,
                gateway_eui=EUI,
                not_after=issued.not_after,
                created_at=now,
            )
        )


def discovered(server: Server, issued: Issued, gateway_eui: GatewayEUI) -> dict[str, object]:
    """The answer to discovery."""
    context = ssl.create_default_context(cafile=server.home / "tc.trust")
    file = server.folder / f"{issued.certificate_id}.pem"
    file.write_bytes(issued.certificate_pem + issued.private_key_pem())
    context.load_cert_chain(file)

    async def asking() -> dict[str, object]:
        uri = f"wss://localhost:{server.ports['lns']}/router-info"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(uri, ssl=context) as websocket,
        ):
            await websocket.send_str(json.dumps({"router": str(gateway_eui)}))
            answer = await websocket.receive_json(timeout=10)
            assert isinstance(answer, dict)
            return answer

    return asyncio.run(asking())


# Many at once


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_a_session_is_resumed(server: Server, place: str, version: str) -> None:
    kept = server.folder / f"{place}-{version}.session"
    first = server.connect(place, f"-{version}", "-sess_out", str(kept), *server.own(place))
    assert "New, TLSv1." in first
    again = server.connect(place, f"-{version}", "-sess_in", str(kept), *server.own(place))
    assert "Reused, TLSv1." in again, again
    assert "\nHTTP/1." in again


def test_connections_that_say_nothing_or_little_are_dropped_and_hold_up_nobody(
    server: Server, place: str
) -> None:
    address = ("127.0.0.1", server.ports[place])
    silent = [socket.create_connection(address) for _ in range(300)]
    half_said = [socket.create_connection(address) for _ in range(100)]
    try:
        for each in half_said:
            each.sendall(b"\x16\x03\x01\x02\x00\x01")  # the first bytes of a ClientHello
        began = time.monotonic()
        told = server.connect(place, "-tls1_2", *server.own(place))
        assert was_accepted(told)
        assert time.monotonic() - began < 3 * TIMEOUT_S
        for each in silent + half_said:
            each.settimeout(5 * TIMEOUT_S)
            with contextlib.suppress(ConnectionResetError):
                while each.recv(4096):
                    pass
    finally:
        for each in silent + half_said:
            each.close()


def test_who_says_nothing_behind_the_handshake_is_dropped(server: Server, place: str) -> None:
    stem = server.home / NAMELESS[place]
    context = ssl.create_default_context(cafile=stem.with_suffix(".trust"))
    context.load_cert_chain(stem.with_suffix(".crt"), stem.with_suffix(".key"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", server.ports[place])) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.sendall(b"POST /upd")
        connection.settimeout(5 * TIMEOUT_S)
        with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError):
            while connection.recv(4096):
                pass
