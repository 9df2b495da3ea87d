"""What the network needs of the world around it, beside the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bittern.lorawan.radio import Transmission
from bittern.store.records import Delivery
from bittern.types import GatewayEUI, Instant

Clock = Callable[[], Instant]


class GatewayLink(Protocol):
    """The connections to gateways."""

    def transmit(self, gateway_eui: GatewayEUI, transmission: Transmission) -> bool:
        """Hand a frame to a gateway, at once. False: it is not connected, or too far behind."""
        ...

    def is_connected(self, gateway_eui: GatewayEUI) -> bool:
        """Whether it would take a frame now."""
        ...

    def round_trip_s(self, gateway_eui: GatewayEUI) -> float | None:
        """To the gateway and back, at worst of late; None: not measured, or not connected."""
        ...


class Outbox(Protocol):
    """Whoever carries messages to their destinations."""

    @property
    def is_full(self) -> bool:
        """Whether no message can be owed now: the disk budget is reached."""
        ...

    def offer(self, delivery: Delivery) -> None:
        """A message that has just been stored. Refusing to hold it in memory is no loss."""
        ...


class Codecs(Protocol):
    """Whoever knows what payloads mean."""

    async def decoded_payload(
        self, account: str, codec: str, payload: bytes, fport: int, received_at: Instant
    ) -> bytes:
        """What stands beside `PayloadData` in the message, JSON: data, or what was wrong.

        Raises nothing, and takes no longer than a device can wait for its answer.
        """
        ...


class Randomness(Protocol):
    """`random.SystemRandom`, or a seeded one in tests."""

    def getrandbits(self, k: int, /) -> int: ...
