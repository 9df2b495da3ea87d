"""How many joins a device and a gateway may ask for.

A join costs a write, two nonces that never come back and a long downlink, so a device in a loop and
a transmitter that makes up requests are both held down, each where it can do no harm to others: a
gateway's requests are counted before they are looked at, a device's only once its root key has been
verified. Counting a device's sooner would let a stranger use up its joins with forged requests.
"""

from __future__ import annotations

import msgspec

from bittern.network.allowance import Allowance, Buckets
from bittern.types import DevEUI, GatewayEUI, Instant


class JoinLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The defaults are beyond what a sound device or a busy site does: a device that keeps to the
    join back-off needs minutes between requests (TS001-1.0.4, 7), and a gateway with eight channels
    hears a hundred short frames in a second at the very most."""

    device: Allowance = Allowance(burst=10, per_second=0.2)
    gateway: Allowance = Allowance(burst=500, per_second=50)


class JoinLimiter:
    """Remembers who has asked lately; `now` never goes back."""

    def __init__(self, limits: JoinLimits | None = None) -> None:
        limits = limits or JoinLimits()
        self._devices = Buckets[DevEUI](limits.device)
        self._gateways = Buckets[GatewayEUI](limits.gateway)

    def gateway_may(self, gateway_eui: GatewayEUI, now: Instant) -> bool:
        """One more request heard by this gateway."""
        return self._gateways.take(gateway_eui, now)

    def device_may(self, dev_eui: DevEUI, now: Instant) -> bool:
        """One more verified request of this device."""
        return self._devices.take(dev_eui, now)
