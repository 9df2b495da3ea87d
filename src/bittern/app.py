"""The composition root: builds every part, joins them, runs them, and ends them in order.

Nothing else knows all the parts. Read `running` from top to bottom: what is entered first is left
last, so frames stop coming before what they need goes away.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from bittern import __version__
from bittern.api import whereabouts
from bittern.api.front import Caller, Front
from bittern.api.identity import Credentials
from bittern.api.operations import Endpoints, Services, handlers
from bittern.config import Configuration
from bittern.config.layout import Layout
from bittern.config.listening import is_loopback, plain_mqtt_host
from bittern.config.settings import Api, Delivery
from bittern.installation import authorities, only_server, opened_store, server_certificate
from bittern.lorawan.radio import TransmissionReport
from bittern.network.core import Network, NetworkSettings
from bittern.network.events import NetworkEvent
from bittern.network.gateways import Gateways
from bittern.network.ports import Clock
from bittern.network.randomness import BlockRandomness
from bittern.outputs.bounds import DispatchSettings
from bittern.outputs.broker.limits import broker_limits
from bittern.outputs.broker.server import BrokerFiles, EmbeddedBroker, OnFailed, TlsListener
from bittern.outputs.codecs.desk import CodecDesk
from bittern.outputs.codecs.workers import CodecWorkers
from bittern.outputs.dispatch import Dispatcher
from bittern.outputs.evaluation import Evaluator
from bittern.outputs.functions import Functions
from bittern.outputs.kinds import Surroundings
from bittern.outputs.mqtt.output import MqttOutput, mqtt_settings
from bittern.outputs.port import Health
from bittern.outputs.preparing import preparing
from bittern.outputs.retention import Limits, Retention
from bittern.outputs.routing import DestinationRouter
from bittern.pki.rotation import state_changed_at
from bittern.pki.tls import plain_listener, present
from bittern.servers.acceptor import Acceptor, AcceptorLimits
from bittern.servers.api import ApiShell, tell_fault
from bittern.servers.background import Background, task
from bittern.servers.changes import Follower, follow_changes
from bittern.servers.control import Control
from bittern.servers.cups import CupsServer
from bittern.servers.cups_desk import CupsDesk, Places
from bittern.servers.feed import Feed
from bittern.servers.firmware_desk import FirmwareDesk
from bittern.servers.firmware_images import FirmwareImages
from bittern.servers.gateway_status import StatusKeeper
from bittern.servers.http import HttpServer
from bittern.servers.lns import LnsServer
from bittern.servers.lns_hub import Traffic
from bittern.servers.loop_faults import tell_faults_of_ours
from bittern.servers.metrics import Figures, registry
from bittern.servers.notifier import Notifier
from bittern.servers.reachable import Reachability
from bittern.servers.transport import Identity, Transport
from bittern.store.protocol import Store
from bittern.store.records import DEFAULT_ACCOUNT, Change, GatewayCertificate
from bittern.store.vault import FileVault
from bittern.types import Instant

logger = logging.getLogger("bittern.app")

DAILY_S = 24 * 3600.0
HOURLY_S = 3600.0
MQTT_HANDSHAKES = 32
"""Under way at once at the embedded broker, half of them by one address."""
ROTATION_POLL_S = 2.0
"""How soon a step in the rotation of authorities takes effect."""


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Where a running server is reached."""

    lns: str
    cups: str
    api: str
    mqtt: str
    feed: str
    mqtts: str | None = None
    """The embedded broker's listener with TLS, if there is one."""


