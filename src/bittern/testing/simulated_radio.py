"""The radio of a Basics Station built as its ``testsim`` variant, whose concentrator is a socket.

The station connects to a Unix stream socket and writes a record of 288 bytes for each frame that it
transmits; its first record only tells the offset of the concentrator's clock. Records of 300 bytes
in the other direction are receptions. Both are the packet structures of the SX1301's hardware
abstraction layer with the padding of a 64-bit little-endian machine.
"""

from __future__ import annotations

import asyncio
import struct
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bittern.lorawan.regions.plan import DataRate, Modulation, Plan

RX_SIZE = 300
TX_SIZE = 288

_RX = struct.Struct("<IBBxxIBBBxIBxxxffffHH")
_TX = struct.Struct("<IBxxxIBbBBIBBBxHBBH")

_CRC_OK = 0x10
_CODING_4_5 = 0x01
_LORA, _FSK = 0x10, 0x20
_BANDWIDTHS = {125: 0x03, 250: 0x02, 500: 0x01}
_KHZ = {code: khz for khz, code in _BANDWIDTHS.items()}
_HELLO_MODE = 255
_TIMESTAMPED_MODE = 1

MonotonicUs = Callable[[], int]


def monotonic_us() -> int:
    """The clock that the station derives its concentrator's from."""
    return time.monotonic_ns() // 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Transmitted:
    """A frame that the station put on air, or is about to: it tells 20 ms before."""

    phy_payload: bytes
    frequency_hz: int
    start_us: int
    """Concentrator clock, 64 bits of it."""
    spreading_factor: int
    """0 for FSK."""
    bandwidth_khz: int
    power_dbm: int
    inverted: bool
    has_crc: bool
    preamble: int
    timestamped: bool
    """Sent at a time; otherwise at once."""


def reception_record(
    phy_payload: bytes,
    *,
    frequency_hz: int,
    data_rate: DataRate,
    count_us: int,
    rssi_dbm: float = -50.0,
    snr_db: float = 9.0,
) -> bytes:
    """What the concentrator would hand to the station."""
    lora = data_rate.modulation is Modulation.LORA
    head = _RX.pack(
        frequency_hz,
        0,
        _CRC_OK,
        count_us & 0xFFFFFFFF,
        0,
        _LORA if lora else _FSK,
        _BANDWIDTHS[data_rate.bandwidth_khz] if lora else 0,
        _spreading_code(data_rate.spreading_factor) if lora else data_rate.bit_rate,
        _CODING_4_5,
        rssi_dbm,
        snr_db,
        snr_db,
        snr_db,
        0,
        len(phy_payload),
    )
    return (head + phy_payload).ljust(RX_SIZE, b"\0")


def clock_offset_us(record: bytes) -> int | None:
    """Of the first record: what the concentrator's clock is behind the monotonic one."""
    fields = _TX.unpack_from(record)
    return (fields[0] << 32 | fields[2]) if fields[1] == _HELLO_MODE else None


def transmission_of(record: bytes, now_us: int) -> Transmitted:
    """A transmission; ``now_us`` is the concentrator's clock, whose upper half the record lacks."""
    (
        frequency_hz,
        mode,
        count_us,
        _rf_chain,
        power_dbm,
        modulation,
        bandwidth,
        data_rate,
        _coding,
        inverted,
        _deviation,
        preamble,
        no_crc,
        _no_header,
        size,
    ) = _TX.unpack_from(record)
    ahead = (count_us - now_us + 2**31) % 2**32 - 2**31
    return Transmitted(
        phy_payload=record[_TX.size : _TX.size + size],
        frequency_hz=frequency_hz,
        start_us=now_us + ahead,
        spreading_factor=_spreading_factor(data_rate) if modulation == _LORA else 0,
        bandwidth_khz=_KHZ.get(bandwidth, 0),
        power_dbm=power_dbm,
        inverted=bool(inverted),
        has_crc=not no_crc,
        preamble=preamble,
        timestamped=mode == _TIMESTAMPED_MODE,
    )


def _spreading_code(spreading_factor: int) -> int:
    """One bit for each, SF7 the second."""
    return 1 << spreading_factor - 6


def _spreading_factor(code: int) -> int:
    return code.bit_length() + 5


class SimulatedRadio:
    """The air around one station. An async context manager, listening at `path` meanwhile."""

    def __init__(self, plan: Plan, now_us: MonotonicUs = monotonic_us) -> None:
        # A station keeps 63 characters of the path: a test's own folder is too long.
        self._folder = tempfile.TemporaryDirectory(prefix="radio-")
        self.path = Path(self._folder.name) / "socket"
        self._plan = plan
        self._now_us = now_us
        self._offset_us = 0
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._connected = asyncio.Event()
        self._transmitted: asyncio.Queue[Transmitted] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self.path)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        if self._writer is not None:
            self._writer.close()
        self._folder.cleanup()

    @property
    def clock_us(self) -> int:
        """The concentrator's clock."""
        return self._now_us() - self._offset_us

    async def until_connected(self, timeout_s: float = 10.0) -> None:
        """The station has started its radio. Every connection to an LNS restarts it."""
        await asyncio.wait_for(self._connected.wait(), timeout_s)

    def hear(
        self,
        phy_payload: bytes,
        *,
        frequency_hz: int,
        data_rate: int,
        ended_us: int | None = None,
        snr_db: float = 9.0,
    ) -> int:
        """The station hears a frame that ended just now, at ``ended_us`` of the concentrator's
        clock where that is given; returns when."""
        if self._writer is None:
            raise RuntimeError("the station has not started its radio")
        at_us = self.clock_us if ended_us is None else ended_us
        record = reception_record(
            phy_payload,
            frequency_hz=frequency_hz,
            data_rate=self._plan.data_rates[data_rate],
            count_us=at_us,
            snr_db=snr_db,
        )
        self._writer.write(record)
        return at_us

    async def transmitted(self, timeout_s: float = 10.0) -> Transmitted:
        """The next frame that the station transmits."""
        return await asyncio.wait_for(self._transmitted.get(), timeout_s)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        try:
            while True:
                self._on_record(await reader.readexactly(TX_SIZE))
        except (asyncio.IncompleteReadError, ConnectionResetError):
            pass
        finally:
            writer.close()
            if self._writer is writer:
                self._writer = None
                self._connected.clear()

    def _on_record(self, record: bytes) -> None:
        offset_us = clock_offset_us(record)
        if offset_us is None:
            self._transmitted.put_nowait(transmission_of(record, self.clock_us))
        else:
            self._offset_us = offset_us
            self._connected.set()
