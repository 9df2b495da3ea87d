from __future__ import annotations

import logging
import ssl
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from bittern.api.operations import Endpoints
from bittern.app.gateways import transport_of
from bittern.app.management import api_of, endpoints_of, http_context_of, services_of
from bittern.config import Api, Configuration, Cups, Lns, Server
from bittern.config.layout import Layout
from bittern.keys.ring import KeyRing
from bittern.pki import rotation
from bittern.pki.identity import server_identity
from bittern.servers.background import Background
from bittern.store.event_settings import INITIAL
from bittern.testing.examples import NOW
from bittern.testing.memory_store import MemoryStore

VAULT = KeyRing({1: bytes(32)})
ENDPOINTS = Endpoints("https://cups.example:1", "wss://lns.example:2")


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        (Configuration(), Endpoints("https://localhost:8443", "wss://localhost:8887", "b")),
        (
            Configuration(server=Server(names=("a.example",)), cups=Cups(port=0), lns=Lns(port=0)),
            Endpoints("https://a.example:1", "wss://a.example:2", "b"),
        ),
        (
            Configuration(cups=Cups(uri="https://c.example:3"), lns=Lns(uri="wss://l.example:4")),
            Endpoints("https://c.example:3", "wss://l.example:4", "b"),
        ),
    ],
)
def test_programs_are_told_where_gateways_connect_to(
    configuration: Configuration, expected: Endpoints
) -> None:
    assert endpoints_of(configuration, 1, 2, "b") == expected


async def test_the_api_signs_by_the_authority_of_the_moment(configuration: Configuration) -> None:
    transport = transport_of(configuration, VAULT, lambda: NOW)
    vault = KeyRing({1: bytes(32)})
    services = services_of(MemoryStore(), vault, transport, ENDPOINTS, INITIAL, now=lambda: NOW)
    first = services.authority()
    rotation.introduce(Layout(configuration.data_dir).pki, NOW, VAULT)
    transport.follow_rotation()
    assert services.authority().fingerprint != first.fingerprint
    assert services.authority() is transport.authorities.issuing


async def test_page_tokens_of_all_processes_have_one_secret(configuration: Configuration) -> None:
    transport = transport_of(configuration, VAULT, lambda: NOW)
    made = [
        services_of(
            MemoryStore(), KeyRing({1: key}), transport, ENDPOINTS, INITIAL, now=lambda: NOW
        ).secret
        for key in (bytes(32), bytes(32), bytes(31) + b"1")
    ]
    assert made[0] == made[1] != made[2]


async def test_the_api_answers_on_its_routes(configuration: Configuration) -> None:
    transport = transport_of(configuration, VAULT, lambda: NOW)
    vault = KeyRing({1: bytes(32)})
    services = services_of(MemoryStore(), vault, transport, ENDPOINTS, INITIAL, now=lambda: NOW)
    async with Background() as background:
        api = api_of(configuration, replace(services), background)
    assert list(api.routes())


@pytest.mark.parametrize(("host", "told"), [("127.0.0.1", False), ("192.0.2.1", True)])
async def test_an_api_without_tls_on_a_network_is_warned_of(
    configuration: Configuration, caplog: pytest.LogCaptureFixture, host: str, told: bool
) -> None:
    configured = msgspec.structs.replace(configuration, api=Api(host=host))
    transport = transport_of(configured, VAULT, lambda: NOW)
    with caplog.at_level(logging.WARNING):
        async with Background() as background:
            assert http_context_of(configured, transport, background) is None
    assert ("set api.tls" in caplog.text) is told


async def test_the_api_shows_the_servers_certificate_or_its_own(
    configuration: Configuration, tmp_path: Path
) -> None:
    transport = transport_of(configuration, VAULT, lambda: NOW)
    identity = server_identity(tmp_path / "own", transport.authorities.issuing, ["a"], NOW)
    for api in (Api(tls=True), Api(tls=True, certificate=identity, key=identity)):
        configured = msgspec.structs.replace(configuration, api=api)
        async with Background() as background:
            context = http_context_of(configured, transport, background)
        assert context is not None
        assert context.verify_mode is ssl.CERT_NONE