@asynccontextmanager
async def running(configuration: Configuration) -> AsyncIterator[Addresses]:
    """The whole server, from its first start on, inside this context."""
    asyncio.get_running_loop().set_exception_handler(tell_faults_of_ours)
    now, gateways = steady_utc(), Gateways()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        stack.enter_context(only_server(configuration))
        store = await enter(opened_store(configuration, now()))
        transport = _transport(configuration, now)
        mqtt: EmbeddedBroker | MqttOutput = _mqtt(configuration, transport, now)
        await enter(mqtt)
        surroundings = _surroundings(configuration, mqtt)
        retention = Retention(store, _kept(configuration.delivery), now)
        codecs, functions = await enter(_codecs(configuration, store, now))
        dispatcher = await enter(_dispatcher(store, surroundings, retention, functions, now))
        background = await enter(Background())
        network = Network(
            _network_settings(configuration),
            store=store,
            gateways=gateways,
            outbox=dispatcher,
            now=now,
            randomness=BlockRandomness(os.urandom),
            codecs=codecs,
        )
        await enter(task(network.intake.run(), "gather frames"))
        transport.trust_certificates(_pems(await store.foreign_certificates()))
        _keep_up_to_date(transport, background)
        status = StatusKeeper(store, now)
        lns = _lns(configuration, network, transport.listener(), status, background)
        lns.watch(status)
        notifier = Notifier(mqtt, now=now, randomness=random.SystemRandom(), chance=random.random)
        if configuration.mqtt.connection_events:
            lns.watch(notifier)
        await enter(task(notifier.run(), "publish notices"))
        stack.push_async_callback(status.finish)
        await enter(task(status.run(lns.counted), "keep the state of gateways"))
        gateways.join(lns)
        layout = Layout(configuration.data_dir)
        feed = await enter(Feed(network.journal, layout.feed_socket, version=__version__))
        await enter(lns)
        await enter(Control(layout.control_socket, directory=store, remote_of=lns.remote))
        images = await enter(FirmwareImages(configuration.firmware, layout.firmware, now=now))
        desk = CupsDesk(
            store,
            authorities=lambda: transport.authorities,
            certificates=configuration.certificates,
            places=_places(configuration, lns.address[1]),
            addresses=Reachability(),
            firmware=FirmwareDesk(store, images, now=now),
            now=now,
        )
        cups = await enter(_cups(configuration, network, transport.listener(), status, desk))
        endpoints = _endpoints(configuration, cups.address[1], lns.address[1])
        services = _services(configuration, store, transport, endpoints, now)
        api = _api(configuration, services, background)
        statistics = {
            "api": api.statistics,
            "intake": network.intake.statistics,
            "dispatch": dispatcher.statistics,
            "delivery": retention.statistics,
            "codecs": codecs.statistics,
            "mqtt": mqtt.statistics,
            "feed": feed.statistics,
            "cups": cups.statistics,
        }
        http = await enter(
            HttpServer(
                configuration.host_of(configuration.api),
                configuration.api.port,
                version=__version__,
                checks={
                    "store": lambda: _health(store),
                    "mqtt": lambda: _at_once(mqtt.health),
                    "delivery": lambda: _at_once(dispatcher.health),
                },
                metrics=registry(
                    _figures(network, lns, dispatcher, api, statistics), surroundings.metrics
                ),
                routes=api.routes(),
                context=_api_context(configuration, transport, background),
            )
        )
        followers = (
            network.follow,
            lns.follow,
            _deliveries_followed_by(dispatcher),
            _codecs_followed_by(codecs),
            _certificates_followed_by(transport, store, background),
        )

        async def start_over() -> None:
            await network.start_over()
            lns.reconsider_all()
            dispatcher.rules_changed()
            codecs.forget()

        await enter(task(follow_changes(store, followers, start_over), "follow changes"))
        await enter(task(network.run(), "downlinks in their time"))
        yield Addresses(
            lns=_url("wss", lns.address),
            cups=_url("https", cups.address),
            api=_url("https" if configuration.api.tls else "http", http.address),
            mqtt=_mqtt_url(configuration, mqtt),
            feed=str(layout.feed_socket),
            mqtts=_mqtts_url(configuration, mqtt),
        )


