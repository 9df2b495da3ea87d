"""Everything, from the data directory up to the API.

Nothing else knows all the parts. Read `running` from top to bottom: what is entered first is left
last, so frames stop coming before what they need goes away.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from bittern import __version__
from bittern.api.device_messages import DeviceMessages
from bittern.api.operations import Notify
from bittern.app.addresses import Addresses, data_endpoint, mqtt_url, mqtts_url, url
from bittern.app.audit import audited_store, control_of
from bittern.app.clock import steady_utc
from bittern.app.deliveries import codecs_of, dispatcher_of, limits_of, mqtt_of, surroundings_of
from bittern.app.events import event_defaults, events_of
from bittern.app.figures import at_once, figures_of, store_check
from bittern.app.following import (
    certificates_followed_by,
    codecs_followed_by,
    deliveries_followed_by,
    starting_over,
)
from bittern.app.gateways import (
    cups_desk_of,
    cups_of,
    keep_up_to_date,
    lns_of,
    transport_of,
    trust_registered,
)
from bittern.app.joining import join_servers_of
from bittern.app.keys import keys_of
from bittern.app.management import api_of, endpoints_of, http_context_of, services_of
from bittern.app.mqtt_downlinks import downlinks_of
from bittern.app.reports import reports_of
from bittern.app.root_keys import root_keys_of
from bittern.config import Configuration
from bittern.config.layout import Layout
from bittern.installation import only_server
from bittern.network.core import Network, NetworkSettings
from bittern.network.gateways import Gateways
from bittern.network.randomness import BlockRandomness
from bittern.outputs.broker.server import EmbeddedBroker
from bittern.outputs.clients import clients_of
from bittern.outputs.mqtt.output import MqttOutput
from bittern.outputs.retention import Retention
from bittern.servers.background import Background, task
from bittern.servers.changes import follow_changes
from bittern.servers.docs import Docs
from bittern.servers.feed import Feed
from bittern.servers.firmware_images import FirmwareImages
from bittern.servers.gateway_status import StatusKeeper
from bittern.servers.http import HttpServer
from bittern.servers.loop_faults import tell_faults_of_ours
from bittern.servers.metrics import registry


@asynccontextmanager
async def running(configuration: Configuration) -> AsyncIterator[Addresses]:
    """The whole server, from its first start on, inside this context."""
    tell_faults_of_ours(asyncio.get_running_loop())
    now, gateways, layout = steady_utc(), Gateways(), Layout(configuration.data_dir)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context

        # What is kept, and who is trusted.
        stack.enter_context(only_server(configuration))
        keys = await enter(keys_of(configuration, now))
        store, audit = await enter(audited_store(configuration, keys.keychain, now))
        transport = transport_of(configuration, keys.ring, now)

        # Messages on their way out.
        mqtt: EmbeddedBroker | MqttOutput = mqtt_of(
            *(configuration, transport, keys.ring, now, audit)
        )
        downlinks = await enter(downlinks_of(mqtt, configuration.mqtt))
        surroundings = surroundings_of(configuration, mqtt)
        retention = Retention(store, limits_of(configuration.delivery), now)
        codecs, functions = await enter(codecs_of(configuration, store, now))
        dispatcher = await enter(dispatcher_of(store, surroundings, retention, functions, now))
        background = await enter(Background())

        # The network.
        randomness = BlockRandomness(os.urandom)
        join_servers = await enter(join_servers_of(configuration, store, now, randomness))
        network = Network(
            _network_settings(configuration),
            store=store,
            gateways=gateways,
            outbox=dispatcher,
            now=now,
            randomness=randomness,
            codecs=codecs,
            join_servers=join_servers,
            root_keys=await enter(root_keys_of(configuration)),
        )
        await enter(task(network.intake.run(), "gather frames"))

        # The front ends of the gateways.
        await trust_registered(transport, store)
        keep_up_to_date(transport, background)
        status = StatusKeeper(store, now)
        lns = lns_of(configuration, network, transport.listener(), status, background)
        lns.watch(status)
        events, notifier = await enter(events_of(configuration, store, network, mqtt))
        lns.watch(events)
        stack.push_async_callback(status.finish)
        reports = await enter(reports_of(configuration, store, network, lns))
        await enter(task(status.run(lns.counted), "keep the state of gateways"))
        gateways.join(lns)
        feed = await enter(Feed(network.journal, layout.feed_socket, version=__version__))
        await enter(lns)
        await enter(control_of(configuration, network, store, lns, audit))
        images = await enter(FirmwareImages(configuration.firmware, layout.firmware, now=now))
        lns_port = lns.address[1]
        desk = cups_desk_of(configuration, store, transport, images, lns_port=lns_port, now=now)
        cups = await enter(cups_of(configuration, network, transport.listener(), status, desk))

        # The API, and what the server says of itself.
        endpoints = endpoints_of(
            configuration, cups.address[1], lns_port, data_endpoint(configuration, mqtt)
        )
        notify = Notify(
            owed=partial(dispatcher.replayed, ""),
            metrics=reports.keeper.changed,
            logs=reports.log.changed,
        )
        services = services_of(
            *(store, keys.ring, transport, endpoints, event_defaults(configuration.mqtt)),
            now=now,
            notify=notify,
            broker=clients_of(mqtt),
        )
        downlinks.begin(DeviceMessages(services, codecs, configuration.api.region), notifier.tell)
        api = api_of(configuration, services, background, audit)
        statistics = {
            "api": api.statistics,
            "audit": audit.statistics,
            "intake": network.intake.statistics,
            "dispatch": dispatcher.statistics,
            "delivery": retention.statistics,
            "codecs": codecs.statistics,
            "mqtt": mqtt.statistics,
            "mqtt_downlinks": downlinks.statistics,
            "events": events.statistics,
            "notices": notifier.statistics,
            "feed": feed.statistics,
            "summaries": reports.keeper.statistics,
            "aws_log": reports.log.statistics,
            "cups": cups.statistics,
        }
        http = await enter(
            HttpServer(
                configuration.host_of(configuration.api),
                configuration.api.port,
                version=__version__,
                checks={
                    "store": store_check(store),
                    "mqtt": at_once(mqtt.health),
                    "delivery": at_once(dispatcher.health),
                },
                metrics=registry(
                    figures_of(network, lns, dispatcher, api, statistics), surroundings.metrics
                ),
                routes=[*Docs(__version__).routes(), *api.routes()],
                context=http_context_of(configuration, transport, background),
            )
        )

        # What follows the registry, and the downlinks.
        followers = (
            keys.follow,
            network.follow,
            lns.follow,
            events.follow,
            deliveries_followed_by(dispatcher),
            codecs_followed_by(codecs),
            certificates_followed_by(transport, store, background),
        )
        start_over = starting_over(
            keys.start_over,
            network.start_over,
            lns.reconsider_all,
            dispatcher.rules_changed,
            codecs.forget,
            events.start_over,
            partial(trust_registered, transport, store),
        )
        await enter(task(follow_changes(store, followers, start_over), "follow changes"))
        await enter(task(network.run(), "downlinks in their time"))

        yield Addresses(
            lns=url("wss", lns.address),
            cups=url("https", cups.address),
            api=url("https" if configuration.api.tls else "http", http.address),
            mqtt=mqtt_url(configuration, mqtt),
            feed=str(layout.feed_socket),
            mqtts=mqtts_url(configuration, mqtt),
        )


def _network_settings(configuration: Configuration) -> NetworkSettings:
    return NetworkSettings(
        net_id=configuration.network.net_id,
        deduplication_window_s=configuration.network.deduplication_window_ms / 1000,
    )
