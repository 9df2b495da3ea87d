from __future__ import annotations

import random
from unittest.mock import Mock

import msgspec
import pytest

from bittern.app.gateways import lns_of, places_of, transport_of, trust_registered
from bittern.config import Configuration, Cups, Lns, Server
from bittern.config.layout import Layout
from bittern.keys.ring import KeyRing
from bittern.network.core import Network, NetworkSettings
from bittern.network.gateways import Gateways
from bittern.pki import rotation
from bittern.pki.issuing import issue_gateway_certificate
from bittern.servers.background import Background
from bittern.servers.cups_desk import Places
from bittern.servers.gateway_status import StatusKeeper
from bittern.testing.examples import FOREIGN_CERTIFICATE, GATEWAY, GATEWAY_EUI, NOW
from bittern.testing.memory_store import MemoryStore
from bittern.types import NetID

NAMED = Server(names=("a.example", "b.example"))

VAULT = KeyRing({1: bytes(32)})


@pytest.mark.parametrize(
    ("configuration", "cups", "lns"),
    [
        (Configuration(), "", ""),
        (Configuration(server=NAMED), "https://a.example:8443", "wss://a.example:1234"),
        (Configuration(server=NAMED, cups=Cups(port=0)), "", "wss://a.example:1234"),
        (
            Configuration(cups=Cups(uri="https://c.example:1"), lns=Lns(uri="wss://l.example:2")),
            "https://c.example:1",
            "wss://l.example:2",
        ),
    ],
)
def test_cups_sends_gateways_to_a_name_that_somebody_has_chosen(
    configuration: Configuration, cups: str, lns: str
) -> None:
    free = msgspec.structs.replace(
        configuration, lns=msgspec.structs.replace(configuration.lns, port=0)
    )
    assert places_of(free, 1234) == Places(cups_uri=cups, lns_uri=lns, lns_port=1234)


def test_the_transport_follows_the_authorities_of_the_data_directory(
    configuration: Configuration,
) -> None:
    transport = transport_of(configuration, VAULT, lambda: NOW)
    first = transport.authorities.issuing
    assert not transport.follow_rotation()
    rotation.introduce(Layout(configuration.data_dir).pki, NOW, VAULT)
    assert transport.follow_rotation()
    assert transport.authorities.issuing.fingerprint != first.fingerprint


async def test_registered_certificates_of_others_are_trusted(configuration: Configuration) -> None:
    transport = transport_of(configuration, VAULT, lambda: NOW)
    listener = transport.listener()
    before = listener.cert_store_stats()["x509"]
    issued = issue_gateway_certificate(transport.authorities.issuing, GATEWAY_EUI, NOW)
    store = MemoryStore()
    await store.add_gateway(GATEWAY)
    await store.add_certificate(
        msgspec.structs.replace(FOREIGN_CERTIFICATE, pem=issued.certificate_pem.decode())
    )
    await trust_registered(transport, store)
    assert listener.cert_store_stats()["x509"] == before + 1


async def test_the_front_end_of_gateways_listens_where_it_is_configured(
    configuration: Configuration,
) -> None:
    transport = transport_of(configuration, VAULT, lambda: NOW)
    store = MemoryStore()
    network = Network(
        NetworkSettings(net_id=NetID(bytes(3)), deduplication_window_s=0.2),
        store=store,
        gateways=Gateways(),
        outbox=Mock(),
        now=lambda: NOW,
        randomness=random.Random(1),
    )
    status = StatusKeeper(store, lambda: NOW)
    async with Background() as background:
        lns = lns_of(configuration, network, transport.listener(), status, background)
        async with lns:
            assert lns.address[0] == "127.0.0.1"
            assert lns.statistics().connections == 0
