"""A genuine Basics Station over TLS, with a radio of ours: what it accepts, sends and transmits.

Runs where BITTERN_STATION_BIN names a binary (version 2.0.6, variant ``testsim``).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bittern.config import Lns
from bittern.gateway.router_config import GatewaySettings, router_config
from bittern.gateway.station_limits import pause_after
from bittern.lorawan.airtime import time_on_air_s
from bittern.lorawan.radio import Reception, Transmission, Window
from bittern.lorawan.regions import names, plan
from bittern.network.events import GatewayConnected, GatewayDisconnected, GatewayRefused
from bittern.pki.authority import open_authority
from bittern.pki.issuing import Issued, issue_gateway_certificate
from bittern.store.records import Change, Gateway
from bittern.testing.genuine_station import VARIABLE, GenuineStation, station_binary, station_conf
from bittern.testing.lns_site import LnsSite, wall_clock
from bittern.testing.simulated_radio import SimulatedRadio
from bittern.types import EUI64, DevEUI, GatewayEUI, Instant, Refusal

BINARY = station_binary()

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.station,
    pytest.mark.skipif(BINARY is None, reason=f"{VARIABLE} names no Basics Station"),
]

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
OTHER = GatewayEUI(EUI64.from_hex("0016c001ff000002"))
DEVICE = DevEUI(EUI64.from_hex("00afee7cf5ed6f1e"))
DATA_UP = bytes.fromhex("40da1b01268002000195437876" + "2b11ff0de00db1e2")


@dataclass(frozen=True, slots=True)
class Scene:
    """A server, a genuine station and the air between it and its devices."""

    site: LnsSite
    station: GenuineStation
    radio: SimulatedRadio

    async def until_listening(self) -> None:
        await self.site.kept.event(GatewayConnected)
        await self.radio.until_connected()

    async def heard(self, phy_payload: bytes, frequency_hz: int, data_rate: int) -> Reception:
        """The server's reception of a frame that is on air now."""
        count = len(self.site.kept.uplinks)
        self.radio.hear(phy_payload, frequency_hz=frequency_hz, data_rate=data_rate)
        await self.site.kept.wait_for(lambda: len(self.site.kept.uplinks) > count)
        received, reception = self.site.kept.uplinks[count]
        assert received == phy_payload
        return reception


@asynccontextmanager
async def scene(
    folder: Path,
    gateway: Gateway | None = None,
    *,
    settings: Lns | None = None,
    certificate_of: GatewayEUI = EUI,
    has_pps: bool = False,
    spoil: Callable[[Path], None] = lambda home: None,
) -> AsyncIterator[Scene]:
    assert BINARY is not None
    gateway = gateway or Gateway(id="1", gateway_eui=EUI, created_at=Instant(0))
    home = folder / "home"
    home.mkdir()
    async with LnsSite(folder, settings) as site:
        issued: dict[GatewayEUI, Issued] = {EUI: site.add_gateway(gateway)}
        if certificate_of != EUI:
            other = Gateway(id="2", gateway_eui=certificate_of, created_at=Instant(0))
            issued[certificate_of] = site.add_gateway(other)
        site.write_station_files(home, issued[certificate_of])
        spoil(home)
        async with SimulatedRadio(plan(gateway.region)) as radio:
            conf = station_conf(EUI, radio.path, has_pps=has_pps)
            async with GenuineStation(BINARY, home, conf) as station:
                yield Scene(site, station, radio)


def channels(log: str) -> list[tuple[str, float]]:
    """Modems and their frequencies in MHz, as the station says that it has set them up."""
    found = re.findall(r"\[RAL:INFO\]  \[(mSF|STD|FSK)\] +\d+: +([0-9.]+)MHz", log)
    return [(modem, float(mhz)) for modem, mhz in found]


