"""The device's end of a session: writes uplinks, reads downlinks, and both ends must agree."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import pytest

from bittern.lorawan.crypto import (
    SessionKeys,
    crypt_fopts,
    crypt_frm_payload,
    data_down_mic,
    data_up_mic_1_0,
    data_up_mic_1_1,
)
from bittern.lorawan.frame import DataDown, DataUp, MType, parse
from bittern.lorawan.regions import plan
from bittern.lorawan.regions.plan import Plan
from bittern.lorawan.versions import MacVersion
from bittern.mac.session import RadioState, Session
from bittern.mac.uplink import accept
from bittern.mac.wanted import extra_channels, wanted
from bittern.store.records import DeviceProfile, ServiceProfile
from bittern.types import (
    EUI64,
    AppSKey,
    DevAddr,
    DevEUI,
    FNwkSIntKey,
    Instant,
    NwkSEncKey,
    SNwkSIntKey,
)

DEV_ADDR = DevAddr.from_hex("260b1234")
NOW = Instant(1_700_000_000.0)


class Profile(DeviceProfile, frozen=True, kw_only=True):
    """A LinkProfile."""

    id: str = "sensor"


class Policy(ServiceProfile, frozen=True, kw_only=True):
    """A LinkPolicy."""

    id: str = "standard"


def keys_of_1_1(seed: int) -> SessionKeys:
    def value(number: int) -> bytes:
        return bytes((seed, number)) * 8

    return SessionKeys(
        FNwkSIntKey(value(1)), SNwkSIntKey(value(2)), NwkSEncKey(value(3)), AppSKey(value(4))
    )


@dataclass
class Device:
    """Knows keys, address and version of its session; counters are given by the test."""

    version: MacVersion = MacVersion.LORAWAN_1_0_3
    seed: int = 1
    keys: SessionKeys = field(init=False)
    dev_addr: DevAddr = DEV_ADDR
    plan: Plan = field(default_factory=lambda: plan("EU868"))

    def __post_init__(self) -> None:
        if self.is_1_1:
            self.keys = keys_of_1_1(self.seed)
        else:
            self.keys = SessionKeys.of_1_0(bytes((self.seed,)) * 16, bytes((self.seed, 9)) * 8)

    @property
    def is_1_1(self) -> bool:
        return self.version is MacVersion.LORAWAN_1_1

    def session(self, **fields: object) -> Session:
        """What the network knows of it."""
        made = Session(
            dev_eui=DevEUI(EUI64.from_int(self.seed)),
            generation=0,
            dev_addr=self.dev_addr,
            mac_version=self.version,
            region=self.plan.name,
            keys=self.keys,
            radio=RadioState(
                rx1_delay_s=1,
                rx1_dr_offset=0,
                rx2_data_rate=self.plan.rx2_data_rate,
                rx2_frequency_hz=self.plan.rx2_frequency_hz,
                extra_channels=extra_channels(self.plan),
            ),
            activated_at=NOW,
        )
        return msgspec.structs.replace(made, **fields)

    def uplink(
        self,
        fcnt: int,
        payload: bytes = b"",
        *,
        fport: int | None = None,
        fopts: bytes = b"",
        confirmed: bool = False,
        ack: bool = False,
        adr: bool = False,
        adr_ack_req: bool = False,
        conf_fcnt: int = 0,
        tx_dr: int = 5,
        tx_ch: int = 0,
    ) -> bytes:
        """PHYPayload; `fcnt` is the device's full counter."""
        keys = self.keys
        if self.is_1_1 and fopts:
            fopts = crypt_fopts(keys.nwk_s_enc_key, fopts, self.dev_addr, fcnt, uplink=True)
        if payload:
            key = keys.app_s_key if fport else keys.nwk_s_enc_key
            payload = crypt_frm_payload(key, payload, self.dev_addr, fcnt, uplink=True)
        msg = DataUp(
            mtype=MType.CONFIRMED_DATA_UP if confirmed else MType.UNCONFIRMED_DATA_UP,
            dev_addr=self.dev_addr,
            adr=adr,
            adr_ack_req=adr_ack_req,
            ack=ack,
            fcnt16=fcnt & 0xFFFF,
            fopts=fopts,
            fport=fport,
            frm_payload=payload,
        ).to_bytes()[:-4]
        if not self.is_1_1:
            return msg + data_up_mic_1_0(keys.f_nwk_s_int_key, msg, self.dev_addr, fcnt)
        return msg + data_up_mic_1_1(
            keys.f_nwk_s_int_key,
            keys.s_nwk_s_int_key,
            msg,
            self.dev_addr,
            fcnt,
            conf_fcnt=conf_fcnt,
            tx_dr=tx_dr,
            tx_ch=tx_ch,
        )

    def read(self, phy_payload: bytes, fcnt: int, *, conf_fcnt: int = 0) -> DataDown:
        """A downlink with its MIC checked and everything in clear."""
        frame = parse(phy_payload)
        assert isinstance(frame, DataDown)
        assert frame.dev_addr == self.dev_addr
        assert frame.fcnt16 == fcnt & 0xFFFF
        keys, addr = self.keys, self.dev_addr
        assert frame.mic == data_down_mic(
            keys.s_nwk_s_int_key, phy_payload[:-4], addr, fcnt, conf_fcnt=conf_fcnt
        )
        fopts, payload = frame.fopts, frame.frm_payload
        if self.is_1_1 and fopts:
            by_application = bool(frame.fport)
            fopts = crypt_fopts(
                keys.nwk_s_enc_key, fopts, addr, fcnt, uplink=False, a_fcnt_down=by_application
            )
        if payload:
            key = keys.app_s_key if frame.fport else keys.nwk_s_enc_key
            payload = crypt_frm_payload(key, payload, addr, fcnt, uplink=False)
        return msgspec.structs.replace(frame, fopts=fopts, frm_payload=payload)


@pytest.fixture
def device() -> Device:
    """Of LoRaWAN 1.0.3."""
    return Device()


@pytest.fixture
def device_1_1() -> Device:
    return Device(MacVersion.LORAWAN_1_1)


@pytest.fixture(scope="session")
def make_device() -> type[Device]:
    return Device


@pytest.fixture
def profile() -> Profile:
    return Profile()


@pytest.fixture(scope="session")
def make_profile() -> type[Profile]:
    return Profile


@pytest.fixture(scope="session")
def make_policy() -> type[Policy]:
    return Policy


@pytest.fixture(scope="session")
def want():
    """What the network wants of a device: of EU868 and with the channels that it adds, but without
    DevStatusReq, unless told. `policy` has the fields of the service profile."""

    def want(region: str = "EU868", policy: dict[str, object] | None = None, **profile: object):
        return wanted(
            Profile(**profile),
            Policy(**({"dev_status_req_freq": 0} | (policy or {}))),
            plan(region),
        )

    return want


@pytest.fixture(scope="session")
def hear():
    """The network hears a frame: `accept` on the first channel of EU868 at DR5, unless told."""

    def hear(
        phy_payload: bytes,
        *sessions: Session,
        region: str = "EU868",
        data_rate: int = 5,
        frequency_hz: int = 868_100_000,
    ):
        frame = parse(phy_payload)
        assert isinstance(frame, DataUp)
        return accept(
            frame,
            phy_payload,
            sessions,
            data_rate=data_rate,
            frequency_hz=frequency_hz,
            plan=plan(region),
            now=NOW,
        )

    return hear
