"""Records of a simulated concentrator, byte by byte, and the socket that carries them."""

from __future__ import annotations

import asyncio
import struct

import pytest

from bittern.lorawan.regions import plan
from bittern.testing.simulated_radio import (
    RX_SIZE,
    TX_SIZE,
    SimulatedRadio,
    Transmitted,
    clock_offset_us,
    reception_record,
    transmission_of,
)

EU868 = plan("EU868")
HELLO = bytes.fromhex("01000000ff00000000e40b54").ljust(TX_SIZE, b"\0")
OFFSET_US = 0x1_540BE400
SENT = (
    bytes.fromhex(
        "a027be33"  # 868 100 000 Hz
        "01000000"  # at a time
        "40420f00"  # 1 000 000 us
        "00" "0e"  # radio 0, 14 dBm
        "10" "03"  # LoRa, 125 kHz
        "08000000"  # SF9
        "01" "01" "00" "00"  # 4/5, inverted
        "0800" "01" "00"  # preamble, no CRC, explicit header
        "0300"  # bytes
        "a1b2c3"
    )
).ljust(TX_SIZE, b"\0")  # fmt: skip


def test_reception_is_laid_out_as_the_concentrators() -> None:
    record = reception_record(
        b"\x40\x01\x02",
        frequency_hz=868_100_000,
        data_rate=EU868.data_rates[0],
        count_us=0x1_0000_0005,
    )
    assert len(record) == RX_SIZE
    assert struct.unpack_from("<I", record, 0) == (868_100_000,)
    assert record[5] == 0x10  # CRC is right
    assert struct.unpack_from("<I", record, 8) == (5,)
    assert record[13:15] == b"\x10\x03"  # LoRa, 125 kHz
    assert struct.unpack_from("<I", record, 16) == (0x40,)  # SF12
    assert struct.unpack_from("<ff", record, 24) == (-50.0, 9.0)
    assert struct.unpack_from("<H", record, 42) == (3,)
    assert record[44:48] == b"\x40\x01\x02\x00"


def test_fsk_has_its_bit_rate() -> None:
    record = reception_record(
        b"", frequency_hz=868_800_000, data_rate=EU868.data_rates[7], count_us=0
    )
    assert record[13] == 0x20
    assert struct.unpack_from("<I", record, 16) == (50_000,)


def test_first_record_tells_the_clocks_offset() -> None:
    assert clock_offset_us(HELLO) == OFFSET_US
    assert clock_offset_us(SENT) is None


def test_transmission_is_read() -> None:
    assert transmission_of(SENT, 900_000) == Transmitted(
        phy_payload=b"\xa1\xb2\xc3",
        frequency_hz=868_100_000,
        start_us=1_000_000,
        spreading_factor=9,
        bandwidth_khz=125,
        power_dbm=14,
        inverted=True,
        has_crc=False,
        preamble=8,
        timestamped=True,
    )


@pytest.mark.parametrize("now_us", [2**32 + 900_000, 2**32 + 1_100_000, 2**32 - 5])
def test_start_has_the_upper_half_that_is_nearest(now_us: int) -> None:
    assert transmission_of(SENT, now_us).start_us == 2**32 + 1_000_000


async def test_a_station_connects_hears_and_transmits() -> None:
    async with SimulatedRadio(EU868, now_us=lambda: OFFSET_US + 7) as radio:
        with pytest.raises(RuntimeError, match="not started its radio"):
            radio.hear(b"\x40", frequency_hz=868_100_000, data_rate=5)
        reader, writer = await asyncio.open_unix_connection(radio.path)
        writer.write(HELLO)
        await radio.until_connected()
        assert radio.clock_us == 7
        assert radio.hear(b"\x40", frequency_hz=868_100_000, data_rate=5) == 7
        record = await reader.readexactly(RX_SIZE)
        assert struct.unpack_from("<I", record, 8) == (7,)
        writer.write(SENT)
        assert (await radio.transmitted()).phy_payload == b"\xa1\xb2\xc3"
        writer.close()
        assert await reader.read() == b""


async def test_a_path_is_short_enough_for_a_station() -> None:
    async with SimulatedRadio(EU868) as radio:
        assert len(str(radio.path)) < 64
        assert radio.path.is_socket()
    assert not radio.path.exists()