def _api(configuration: Configuration, services: Services, background: Background) -> ApiShell:
    """What programs manage the network by."""
    credentials = Credentials(services.store)

    def on_verified(caller: Caller, at: Instant) -> None:
        if credentials.is_use_due(caller.access_key_id, at):
            background.start(credentials.used(caller.access_key_id, at), "keep the use of a key")

    front = Front(
        {**whereabouts.handlers(_name_of(configuration)), **handlers(services)},
        credentials,
        region=configuration.api.region,
        on_fault=tell_fault,
        on_verified=on_verified,
    )
    return ApiShell(front, configuration.api, now=services.now, randomness=os.urandom)


def _services(
    configuration: Configuration,
    store: Store,
    transport: Transport,
    endpoints: Endpoints,
    now: Clock,
) -> Services:
    """What the operations of the API work with."""
    return Services(
        store=store,
        now=now,
        randomness=random.SystemRandom(),
        secret=FileVault.load(Layout(configuration.data_dir).data_key).derived("api tokens"),
        authority=transport.authorities.issuing,
        endpoints=endpoints,
    )


def _endpoints(configuration: Configuration, cups_port: int, lns_port: int) -> Endpoints:
    """Where programs are told that gateways connect to."""
    name, cups, lns = _name_of(configuration), configuration.cups, configuration.lns
    return Endpoints(
        cups_uri=cups.uri or f"https://{name}:{cups_port}",
        lns_uri=lns.uri or f"wss://{name}:{lns_port}",
    )


def _name_of(configuration: Configuration) -> str:
    """By which the server is reached, where nothing else is known."""
    return next(iter(configuration.server.names), "localhost")


def _api_context(
    configuration: Configuration, transport: Transport, background: Background
) -> ssl.SSLContext | None:
    api, host = configuration.api, configuration.host_of(configuration.api)
    if not api.tls:
        if not is_loopback(host):
            logger.warning("api listens without TLS at host=%s: set api.tls", host)
        return None
    if api.certificate is None:
        return transport.plain_listener()
    context = plain_listener(api.certificate, api.key)
    background.repeat(_presenting(context, api), HOURLY_S, "read the certificate of the api")
    return context


def _presenting(context: ssl.SSLContext, api: Api) -> Callable[[], Coroutine[None, None, None]]:
    """Certificates of the world outside are renewed every few weeks."""

    async def read_again() -> None:
        if api.certificate is not None:
            present(context, api.certificate, api.key)

    return read_again


def _mqtt(
    configuration: Configuration, transport: Transport, now: Clock
) -> EmbeddedBroker | MqttOutput:
    """The broker that messages are published to: the operator's own, or the embedded one."""
    if configuration.mqtt.url is not None:
        return MqttOutput(mqtt_settings(configuration.mqtt), random.random)
    layout = Layout(configuration.data_dir)
    wanted, plain = configuration.host_of(configuration.mqtt), plain_mqtt_host(configuration)
    if plain != wanted:
        logger.warning("mqtt listens without TLS at host=%s only, not at %s", plain, wanted)
    return EmbeddedBroker(
        host=plain,
        port=configuration.mqtt.port,
        tls=None if configuration.mqtt.tls_port is None else _mqtts(configuration, transport),
        limits=broker_limits(configuration.mqtt),
        files=BrokerFiles(
            password=layout.mqtt_password,
            users=layout.mqtt_users,
            sessions=layout.mqtt_sessions,
        ),
        sealer=FileVault.load(layout.data_key),
        now=now,
    )


def _surroundings(configuration: Configuration, mqtt: EmbeddedBroker | MqttOutput) -> Surroundings:
    """What the actions of rules are made of."""
    return Surroundings(
        configuration=configuration,
        data_dir=configuration.data_dir,
        broker=mqtt,
        chance=random.random,
    )


