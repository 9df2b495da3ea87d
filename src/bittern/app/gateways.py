"""What gateways meet: the certificates that are shown and trusted, the LNS, CUPS."""

from __future__ import annotations

import ssl

from bittern.config import Configuration
from bittern.config.layout import Layout
from bittern.config.uris import cups_uri, lns_uri
from bittern.installation import authorities, server_certificate
from bittern.keys.ring import Vault
from bittern.lorawan.radio import TransmissionReport
from bittern.network.core import Network
from bittern.network.events import NetworkEvent
from bittern.network.ports import Clock
from bittern.pki.rotation import state_changed_at
from bittern.servers.background import Background
from bittern.servers.cups import CupsServer
from bittern.servers.cups_desk import CupsDesk, Places
from bittern.servers.firmware_desk import FirmwareDesk
from bittern.servers.firmware_images import FirmwareImages
from bittern.servers.gateway_status import StatusKeeper
from bittern.servers.lns import LnsServer
from bittern.servers.lns_hub import Traffic
from bittern.servers.reachable import Reachability
from bittern.servers.transport import Identity, Transport
from bittern.store.ports.registry import Registry
from bittern.store.protocol import Store

DAILY_S = 24 * 3600.0
ROTATION_POLL_S = 2.0
"""How soon a step in the rotation of authorities takes effect."""


def transport_of(configuration: Configuration, vault: Vault, now: Clock) -> Transport:
    """What all listeners for gateways show and trust."""

    def opened() -> Identity:
        signed_by = authorities(configuration, now(), vault)
        return Identity(signed_by, server_certificate(configuration, signed_by, now(), vault))

    folder = Layout(configuration.data_dir).pki
    return Transport(opened, lambda: state_changed_at(folder))


def keep_up_to_date(transport: Transport, background: Background) -> None:
    background.repeat(transport.renew, DAILY_S, "renew certificate")
    background.repeat(transport.follow_rotation, ROTATION_POLL_S, "follow authorities")


async def trust_registered(transport: Transport, registry: Registry) -> None:
    """Certificates of outside authorities get past the handshake."""
    certificates = await registry.foreign_certificates()
    transport.trust_certificates((one.fingerprint, one.pem) for one in certificates)


def lns_of(
    configuration: Configuration,
    network: Network,
    context: ssl.SSLContext,
    status: StatusKeeper,
    background: Background,
) -> LnsServer:
    """The front end of the gateways."""

    def on_transmitted(report: TransmissionReport) -> None:
        name = f"downlink {report.downlink_id} transmitted"
        background.start(network.downlinks.transmitted(report), name)

    def record(event: NetworkEvent) -> None:
        network.record(event)
        status.record(event)

    return LnsServer(
        settings=configuration.lns,
        host=configuration.host_of(configuration.lns),
        context=context,
        directory=network.directory,
        traffic=Traffic(
            on_uplink=network.intake.receive,
            on_transmitted=on_transmitted,
            record=record,
        ),
        now=network.now,
    )


def cups_desk_of(
    configuration: Configuration,
    store: Store,
    transport: Transport,
    images: FirmwareImages,
    *,
    lns_port: int,
    now: Clock,
) -> CupsDesk:
    """What decides about the gateways that ask CUPS."""
    return CupsDesk(
        store,
        authorities=lambda: transport.authorities,
        certificates=configuration.certificates,
        places=places_of(configuration, lns_port),
        addresses=Reachability(),
        firmware=FirmwareDesk(store, images, now=now),
        now=now,
    )


def cups_of(
    configuration: Configuration,
    network: Network,
    context: ssl.SSLContext,
    status: StatusKeeper,
    desk: CupsDesk,
) -> CupsServer:
    """Where gateways get their credentials, addresses and firmware."""

    def record(event: NetworkEvent) -> None:
        network.record(event)
        status.record(event, "cups")

    return CupsServer(
        settings=configuration.cups,
        host=configuration.host_of(configuration.cups),
        context=context,
        directory=network.directory,
        desk=desk,
        record=record,
        now=network.now,
    )


def places_of(configuration: Configuration, lns_port: int) -> Places:
    """Where CUPS sends gateways: what is configured. By a name that nobody has chosen, gateways
    elsewhere would not find the server."""
    named = bool(configuration.server.names)
    return Places(
        cups_uri=(cups_uri(configuration) if named else configuration.cups.uri) or "",
        lns_uri=(lns_uri(configuration, lns_port) if named else configuration.lns.uri) or "",
        lns_port=lns_port,
    )
