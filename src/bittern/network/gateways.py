"""The front ends through which gateways are reached, as one."""

from __future__ import annotations

from bittern.lorawan.radio import Transmission
from bittern.network.ports import GatewayLink
from bittern.types import GatewayEUI


class Gateways:
    """A `GatewayLink` over every front end that has joined; a gateway is at one of them."""

    def __init__(self) -> None:
        self._front_ends: list[GatewayLink] = []

    def join(self, front_end: GatewayLink) -> None:
        self._front_ends.append(front_end)

    def transmit(self, gateway_eui: GatewayEUI, transmission: Transmission) -> bool:
        """At the first front end that takes the frame."""
        return any(front_end.transmit(gateway_eui, transmission) for front_end in self._front_ends)

    def is_connected(self, gateway_eui: GatewayEUI) -> bool:
        return any(front_end.is_connected(gateway_eui) for front_end in self._front_ends)

    def round_trip_s(self, gateway_eui: GatewayEUI) -> float | None:
        """From the front end that has measured it."""
        for front_end in self._front_ends:
            if (measured_s := front_end.round_trip_s(gateway_eui)) is not None:
                return measured_s
        return None
