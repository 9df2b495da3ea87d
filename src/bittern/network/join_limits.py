"""How many joins a device and a gateway may ask for.

A join costs a write, two nonces that never come back and a long downlink, so a device in a loop and
a transmitter that makes up requests are both held down, each where it can do no harm to others: a
gateway's requests are counted before they are looked at, a device's only once its root key has been
verified. Counting a device's sooner would let a stranger use up its joins with forged requests.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

import msgspec

from bittern.types import DevEUI, GatewayEUI, Instant

Key = TypeVar("Key", bound=Hashable)


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """`burst` at once, and `per_second` on the average."""

    burst: float
    per_second: float


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
        self._devices = _Buckets[DevEUI](limits.device)
        self._gateways = _Buckets[GatewayEUI](limits.gateway)

    def gateway_may(self, gateway_eui: GatewayEUI, now: Instant) -> bool:
        """One more request heard by this gateway."""
        return self._gateways.take(gateway_eui, now)

    def device_may(self, dev_eui: DevEUI, now: Instant) -> bool:
        """One more verified request of this device."""
        return self._devices.take(dev_eui, now)


class _Buckets(Generic[Key]):
    """Token buckets; one that is full again is as good as none, and is dropped."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._left: OrderedDict[Key, tuple[float, Instant]] = OrderedDict()

    def take(self, key: Key, now: Instant) -> bool:
        self._drop_full(now)
        tokens = self._tokens(key, now)
        if tokens < 1:
            return False
        self._left[key] = (tokens - 1, now)
        self._left.move_to_end(key)
        return True

    def _tokens(self, key: Key, now: Instant) -> float:
        left, at = self._left.get(key, (self._allowance.burst, now))
        return min(self._allowance.burst, left + (now - at) * self._allowance.per_second)

    def _drop_full(self, now: Instant) -> None:
        """The longest unused first: all that fill up within the same time are dropped in order."""
        fills_in_s = self._allowance.burst / self._allowance.per_second
        while self._left:
            key, (_, at) = next(iter(self._left.items()))
            if now - at < fills_in_s:
                break
            del self._left[key]

    def __len__(self) -> int:
        return len(self._left)
