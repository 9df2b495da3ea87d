"""Mosquitto with two doors, certificates for both sides, a subscriber with a durable session."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
import trustme
from output_chaos import Program, free_port
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PROGRAM = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin")
REASON = "mosquitto is not installed"
DEVICES, EACH = 20, 80


class Mosquitto(Program):
    """`port` is as `lines` say; whoever sees what arrived comes in by `open_port`, without TLS.

    What it has acknowledged it keeps in memory until it stops: it can be restarted, not killed.
    """

    def __init__(self, folder: Path, *lines: str) -> None:
        assert PROGRAM is not None
        port, self.open_port = free_port(), free_port()
        configuration = folder / "mosquitto.conf"
        configuration.write_text(
            "per_listener_settings false\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nmax_queued_messages 0\n"
            + ("user root\n" if os.geteuid() == 0 else "")
            + f"listener {self.open_port} 127.0.0.1\nlistener {port} 127.0.0.1\n"
            + "".join(f"{line}\n" for line in lines)
        )
        super().__init__([PROGRAM, "-c", str(configuration)], port)


class Certificates:
    """Of a broker that is known by `host`, and of its clients: two authorities, as AWS has them.

    The files of `client` are in the folder of secrets below `data_dir`.
    """

    def __init__(self, data_dir: Path, host: str) -> None:
        self.broker_authority, self.client_authority = trustme.CA(), trustme.CA()
        self.secrets = data_dir / "secrets"
        self.secrets.mkdir(exist_ok=True)
        self._folder = data_dir / "broker"
        self._folder.mkdir()
        self.broker_authority.cert_pem.write_to_path(str(self.secrets / "ca.pem"))
        self.client_authority.cert_pem.write_to_path(str(self._folder / "clients.pem"))
        issued = self.broker_authority.issue_cert(host)
        issued.private_key_pem.write_to_path(str(self._folder / "own.key"))
        issued.cert_chain_pems[0].write_to_path(str(self._folder / "own.pem"))
        self.write_client(self.client_authority)

    @property
    def lines(self) -> tuple[str, ...]:
        """Of Mosquitto's configuration: mutual TLS, and quality of service as AWS has it."""
        return (
            f"cafile {self._folder}/clients.pem",
            f"certfile {self._folder}/own.pem",
            f"keyfile {self._folder}/own.key",
            "require_certificate true",
            "max_qos 1",
        )

    def write_client(self, authority: trustme.CA, *, expired: bool = False) -> None:
        """The certificate that we show."""
        times: dict[str, Any] = {}
        if expired:
            times = {
                "not_before": datetime(2020, 1, 1, tzinfo=UTC),
                "not_after": datetime(2021, 1, 1, tzinfo=UTC),
            }
        issued = authority.issue_cert("bittern.example", **times)
        issued.private_key_pem.write_to_path(str(self.secrets / "own.key"))
        issued.cert_chain_pems[0].write_to_path(str(self.secrets / "own.pem"))

    @property
    def parameters(self) -> dict[str, str]:
        """Of a broker that an action names."""
        return {"ca": "ca.pem", "certificate": "own.pem", "key": "own.key"}


def topic(device: int, number: int) -> Mapping[str, str]:
    return {"topic": f"up/{device}"}


def subscriber(port: int) -> aiomqtt.Client:
    kept = Properties(PacketTypes.CONNECT)
    kept.SessionExpiryInterval = 3600
    return aiomqtt.Client(
        "127.0.0.1",
        port,
        identifier="lake",
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=False,
        properties=kept,
    )


async def subscribed(port: int) -> None:
    """From now on all is kept for the subscriber."""
    async with subscriber(port) as client:
        await client.subscribe("up/#", qos=1)


async def messages(port: int, count: int = DEVICES * EACH) -> list[aiomqtt.Message]:
    """What was kept, with second copies, until `count` different ones have come."""
    async with subscriber(port) as client:
        return await collected(client, count)


async def collected(client: aiomqtt.Client, count: int) -> list[aiomqtt.Message]:
    found: list[aiomqtt.Message] = []
    different: set[bytes] = set()
    async for message in client.messages:
        found.append(message)
        different.add(bytes(message.payload))
        if len(different) == count:
            return found
    raise AssertionError("the connection has ended")


def arrivals(found: list[aiomqtt.Message]) -> list[tuple[int, int]]:
    documents = [json.loads(bytes(message.payload)) for message in found]
    return [(one["device"], one["n"]) for one in documents]
