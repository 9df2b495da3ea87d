"""The air between simulated devices and gateways: who hears whom, and when exactly.

All antennas share one clock in microseconds. A transmission counts by the moment that the gateway
chose, not by the moment that the event loop found time for it; so a simulation is exact to the
microsecond although it runs in real time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from bittern.simulator.complaint import Complaint, DeviceComplaint
from bittern.simulator.device import Received, SimulatedDevice
from bittern.simulator.ping_slots import ping_window, slot_beginning
from bittern.simulator.radio import Emission, ReceiveWindow
from bittern.simulator.station import RadioTransmission
from bittern.types import EUI64

TOLERANCE_US = 20
"""How far from the beginning of its window a device still takes a frame (TS001-1.0.4, 3.3.1)."""
PATIENCE_US = 500_000
"""How long after RX2 the event loop may still deliver what was sent in time."""


class Antenna(Protocol):
    """What the air asks of a gateway."""

    def hear(self, emission: Emission, ended_us: int, rssi_dbm: int, snr_db: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Hearing:
    """One gateway within reach of a device."""

    antenna: Antenna
    rssi_dbm: int = -60
    snr_db: float = 9.5


@dataclass(slots=True)
class _Listener:
    device: SimulatedDevice
    ended_us: int = 0
    """When its last uplink ended."""
    windows: tuple[ReceiveWindow, ...] = ()
    """Still to come; a frame taken in one closes both."""
    waiting: asyncio.Future[Received] | None = None


@dataclass(slots=True)
class Air:
    """``complaints`` keeps what devices found wrong; ``on_received`` hears of the rest."""

    clock_us: Callable[[], int] = lambda: time.monotonic_ns() // 1000
    on_received: Callable[[SimulatedDevice, Received], None] = lambda device, received: None
    complaints: list[DeviceComplaint] = field(default_factory=list)
    gps_offset_us: int = 0
    """GPS time minus the clock: where ping slots are."""
    _listeners: dict[EUI64, _Listener] = field(default_factory=dict)

    def add(self, device: SimulatedDevice) -> None:
        """From now on the device hears what is sent to it; sending adds it too."""
        self._listeners.setdefault(device.dev_eui, _Listener(device))

    def send(self, device: SimulatedDevice, heard_by: Iterable[Hearing]) -> None:
        """Put the device's last uplink (``device.sent``) on air; it ends now."""
        if device.sent is None:
            raise ValueError(f"{device!r} has nothing to send")
        self.add(device)
        listener = self._listeners[device.dev_eui]
        listener.ended_us = self.clock_us()
        listener.windows = device.windows()
        for hearing in heard_by:
            hearing.antenna.hear(device.sent, listener.ended_us, hearing.rssi_dbm, hearing.snr_db)

    async def exchange(
        self, device: SimulatedDevice, heard_by: Iterable[Hearing]
    ) -> Received | None:
        """``send``, and wait for what comes in RX1 or RX2: ``None`` if nothing does.

        Raises the device's ``DeviceComplaint``.
        """
        self.add(device)
        listener = self._listeners[device.dev_eui]
        listener.waiting = asyncio.get_running_loop().create_future()
        try:
            self.send(device, heard_by)
            last_s = max(window.delay_s for window in listener.windows)
            async with asyncio.timeout(last_s + PATIENCE_US / 1e6):
                return await listener.waiting
        except TimeoutError:
            return None
        finally:
            listener.waiting = None

    def transmit(self, sent: RadioTransmission, snr_db: float = 10.0) -> None:
        """A gateway sends: the device it is meant for hears it, or somebody complains."""
        listener = self._listeners.get(sent.dev_eui)
        if listener is None:
            self.complaints.append(
                DeviceComplaint(sent.dev_eui, Complaint.OUTSIDE_WINDOWS, "no such device on air")
            )
            return
        try:
            window = self._open_window(listener, sent)
            received = listener.device.receive(sent.phy_payload, snr_db, window)
        except DeviceComplaint as complaint:
            self._complain(listener, complaint)
            return
        if window in listener.windows:
            listener.windows = ()
        self.on_received(listener.device, received)
        if listener.waiting is not None and not listener.waiting.done():
            listener.waiting.set_result(received)

    def _open_window(self, listener: _Listener, sent: RadioTransmission) -> ReceiveWindow:
        """The window that hears it, or a complaint with all that was open."""
        elapsed_us = sent.at_us - listener.ended_us
        for window in listener.windows:
            if abs(elapsed_us - window.delay_s * 1_000_000) <= TOLERANCE_US and _fits(window, sent):
                return window
        between = self._between_uplinks(listener.device, sent.at_us)
        if between is not None and _fits(between, sent):
            return between
        expected = "; ".join(_described(window) for window in listener.windows) or "no window"
        raise DeviceComplaint(
            listener.device.dev_eui,
            Complaint.OUTSIDE_WINDOWS,
            f"sent {elapsed_us / 1e6:.6f} s after the uplink at {sent.frequency_hz} Hz, "
            f"{sent.modulation}; open were {expected}",
        )

    def _between_uplinks(self, device: SimulatedDevice, at_us: int) -> ReceiveWindow | None:
        """What a device of class C always has open, and one of class B in its ping slots."""
        if device.device_class == "C":
            return device.radio.rx2_window()
        periodicity, session = device.desk.ping_slot_periodicity, device.session
        if device.device_class != "B" or periodicity is None or session is None:
            return None
        gps_us = at_us + self.gps_offset_us
        if not slot_beginning(gps_us, session.dev_addr, periodicity):
            return None
        return ping_window(device.region, session.dev_addr, gps_us, device.desk.ping_slot_channel)

    def _complain(self, listener: _Listener, complaint: DeviceComplaint) -> None:
        self.complaints.append(complaint)
        if listener.waiting is not None and not listener.waiting.done():
            listener.waiting.set_exception(complaint)


def _fits(window: ReceiveWindow, sent: RadioTransmission) -> bool:
    return window.frequency_hz == sent.frequency_hz and window.modulation == sent.modulation


def _described(window: ReceiveWindow) -> str:
    return f"{window.name} at {window.delay_s} s, {window.frequency_hz} Hz, {window.modulation}"
