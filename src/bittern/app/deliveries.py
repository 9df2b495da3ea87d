"""What carries messages away: brokers, codecs, the dispatcher, and how long they are kept."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from bittern.config import Configuration
from bittern.config.layout import Layout
from bittern.config.listening import plain_mqtt_host
from bittern.config.settings import Delivery
from bittern.keys.ring import KeyRing
from bittern.network.ports import Clock
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
from bittern.outputs.preparing import preparing
from bittern.outputs.retention import Limits, Retention
from bittern.outputs.routing import DestinationRouter
from bittern.servers.acceptor import Acceptor, AcceptorLimits
from bittern.servers.audit_desk import AuditDesk
from bittern.servers.transport import Transport
from bittern.store.protocol import Store
from bittern.store.records import DEFAULT_ACCOUNT

logger = logging.getLogger("bittern.app")

MQTT_HANDSHAKES = 32
"""Under way at once at the embedded broker, half of them by one address."""


def mqtt_of(
    configuration: Configuration,
    transport: Transport,
    vault: KeyRing,
    now: Clock,
    audit: AuditDesk | None = None,
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
        sealer=vault,
        now=now,
        on_denied=None if audit is None else partial(audit.sign_in_failed, "sign-in:mqtt"),
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


def surroundings_of(
    configuration: Configuration, mqtt: EmbeddedBroker | MqttOutput
) -> Surroundings:
    """What the actions of rules are made of."""
    return Surroundings(
        configuration=configuration,
        data_dir=configuration.data_dir,
        broker=mqtt,
        chance=random.random,
    )


@asynccontextmanager
async def codecs_of(
    configuration: Configuration, store: Store, now: Clock
) -> AsyncIterator[tuple[CodecDesk, Functions]]:
    """What payloads mean, and what rules ask: ready before the first device that needs it."""
    async with CodecWorkers() as workers:
        if await _has_codecs(store):
            workers.start()
        desk = CodecDesk(store, workers, clock=time.monotonic)
        endpoints = configuration.functions
        async with Functions(desk, endpoints, now=now) as functions:
            yield desk, functions


async def _has_codecs(store: Store) -> bool:
    accounts = {DEFAULT_ACCOUNT, *(one.id for one in await store.accounts())}
    return any([await store.codecs(account) for account in accounts])


def dispatcher_of(
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


def limits_of(delivery: Delivery) -> Limits:
    """What of deliveries may stay how long."""
    return Limits(
        dead_letter_s=delivery.dead_letter_days * 24 * 3600,
        dead_letter_bytes=delivery.dead_letter_mib << 20,
        budget_bytes=delivery.disk_budget_mib << 20,
    )
