"""The demo as a whole: one process with the server, and with everything that is around it."""

from __future__ import annotations

import asyncio
import itertools
import random
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import typer

from bittern import installation
from bittern.cli import output
from bittern.cli.demo import cast
from bittern.cli.demo.cast import Cast
from bittern.cli.demo.screen import shown
from bittern.cli.demo.story import DeviceState, Story
from bittern.cli.log import start_logging
from bittern.cli.serve import run_on_uvloop, stop_on_signals
from bittern.config import Api, Configuration, Cups, Lns, Log, Mqtt
from bittern.config.layout import Layout
from bittern.errors import Conflict
from bittern.network.identity import downlink_message_id
from bittern.simulator.air import Air, Hearing
from bittern.simulator.complaint import DeviceComplaint
from bittern.simulator.device import SimulatedDevice
from bittern.simulator.gateway import SimulatedGateway
from bittern.store.protocol import Store
from bittern.store.records import QueuedDownlink
from bittern.types import EUI64, Instant

if TYPE_CHECKING:
    from bittern.app import Addresses

PAUSE_S = (1.5, 4.0)
"""Between two uplinks of a device, drawn at random."""
DOWNLINK_EVERY_S = 12.0
GATEWAY_PATIENCE_S = 15.0
MQTT_USER = "bittern"


def play(seconds: float | None, data_dir: Path | None, region: str | None = None) -> int:
    """The exit code. In `region` are all gateways and devices, in their own if it is none."""
    with _folder(data_dir) as folder:
        configuration = _configuration(folder)
        with (folder / "server.log").open("w") as log:
            start_logging(Log(format="text"), log)
            return run_on_uvloop(_play(configuration, Cast.of(region), seconds))


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    """A new one: simulated devices remember nothing of an earlier demo."""
    if wanted is None:
        with tempfile.TemporaryDirectory(prefix="bittern-demo-") as folder:
            yield Path(folder)
        return
    if wanted.exists() and any(wanted.iterdir()):
        raise Conflict("folder", str(wanted), "is not empty; the demo needs a new one")
    wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
    yield wanted.absolute()


def _configuration(folder: Path) -> Configuration:
    """The defaults, but for ports that somebody else uses."""
    return Configuration(
        data_dir=folder,
        lns=Lns(port=_free(Lns().port)),
        cups=Cups(port=_free(Cups().port)),
        mqtt=Mqtt(port=_free(Mqtt().port)),
        api=Api(port=_free(Api().port)),
    )