@asynccontextmanager
async def _codecs(
    configuration: Configuration, store: Store, now: Clock
) -> AsyncIterator[tuple[CodecDesk, Functions]]:
    """What payloads mean, and what rules ask: ready before the first device that needs it."""
    async with CodecWorkers() as workers:
        if await store.codecs(DEFAULT_ACCOUNT):
            workers.start()
        desk = CodecDesk(store, workers, clock=time.monotonic)
        endpoints = configuration.functions
        async with Functions(desk, endpoints, account=DEFAULT_ACCOUNT, now=now) as functions:
            yield desk, functions


def _dispatcher(
    store: Store,
    surroundings: Surroundings,
    retention: Retention,
    functions: Functions,
    now: Clock,
) -> Dispatcher:
    """What carries messages to destinations and actions."""
    delivery = surroundings.configuration.delivery
    return Dispatcher(
        store,
        DestinationRouter(store, surroundings.broker, store, preparing(surroundings)),
        now=now,
        chance=random.random,
        evaluator=Evaluator(now=now, random_bytes=os.urandom, resolver=functions),
        retention=retention,
        settings=DispatchSettings(give_up_s=delivery.give_up_hours * 3600),
    )


def _mqtts(configuration: Configuration, transport: Transport) -> TlsListener:
    """The broker's listener with TLS, with the same care for handshakes as that of gateways."""
    mqtt, context = configuration.mqtt, transport.client_listener()

    def listener(make: Callable[[], asyncio.BaseProtocol], on_failed: OnFailed) -> Acceptor:
        limits = AcceptorLimits(
            handshake_timeout_s=mqtt.login_timeout_s,
            handshakes=MQTT_HANDSHAKES,
            handshakes_by_address=MQTT_HANDSHAKES // 2,
            waiting=mqtt.connections,
        )
        return Acceptor(
            make,
            context,
            host=configuration.host_of(mqtt),
            port=mqtt.tls_port or 0,
            limits=limits,
            on_failed=on_failed,
        )

    return listener


def _mqtt_url(configuration: Configuration, mqtt: EmbeddedBroker | MqttOutput) -> str:
    if isinstance(mqtt, EmbeddedBroker):
        return _url("mqtt", (plain_mqtt_host(configuration), mqtt.port))
    return str(configuration.mqtt.url)


def _mqtts_url(configuration: Configuration, mqtt: EmbeddedBroker | MqttOutput) -> str | None:
    if not isinstance(mqtt, EmbeddedBroker) or mqtt.tls_port is None:
        return None
    return _url("mqtts", (configuration.host_of(configuration.mqtt), mqtt.tls_port))


def _network_settings(configuration: Configuration) -> NetworkSettings:
    return NetworkSettings(
        net_id=configuration.network.net_id,
        deduplication_window_s=configuration.network.deduplication_window_ms / 1000,
    )


def _transport(configuration: Configuration, now: Clock) -> Transport:
    """What all listeners for gateways show and trust."""

    def opened() -> Identity:
        signed_by = authorities(configuration, now())
        return Identity(signed_by, server_certificate(configuration, signed_by, now()))

    folder = Layout(configuration.data_dir).pki
    return Transport(opened, lambda: state_changed_at(folder))


def _keep_up_to_date(transport: Transport, background: Background) -> None:
    background.repeat(_renewing(transport), DAILY_S, "renew certificate")
    background.repeat(_following(transport), ROTATION_POLL_S, "follow authorities")


def _renewing(transport: Transport) -> Callable[[], Coroutine[None, None, None]]:
    async def renew() -> None:
        transport.renew()

    return renew


def _following(transport: Transport) -> Callable[[], Coroutine[None, None, None]]:
    async def follow() -> None:
        transport.follow_rotation()

    return follow


def _pems(certificates: Sequence[GatewayCertificate]) -> list[tuple[str, str]]:
    return [(one.fingerprint, one.pem) for one in certificates]


