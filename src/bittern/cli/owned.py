"""What belongs to the account that a verb works in: of what is another's nobody learns that it is
there."""

from __future__ import annotations

from bittern.errors import NotFound
from bittern.store.protocol import Store
from bittern.store.records import Device, Gateway
from bittern.types import DevEUI, GatewayEUI


async def device_of(store: Store, account: str, dev_eui: DevEUI) -> Device:
    """Raises `NotFound`."""
    device = await store.device(dev_eui)
    if device is None or device.account != account:
        raise NotFound("device", str(dev_eui))
    return device


async def gateway_of(store: Store, account: str, gateway_eui: GatewayEUI) -> Gateway:
    """Raises `NotFound`."""
    gateway = await store.gateway(gateway_eui)
    if gateway is None or gateway.account != account:
        raise NotFound("gateway", str(gateway_eui))
    return gateway


async def require_codec(store: Store, account: str, name: str) -> None:
    """Raises `NotFound` for a codec that is neither registered nor built in; empty is none."""
    from bittern.outputs.codecs.desk import BUILT_IN  # most verbs have no use for codecs

    if name and name not in BUILT_IN and await store.codec(account, name) is None:
        raise NotFound("codec", name)