def class_a(reception: Reception, **changes: object) -> Transmission:
    usual: dict[str, object] = dict(
        downlink_id=77,
        dev_eui=DEVICE,
        device_class="A",
        phy_payload=bytes.fromhex("60da1b0126200100" + "01020304"),
        rx_delay_s=1,
        rx1=Window(3, 868_100_000),
        rx2=Window(0, 869_525_000),
        xtime=reception.xtime,
        rctx=reception.rctx,
    )
    return Transmission(**(usual | changes))  # type: ignore[arg-type]


# Connecting


async def test_it_connects_and_listens_to_exactly_the_channels_of_eu868(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.until_listening()
        [gateway] = at.site.server.connected()
        assert gateway.station == "2.0.6(linux/testsim)"
        await at.station.until_logged("Configuring for region: EU868 -- 863.0MHz..870.0MHz")
        assert channels(at.station.log) == [
            *(("mSF", mhz) for mhz in (867.1, 867.3, 867.5, 867.7, 867.9, 868.1, 868.3, 868.5)),
            ("STD", 868.3),
            ("FSK", 868.8),
        ]


async def test_it_connects_and_listens_to_exactly_the_channels_of_us915(tmp_path: Path) -> None:
    gateway = Gateway(id="1", gateway_eui=EUI, region="US915", created_at=Instant(0))
    async with scene(tmp_path, gateway) as at:
        await at.until_listening()
        await at.station.until_logged("Configuring for region: US915 -- 902.0MHz..928.0MHz")
        narrow = [round(903.9 + 0.2 * n, 1) for n in range(8)]
        assert channels(at.station.log) == [*(("mSF", mhz) for mhz in narrow), ("STD", 904.6)]


@pytest.mark.parametrize("region_name", names())
async def test_every_region_is_listened_to_and_transmitted_in(
    tmp_path: Path, region_name: str
) -> None:
    """Of a region that it does not know a station takes the channels and sends nothing: then the
    plan must name another one to it."""
    gateway = Gateway(id="1", gateway_eui=EUI, region=region_name, created_at=Instant(0))
    region = plan(region_name)
    async with scene(tmp_path, gateway) as at:
        await at.until_listening()
        wanted = router_config(region, GatewaySettings()).upchannels
        assert sorted({mhz for _, mhz in channels(at.station.log)}) == sorted(
            {frequency_hz / 1e6 for frequency_hz, _, _ in wanted}
        )
        frequency_hz, data_rate, _ = wanted[0]
        reception = await at.heard(DATA_UP, frequency_hz, data_rate)
        rx2 = Window(region.rx2_data_rate, region.rx2_frequency_hz)
        transmission = class_a(reception, device_class="C", rx1=None, rx2=rx2)
        assert at.site.server.transmit(EUI, transmission)
        assert (await at.radio.transmitted()).frequency_hz == region.rx2_frequency_hz


async def test_a_changed_gateway_comes_back_for_its_configuration(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.until_listening()
        at.site.directory.gateways[EUI] = Gateway(
            id="1", gateway_eui=EUI, region="US915", sub_bands=(1,), created_at=Instant(0)
        )
        at.site.server.follow([Change(1, "gateway", str(EUI))])
        await at.site.kept.event(GatewayConnected, 2)
        await at.station.until_logged("Configuring for region: US915")
        assert ("STD", 903.0) in channels(at.station.log)


async def test_the_certificate_of_another_gateway_is_explained_to_it(tmp_path: Path) -> None:
    async with scene(tmp_path, certificate_of=OTHER) as at:
        reason = f"certificate is of gateway {OTHER}, not {EUI}"
        await at.station.until_logged(reason)
        refused = await at.site.kept.event(GatewayRefused)
        assert (refused.refusal, refused.reason) == (
            Refusal.CERTIFICATE_OF_ANOTHER_GATEWAY,
            reason,
        )
        assert at.site.server.connected() == []


async def test_a_certificate_of_another_installation_is_told_to_the_operator(
    tmp_path: Path,
) -> None:
    def spoil(home: Path) -> None:
        elsewhere = open_authority(tmp_path / "elsewhere", wall_clock())
        issued = issue_gateway_certificate(elsewhere, EUI, wall_clock())
        (home / "tc.crt").write_bytes(issued.certificate_pem)
        (home / "tc.key").write_bytes(issued.private_key_pem())

    async with scene(tmp_path, spoil=spoil) as at:
        refused = await at.site.kept.event(GatewayRefused)
        assert refused.refusal is Refusal.CERTIFICATE_UNKNOWN
        assert refused.reason.startswith("certificate is not of this server's authority")


async def test_a_station_that_does_not_trust_the_server_is_told_to_the_operator(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def spoil(home: Path) -> None:
        (home / "tc.trust").write_bytes(open_authority(tmp_path / "elsewhere", wall_clock()).pem)

    with caplog.at_level(logging.WARNING, "bittern.servers.lns"):
        async with scene(tmp_path, spoil=spoil) as at:
            await at.station.until_logged("TLS server certificate verification failed")
            async with asyncio.timeout(10):
                while not at.site.server.statistics().failed_handshakes:
                    await asyncio.sleep(0.05)
    assert re.search(r"handshake failed peer=\S+ reason='TLS refused by the other end", caplog.text)


async def test_a_station_older_than_demanded_is_told(tmp_path: Path) -> None:
    async with scene(tmp_path, settings=Lns(port=0, minimum_station="2.0.7")) as at:
        await at.station.until_logged("station 2.0.6 is older than 2.0.7")
        refused = await at.site.kept.event(GatewayRefused)
        assert refused.refusal is Refusal.STATION_TOO_OLD


async def test_it_answers_pings(tmp_path: Path) -> None:
    settings = Lns(port=0, ping_interval_s=0.2, ping_timeout_s=0.5)
    async with scene(tmp_path, settings=settings) as at:
        await at.until_listening()
        await asyncio.sleep(2)  # unanswered, the first ping would have ended it long ago
        await at.heard(DATA_UP, 868_100_000, 3)
        kinds = [type(event) for event in at.site.kept.events]
        assert kinds == [GatewayConnected]


async def test_it_closes_with_the_server(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.until_listening()
        await at.site.server.__aexit__()
        gone = await at.site.kept.event(GatewayDisconnected)
        assert gone.reason == "the server is shutting down"
        await at.station.until_logged("Server sent close: reason=1001")


# Uplinks


@pytest.mark.parametrize(
    ("phy_payload", "frequency_hz", "data_rate"),
    [
        pytest.param(DATA_UP, 868_100_000, 3, id="data"),
        pytest.param(
            bytes.fromhex("80feffffff" + "a3ffff" + "030702" + "00" + "aabb" + "ffffffff"),
            867_900_000,
            0,
            id="confirmed data with FOpts and FPort 0",
        ),
        pytest.param(
            bytes.fromhex("40da1b0126" + "820200" + "0307" + "01020380"),
            868_300_000,
            6,
            id="data without FPort at 250 kHz",
        ),
        pytest.param(
            bytes.fromhex("40da1b0126" + "800200" + "01" + "55" * 222 + "01020304"),
            868_500_000,
            5,
            id="long data",
        ),
        pytest.param(
            bytes.fromhex("00dc0000d07ed5b3701e6fedf57ceeaf00ffff" + "010203f4"),
            868_100_000,
            0,
            id="join-request",
        ),
        pytest.param(
            bytes.fromhex("e0" + "0102030405060708090a0b0c"), 868_100_000, 5, id="proprietary"
        ),
        pytest.param(DATA_UP, 868_800_000, 7, id="FSK"),
    ],
)
async def test_frames_arrive_exactly_as_they_were_on_air(
    tmp_path: Path, phy_payload: bytes, frequency_hz: int, data_rate: int
) -> None:
    async with scene(tmp_path) as at:
        await at.until_listening()
        reception = await at.heard(phy_payload, frequency_hz, data_rate)
        assert reception.gateway_eui == EUI
        assert (reception.frequency_hz, reception.data_rate) == (frequency_hz, data_rate)
        assert reception.rssi_dbm == -50
        assert reception.snr_db == 9.0
        assert reception.gps_time_us is None


async def test_filters_hold_back_other_networks_and_join_servers(tmp_path: Path) -> None:
    gateway = Gateway(
        id="1",
        gateway_eui=EUI,
        net_id_filters=(0x13,),
        join_eui_filters=((0x70B3D57ED0000000, 0x70B3D57ED00000FF),),
        created_at=Instant(0),
    )
    async with scene(tmp_path, gateway) as at:
        await at.until_listening()
        other_network = bytes.fromhex("40da1b0148800200" + "0155" + "01020304")
        at.radio.hear(other_network, frequency_hz=868_100_000, data_rate=5)
        other_join_server = bytes.fromhex("00010000d07ed5b3711e6fedf57ceeaf0001000102" + "0304")
        at.radio.hear(other_join_server, frequency_hz=868_100_000, data_rate=5)
        ours = bytes.fromhex("00dc0000d07ed5b3701e6fedf57ceeaf000100" + "01020304")
        await at.heard(ours, 868_300_000, 5)
        await at.heard(DATA_UP, 868_500_000, 5)
        assert len(at.site.kept.uplinks) == 2


# Downlinks


@pytest.mark.parametrize("rx_delay_s", [1, 5])
async def test_a_downlink_is_transmitted_exactly_in_rx1(tmp_path: Path, rx_delay_s: int) -> None:
    async with scene(tmp_path) as at:
        await at.until_listening()
        heard_us = at.radio.hear(DATA_UP, frequency_hz=868_100_000, data_rate=3)
        [(_, reception)] = await at.site.kept.wait_for(lambda: at.site.kept.uplinks)
        transmission = class_a(reception, rx_delay_s=rx_delay_s)
        assert at.site.server.transmit(EUI, transmission)
        sent = await at.radio.transmitted()
        assert sent.start_us == heard_us + rx_delay_s * 1_000_000
        assert sent.phy_payload == transmission.phy_payload
        assert sent.frequency_hz == 868_100_000
        assert (sent.spreading_factor, sent.bandwidth_khz) == (9, 125)
        assert sent.timestamped
        assert sent.inverted
        assert not sent.has_crc
        assert sent.preamble == 8
        [report] = await at.site.kept.wait_for(lambda: at.site.kept.reports)
        assert (report.downlink_id, report.dev_eui, report.gateway_eui) == (77, DEVICE, EUI)
        assert (report.frequency_hz, report.data_rate) == (868_100_000, 3)
        assert report.xtime == reception.xtime + rx_delay_s * 1_000_000


async def test_rx2_alone_is_one_second_later(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.until_listening()
        heard_us = at.radio.hear(DATA_UP, frequency_hz=868_100_000, data_rate=3)
        [(_, reception)] = await at.site.kept.wait_for(lambda: at.site.kept.uplinks)
        assert at.site.server.transmit(EUI, class_a(reception, rx1=None))
        sent = await at.radio.transmitted()
        assert sent.start_us == heard_us + 2_000_000
        assert (sent.frequency_hz, sent.spreading_factor) == (869_525_000, 12)
        [report] = await at.site.kept.wait_for(lambda: at.site.kept.reports)
        assert (report.frequency_hz, report.data_rate) == (869_525_000, 0)


async def test_a_class_c_downlink_goes_out_at_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.until_listening()
        reception = await at.heard(DATA_UP, 868_100_000, 3)
        before_us = at.radio.clock_us
        transmission = class_a(reception, device_class="C", rx1=None, xtime=None)
        assert at.site.server.transmit(EUI, transmission)
        sent = await at.radio.transmitted()
        assert before_us < sent.start_us < before_us + 500_000
        assert sent.frequency_hz == 869_525_000


async def test_us915_answers_on_a_500_khz_channel(tmp_path: Path) -> None:
    gateway = Gateway(id="1", gateway_eui=EUI, region="US915", created_at=Instant(0))
    async with scene(tmp_path, gateway) as at:
        await at.until_listening()
        heard_us = at.radio.hear(DATA_UP, frequency_hz=903_900_000, data_rate=0)
        [(_, reception)] = await at.site.kept.wait_for(lambda: at.site.kept.uplinks)
        windows = {"rx1": Window(10, 923_300_000), "rx2": Window(8, 923_300_000)}
        assert at.site.server.transmit(EUI, class_a(reception, **windows))
        sent = await at.radio.transmitted()
        assert sent.start_us == heard_us + 1_000_000
        assert (sent.spreading_factor, sent.bandwidth_khz) == (10, 500)
        assert sent.frequency_hz == 923_300_000


async def test_after_a_frame_its_band_rests_and_rx2_is_taken_as_was_foreseen(
    tmp_path: Path,
) -> None:
    """41 ms on air at SF7 are followed by 4.1 s of silence in all of 868.0 to 868.6 MHz."""
    async with scene(tmp_path) as at:
        await at.until_listening()
        pause = pause_after("EU868", 868_100_000)
        assert pause is not None
        assert pause == pause_after("EU868", 868_300_000)
        airtime_s = time_on_air_s(plan("EU868").data_rates[5], 12, crc=False)
        assert airtime_s * pause.factor == pytest.approx(4.1, abs=0.05)
        windows = []
        for wait_s in (0, 2, 4):
            await asyncio.sleep(wait_s)
            heard_us = at.radio.hear(DATA_UP, frequency_hz=868_300_000, data_rate=5)
            count = len(windows) + 1
            await at.site.kept.wait_for(lambda count=count: len(at.site.kept.uplinks) >= count)
            _, reception = at.site.kept.uplinks[-1]
            assert at.site.server.transmit(EUI, class_a(reception, rx1=Window(5, 868_300_000)))
            sent = await at.radio.transmitted()
            windows.append((sent.start_us - heard_us) // 1_000_000)
        assert windows == [1, 2, 1]


async def test_a_class_b_downlink_goes_out_at_its_gps_time(tmp_path: Path) -> None:
    async with scene(tmp_path, has_pps=True) as at:
        await at.until_listening()
        await at.station.until_logged("Timesync with LNS: ")
        heard_us = at.radio.hear(DATA_UP, frequency_hz=868_100_000, data_rate=3)
        [(_, reception)] = await at.site.kept.wait_for(lambda: at.site.kept.uplinks)
        assert reception.gps_time_us is not None
        transmission = class_a(
            reception,
            device_class="B",
            rx1=Window(3, 869_525_000),
            rx2=None,
            xtime=None,
            gps_time_us=reception.gps_time_us + 1_500_000,
        )
        assert at.site.server.transmit(EUI, transmission)
        sent = await at.radio.transmitted()
        assert abs(sent.start_us - heard_us - 1_500_000) <= 10
        assert (sent.frequency_hz, sent.spreading_factor) == (869_525_000, 9)
        [report] = await at.site.kept.wait_for(lambda: at.site.kept.reports)
        assert report.gps_time_us is not None
        assert abs(report.gps_time_us - reception.gps_time_us - 1_500_000) <= 10


# Time


async def test_timesync_gives_uplinks_their_gps_time(tmp_path: Path) -> None:
    async with scene(tmp_path, has_pps=True) as at:
        await at.until_listening()
        await at.station.until_logged("Timesync with LNS: ")
        reception = await at.heard(DATA_UP, 868_100_000, 3)
        assert reception.gps_time_us is not None
        # GPS is 18 s ahead of UTC; what is left is the way from the radio to the server.
        ahead_s = reception.gps_time_us / 1e6 + 315_964_800 - 18 - reception.received_at
        assert abs(ahead_s) < 0.5