def _lns(
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


def _cups(
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


def _places(configuration: Configuration, lns_port: int) -> Places:
    """Where CUPS sends gateways: what is configured. By a name that nobody has chosen, gateways
    elsewhere would not find the server."""
    name = next(iter(configuration.server.names), None)
    lns, cups = configuration.lns, configuration.cups
    return Places(
        cups_uri=cups.uri or (f"https://{name}:{cups.port}" if name and cups.port else ""),
        lns_uri=lns.uri or (f"wss://{name}:{lns_port}" if name else ""),
        lns_port=lns_port,
    )


# Time


def steady_utc() -> Clock:
    """UTC that never jumps while frames wait for their windows: read once, then counted on."""
    offset = time.time() - time.monotonic()
    return lambda: Instant(offset + time.monotonic())


# Who follows the registry


def _deliveries_followed_by(dispatcher: Dispatcher) -> Follower:
    def follow(changes: list[Change]) -> None:
        kinds = {change.kind for change in changes}
        if "rule" in kinds:
            dispatcher.rules_changed()
        elif "destination" in kinds:
            dispatcher.destinations_changed()
        for lane in {change.identity for change in changes if change.kind == "replay"}:
            dispatcher.replayed(lane)

    return follow


def _codecs_followed_by(codecs: CodecDesk) -> Follower:
    def follow(changes: list[Change]) -> None:
        if any(change.kind == "codec" for change in changes):
            codecs.forget()

    return follow


def _certificates_followed_by(
    transport: Transport, store: Store, background: Background
) -> Follower:
    """Certificates of outside authorities get past the handshake as soon as they are registered."""

    async def trust() -> None:
        transport.trust_certificates(_pems(await store.foreign_certificates()))

    def follow(changes: list[Change]) -> None:
        if any(change.kind == "certificate" for change in changes):
            background.start(trust(), "trust certificates")

    return follow


# What the server says of itself


def _kept(delivery: Delivery) -> Limits:
    """What of deliveries may stay how long."""
    return Limits(
        dead_letter_s=delivery.dead_letter_days * 24 * 3600,
        dead_letter_bytes=delivery.dead_letter_mib << 20,
        budget_bytes=delivery.disk_budget_mib << 20,
    )


def _figures(
    network: Network,
    lns: LnsServer,
    dispatcher: Dispatcher,
    api: ApiShell,
    statistics: Mapping[str, Callable[[], Mapping[str, float]]],
) -> Figures:
    def front_end() -> Mapping[str, float]:
        figures = msgspec.structs.asdict(lns.statistics())
        return {name: value for name, value in figures.items() if name != "refusals"}

    def front_end_refusals() -> Mapping[str, int]:
        return {str(refusal): count for refusal, count in lns.statistics().refusals.items()}

    return Figures(
        version=__version__,
        statistics={"lns": front_end, **statistics},
        tallies=[
            ("events", "event", lambda: network.journal.events),
            ("refusals", "refusal", lambda: network.journal.refusals),
            ("mac_problems", "problem", lambda: network.journal.mac_problems),
            # With those that are counted but not told one by one.
            ("lns_refusals", "refusal", front_end_refusals),
            ("api_refused", "error", lambda: api.refused),
            ("lane_delivered", "lane", lambda: _of_lanes(dispatcher, "delivered")),
            ("lane_failed", "lane", lambda: _of_lanes(dispatcher, "failed")),
            ("lane_retried", "lane", lambda: _of_lanes(dispatcher, "retried")),
        ],
        levels=[
            ("lane_in_memory", "lane", lambda: _of_lanes(dispatcher, "in_memory")),
            ("lane_available", "lane", lambda: _of_lanes(dispatcher, "available")),
        ],
    )


def _of_lanes(dispatcher: Dispatcher, name: str) -> dict[str, int]:
    """One of `LaneStatistics`, by lane."""
    return {lane: int(getattr(one, name)) for lane, one in dispatcher.lanes().items()}


def _url(scheme: str, address: tuple[str, int]) -> str:
    host, port = address
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


async def _health(store: Store) -> Health:
    return Health(True, f"{await store.owed_count()} messages owed")


async def _at_once(health: Callable[[], Health]) -> Health:
    return health()
