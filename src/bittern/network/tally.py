"""Tally of what is heard and sent, for the hourly summaries: in memory, until somebody takes it.

It is on the path of every uplink while summaries are wanted, and so it only counts: one look-up
for the device and one for each gateway that heard it, and no object is made but the first time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bittern.lorawan.radio import Reception
from bittern.mac.session import Session
from bittern.network.events import DownlinkSent, JoinAnswered, JoinReceived, NetworkEvent
from bittern.store.summaries import Summary
from bittern.types import DevEUI, GatewayEUI

MOST_DEVICES = 20_000
"""Then it should be taken before its time; at twice as many, further devices are not counted."""
RSSI_DBM = range(-200, 101)
SNR_QUARTERS = range(-400, 401)
"""What a gateway says beyond that is not a signal, and must not fill the memory."""


class Taken(NamedTuple):
    """What was counted."""

    devices: dict[DevEUI, Summary]
    gateways: dict[GatewayEUI, Summary]


def _no_hurry() -> None:
    """Nobody needs to come earlier."""


class Tally:
    """One for the whole server. Gateways are registered ones: there are never too many."""

    def __init__(self, hurry: Callable[[], None] = _no_hurry) -> None:
        """`hurry` is called when it is nearly full."""
        self._hurry = hurry
        self._devices: dict[DevEUI, Summary] = {}
        self._gateways: dict[GatewayEUI, Summary] = {}
        self.uncounted = 0
        """Of devices that there was no room for."""

    def take(self) -> Taken:
        taken = Taken(self._devices, self._gateways)
        self._devices, self._gateways = {}, {}
        return taken

    def uplink(self, before: Session, fcnt: int, receptions: tuple[Reception, ...]) -> None:
        """An accepted one; `before` is the session that it came in, the best reception is first."""
        device = self._devices.get(before.dev_eui) or self._new_device(before.dev_eui)
        if device is not None:
            device.uplinks += 1
            if fcnt > before.fcnt_up + 1 and before.last_uplink_at is not None:
                device.lost += fcnt - before.fcnt_up - 1
            _heard(device, receptions[0])
        for reception in receptions:
            gateway = self._gateway(reception.gateway_eui)
            gateway.uplinks += 1
            _heard(gateway, reception)

    def listen(self, event: NetworkEvent) -> None:
        """Of what is not an uplink."""
        match event:
            case DownlinkSent():
                for one in self._concerned(event.dev_eui, event.gateway_eui):
                    one.downlinks += 1
            case JoinReceived():
                for one in self._concerned(event.dev_eui, event.gateway_eui):
                    one.join_requests += 1
            case JoinAnswered():
                for one in self._concerned(event.dev_eui, event.gateway_eui):
                    one.join_accepts += 1
            case _:
                pass

    def _concerned(self, dev_eui: DevEUI, gateway_eui: GatewayEUI | None) -> list[Summary]:
        device = self._devices.get(dev_eui) or self._new_device(dev_eui)
        concerned = [] if device is None else [device]
        if gateway_eui is not None:
            concerned.append(self._gateway(gateway_eui))
        return concerned

    def _new_device(self, dev_eui: DevEUI) -> Summary | None:
        count = len(self._devices)
        if count >= 2 * MOST_DEVICES:
            self.uncounted += 1
            return None
        if count == MOST_DEVICES:
            self._hurry()
        made = self._devices[dev_eui] = Summary()
        return made

    def _gateway(self, gateway_eui: GatewayEUI) -> Summary:
        found = self._gateways.get(gateway_eui)
        if found is None:
            found = self._gateways[gateway_eui] = Summary()
        return found


def _heard(summary: Summary, reception: Reception) -> None:
    rssi, snr = reception.rssi_dbm, round(reception.snr_db * 4)
    if rssi in RSSI_DBM:
        summary.rssi_dbm[rssi] = summary.rssi_dbm.get(rssi, 0) + 1
    if snr in SNR_QUARTERS:
        summary.snr_quarters[snr] = summary.snr_quarters.get(snr, 0) + 1