def _free(port: int) -> int:
    """The port itself, or 0: any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


async def _play(configuration: Configuration, parts: Cast, seconds: float | None) -> int:
    from bittern.app import running

    began = time.monotonic()
    story = Story(
        clock=lambda: time.monotonic() - began,
        gateways={part.eui: part.name for part in parts.gateways},
        devices={part.dev_eui: DeviceState(part.name, part.what) for part in parts.devices},
    )
    stop = stop_on_signals()
    async with (
        running(configuration) as addresses,
        installation.opened_store(configuration, Instant(time.time())) as store,
    ):
        _tell_places(configuration, addresses, parts.gateways[0].name)
        with shown(story):
            await _Stage(configuration, addresses, store, story, parts).perform(stop, seconds)
    return verdict(story, in_time=seconds is not None and not stop.is_set())


def _tell_places(configuration: Configuration, addresses: Addresses, gateway: str) -> None:
    """How to look further, while it runs."""
    folder, mqtt = configuration.data_dir, urlsplit(addresses.mqtt)
    password = Layout(folder).mqtt_password
    for line in (
        f"LNS {addresses.lns}, MQTT {addresses.mqtt}, health and metrics {addresses.api}",
        "",
        f"  mosquitto_sub -h {mqtt.hostname} -p {mqtt.port} -u {MQTT_USER}"
        f' -P "$(cat {password})" -t {installation.DEFAULT_TOPIC}',
        f"  bittern tail --data-dir {folder}",
        f"  bittern device list --data-dir {folder}",
        f"  ls {folder / 'gateways' / gateway}    # what a station needs",
        "",
    ):
        typer.echo(line)


def verdict(story: Story, *, in_time: bool) -> int:
    """The exit code. A demo that was interrupted need not have shown everything."""
    lacking = story.missing() if in_time else story.wrong
    for text in lacking:
        output.complain(text)
    typer.echo(
        f"{story.joins} joins, {story.uplinks} uplinks arrived as they were sent,"
        f" {story.downlinks} downlinks were received"
    )
    return 1 if lacking else 0


class _Stage:
    """Gateways, devices and a subscriber around a running server."""

    def __init__(
        self,
        configuration: Configuration,
        addresses: Addresses,
        store: Store,
        story: Story,
        parts: Cast,
    ) -> None:
        self._configuration = configuration
        self._addresses = addresses
        self._store = store
        self._story = story
        self._parts = parts
        self._chance = random.Random()  # nosec B311
        self._air = Air(on_received=lambda device, what: story.received(device.dev_eui, what))
        self._gateways: dict[EUI64, SimulatedGateway] = {}

    async def perform(self, stop: asyncio.Event, seconds: float | None) -> None:
        """Until `stop`, or for `seconds`."""
        devices = await self._register()
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._subscribe(), name="subscriber")]
            for gateway in self._gateways.values():
                await stack.enter_async_context(gateway)
                tasks.append(group.create_task(self._watch(gateway), name="gateway"))
            tasks += [group.create_task(self._live(*device), name="device") for device in devices]
            tasks.append(group.create_task(self._send_downlinks(), name="downlinks"))
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await stop.wait()
            for task in tasks:
                task.cancel()

    async def _register(self) -> list[tuple[cast.DevicePart, SimulatedDevice]]:
        now = Instant(time.time())
        for part in self._parts.gateways:
            folder = self._configuration.data_dir / "gateways" / part.name
            await cast.register_gateway(
                self._store,
                self._configuration,
                part,
                folder=folder,
                uri=self._addresses.lns,
                now=now,
            )
            self._gateways[part.eui] = SimulatedGateway(
                gateway_eui=part.eui, home=folder, air=self._air, chance=self._chance
            )
        return [
            (part, await cast.register_device(self._store, part, self._chance, now))
            for part in self._parts.devices
        ]

    async def _subscribe(self) -> None:
        """An application: all it has is the broker's address and a password."""
        from aiomqtt import Client, ProtocolVersion

        mqtt = urlsplit(self._addresses.mqtt)
        password = Layout(self._configuration.data_dir).mqtt_password.read_text().strip()
        assert mqtt.hostname is not None and mqtt.port is not None
        async with Client(
            mqtt.hostname,
            mqtt.port,
            username=MQTT_USER,
            password=password,
            protocol=ProtocolVersion.V311,
        ) as client:
            await client.subscribe(installation.DEFAULT_TOPIC, qos=1)
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                self._story.arrived(message.payload)

    async def _watch(self, gateway: SimulatedGateway) -> None:
        try:
            async with asyncio.timeout(GATEWAY_PATIENCE_S):
                await gateway.configured.wait()
        except TimeoutError:
            reason = gateway.rejection or f"not connected within {GATEWAY_PATIENCE_S:g} s"
            self._story.went_wrong(f"gateway {gateway.gateway_eui}: {reason}")
        else:
            self._story.gateway_connected(gateway.gateway_eui)

    async def _live(self, part: cast.DevicePart, device: SimulatedDevice) -> None:
        """Join, where the device does; then say something every now and then."""
        await self._gateways_are_there(part)
        if device.session is not None:
            self._story.devices[part.dev_eui].dev_addr = device.session.dev_addr
        while device.session is None:
            device.join_request()
            await self._exchange(part, device)
        while True:
            payload = part.payload(self._chance)
            fcnt = device.session.fcnt_up
            device.uplink(payload, cast.FPORT)
            self._story.sent(part.dev_eui, fcnt, payload)
            await self._exchange(part, device)
            await asyncio.sleep(self._chance.uniform(*PAUSE_S))

    async def _gateways_are_there(self, part: cast.DevicePart) -> None:
        for gateway in self._parts.within_reach(part):
            await self._gateways[gateway.eui].configured.wait()
        await asyncio.sleep(self._chance.uniform(0.0, 1.0))

    async def _exchange(self, part: cast.DevicePart, device: SimulatedDevice) -> None:
        heard_by = [
            Hearing(self._gateways[gateway.eui], self._chance.randint(-115, -60), 7.5)
            for gateway in self._parts.within_reach(part)
        ]
        try:
            await self._air.exchange(device, heard_by)
        except DeviceComplaint as complaint:
            self._story.went_wrong(str(complaint))

    async def _send_downlinks(self) -> None:
        """One to each device in turn, the first as soon as anybody has been heard."""
        for number in itertools.count():
            while not (heard := self._heard()):
                await asyncio.sleep(0.1)
            part = heard[number % len(heard)]
            payload = f"report {self._chance.randint(10, 99)}".encode()
            message_id = downlink_message_id(random.SystemRandom())
            self._story.queued(part.dev_eui, payload, message_id)
            await self._store.enqueue(
                QueuedDownlink(
                    message_id=message_id,
                    dev_eui=part.dev_eui,
                    payload=payload,
                    fport=cast.FPORT,
                    confirmed=number % 2 == 1,
                    queued_at=Instant(time.time()),
                )
            )
            await asyncio.sleep(DOWNLINK_EVERY_S)

    def _heard(self) -> list[cast.DevicePart]:
        return [part for part in self._parts.devices if self._story.devices[part.dev_eui].arrived]
