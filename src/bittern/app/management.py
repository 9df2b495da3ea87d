"""What operators and their programs meet: the API, and the HTTP listener that it answers on."""

from __future__ import annotations

import logging
import os
import random
import ssl

from bittern.api import whereabouts
from bittern.api.front import Caller, Front
from bittern.api.identity import Credentials
from bittern.api.operations import Endpoints, Notify, Services, handlers
from bittern.config import Configuration
from bittern.config.listening import is_loopback
from bittern.config.uris import cups_uri, lns_uri
from bittern.keys.ring import KeyRing
from bittern.network.allowance import Buckets
from bittern.network.ports import Clock
from bittern.outputs.clients import Clients
from bittern.pki.tls import plain_listener, present
from bittern.servers.api import ApiShell, tell_fault
from bittern.servers.api_limits import account_allowance
from bittern.servers.audit_desk import AuditDesk
from bittern.servers.background import Background
from bittern.servers.transport import Transport
from bittern.store.event_settings import EventDefaults
from bittern.store.protocol import Store
from bittern.types import Instant

logger = logging.getLogger("bittern.app")

QUIET = Notify()
"""Nobody is told."""

HOURLY_S = 3600.0


def api_of(
    configuration: Configuration,
    services: Services,
    background: Background,
    audit: AuditDesk | None = None,
) -> ApiShell:
    """What programs manage the network by."""
    credentials = Credentials(services.store)

    def on_verified(caller: Caller, at: Instant) -> None:
        if credentials.is_use_due(caller.access_key_id, at):
            background.start(credentials.used(caller.access_key_id, at), "keep the use of a key")

    allowed = Buckets[str](account_allowance(configuration.api.requests_per_second))

    def admits(caller: Caller, at: Instant) -> bool:
        return allowed.take(caller.account, at)

    front = Front(
        {**whereabouts.handlers(), **handlers(services)},
        credentials,
        region=configuration.api.region,
        on_fault=tell_fault,
        on_verified=on_verified,
        admits=admits,
        recorder=audit,
    )

    def on_failed(address: str, code: str) -> None:
        if audit is not None:
            audit.sign_in_failed("sign-in:api", "", address, code)

    return ApiShell(
        front, configuration.api, now=services.now, randomness=os.urandom, on_failed=on_failed
    )


def services_of(
    store: Store,
    vault: KeyRing,
    transport: Transport,
    endpoints: Endpoints,
    events: EventDefaults,
    *,
    now: Clock,
    notify: Notify = QUIET,
    broker: Clients | None = None,
) -> Services:
    """What the operations of the API work with."""
    return Services(
        store=store,
        now=now,
        randomness=random.SystemRandom(),
        secret=vault.derived("api tokens"),
        authority=lambda: transport.authorities.issuing,
        endpoints=endpoints,
        events=events,
        notify=notify,
        broker=broker,
    )


def endpoints_of(
    configuration: Configuration, cups_port: int, lns_port: int, mqtt: str
) -> Endpoints:
    """Where programs are told that gateways and MQTT clients connect to: the ports are those
    listened on."""
    return Endpoints(
        cups_uri=cups_uri(configuration, cups_port) or "",
        lns_uri=lns_uri(configuration, lns_port) or "",
        mqtt=mqtt,
    )


def http_context_of(
    configuration: Configuration, transport: Transport, background: Background
) -> ssl.SSLContext | None:
    """Of TLS, where the API speaks it; None where it does not."""
    api, host = configuration.api, configuration.host_of(configuration.api)
    if not api.tls:
        if not is_loopback(host):
            logger.warning("api listens without TLS at host=%s: set api.tls", host)
        return None
    if api.certificate is None:
        return transport.plain_listener()
    certificate, key = api.certificate, api.key
    context = plain_listener(certificate, key)

    def read_again() -> None:
        """Certificates of the world outside are renewed every few weeks."""
        present(context, certificate, key)

    background.repeat(read_again, HOURLY_S, "read the certificate of the api")
    return context
