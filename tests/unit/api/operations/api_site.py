"""A front over a store in memory, and genuine clients of it."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bittern.api.front import Caller, Front
from bittern.api.operations import Endpoints, Services, handlers
from bittern.api.policy import READY, policy
from bittern.api.sigv4 import SecretAccessKey
from bittern.outputs.broker.log import Retained
from bittern.outputs.clients import ClientMessage
from bittern.pki.authority import Authority
from bittern.testing.memory_store import MemoryStore
from bittern.types import Instant

sys.path.insert(0, str(Path(__file__).parents[1]))
from oracle import NOW, SECRET, at, client

ACCOUNT = "123456789012"


def only(action: str) -> str:
    """A policy that allows this and nothing else."""
    return f'{{"Statement": {{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}}}'


POLICIES = {
    "AKIDEXAMPLE": (ACCOUNT, "administrator"),
    "AKIDOPERATOR": (ACCOUNT, "operator"),
    "AKIDOTHER": ("210987654321", "administrator"),
    "AKIDFRONT": (ACCOUNT, only("cloudformation:*")),
    "AKIDBACK": (ACCOUNT, only("iotwireless:*")),
}
ROLE = "arn:aws:iam::123456789012:role/any"
APP_KEY = "000102030405060708090a0b0c0d0e0f"
NWK_KEY = "101112131415161718191a1b1c1d1e1f"


async def credentials(access_key_id: str) -> Caller | None:
    account, name = POLICIES[access_key_id]
    arn = f"arn:aws:iam::{account}:user/{name}"
    return Caller(
        account, access_key_id, arn, policy(READY.get(name, name)), SecretAccessKey(SECRET)
    )


class Broker:
    """What was published, what is retained, and a failure for whoever comes next."""

    tells_retained = True

    def __init__(self) -> None:
        self.published: list[ClientMessage] = []
        self.kept: dict[str, Retained] = {}
        self.failure: Exception | None = None

    async def publish(self, message: ClientMessage) -> None:
        if self.failure is not None:
            raise self.failure
        self.published.append(message)

    def retained(self, topic: str) -> Retained | None:
        return self.kept.get(topic)

    def retained_page(self, after: str, limit: int) -> list[Retained]:
        return [self.kept[one] for one in sorted(self.kept) if one > after][:limit]


class Api:
    """Clients of one front, at a time that the test decides."""

    def __init__(self, authority: Authority, store: MemoryStore | None = None) -> None:
        self.now = float(NOW)
        self.store = MemoryStore() if store is None else store
        self.faults: list[Exception] = []
        self.authority = authority
        self.broker = Broker()
        self.services = Services(
            store=self.store,
            now=lambda: Instant(self.now),
            randomness=random.Random(1),
            secret=bytes(32),
            authority=lambda: self.authority,
            endpoints=Endpoints(
                "https://cups.example:443", "wss://lns.example:8887", "mqtt.example"
            ),
            broker=self.broker,
            broker_account=ACCOUNT,
        )
        self.front = Front(
            handlers(self.services),
            credentials,
            region="eu-west-1",
            on_fault=lambda operation, request_id, fault: self.faults.append(fault),
        )
        self.wireless = self.client()
        self.other = self.client(access_key_id="AKIDOTHER")
        self.operator = self.client(access_key_id="AKIDOPERATOR")

    @contextlib.contextmanager
    def later(self, seconds: float) -> Iterator[None]:
        """Clients and the front, so much later."""
        self.now += seconds
        with at(self.now):
            yield

    def client(self, name: str = "iotwireless", **options: Any) -> Any:
        return client(name, self.front, now=lambda: self.now, **options)

    def destination(self, name: str = "plant", **more: Any) -> str:
        given = {"ExpressionType": "MqttTopic", "Expression": "plant/up", "RoleArn": ROLE, **more}
        made: str = self.wireless.create_destination(Name=name, **given)["Name"]
        return made

    def device_profile(self, **lorawan: Any) -> str:
        given = {"MacVersion": "1.0.3", "RfRegion": "EU868", "SupportsJoin": True, **lorawan}
        made: str = self.wireless.create_device_profile(LoRaWAN=given)["Id"]
        return made

    def service_profile(self) -> str:
        made: str = self.wireless.create_service_profile()["Id"]
        return made

    def device(self, dev_eui: str = "70b3d57ed0000001", **more: Any) -> dict[str, Any]:
        lorawan = {
            "DevEui": dev_eui,
            "DeviceProfileId": more.pop("device_profile", None) or self.device_profile(),
            "ServiceProfileId": more.pop("service_profile", None) or self.service_profile(),
            **more.pop(
                "activation", {"OtaaV1_0_x": {"AppKey": APP_KEY, "AppEui": "70b3d57ed0ffff01"}}
            ),
            **more.pop("lorawan", {}),
        }
        destination = more.pop("destination", None) or self.destination(f"to-{dev_eui}")
        made: dict[str, Any] = self.wireless.create_wireless_device(
            **{
                "Type": "LoRaWAN",
                "DestinationName": destination,
                "LoRaWAN": lorawan,
                **more,
            }
        )
        return made

    def gateway(self, eui: str = "00800000a0000001", **more: Any) -> str:
        given = {"GatewayEui": eui, "RfRegion": "EU868", **more.pop("lorawan", {})}
        made: str = self.wireless.create_wireless_gateway(LoRaWAN=given, **more)["Id"]
        return made
