"""A device as it is printed: for a person, and as JSON. Keys only where they were asked for."""

from __future__ import annotations

from dataclasses import dataclass

from bittern.cli import output
from bittern.cli.owned import device_of
from bittern.lorawan.regional_parameters import RegionalParameters
from bittern.mac.session import Session
from bittern.store.disclosure import disclosed, keys_of, names_in_token
from bittern.store.protocol import Store
from bittern.store.records import (
    AbpActivation,
    Device,
    DeviceProfile,
    JoinServerActivation,
    OtaaActivation,
    QueuedDownlink,
)
from bittern.types import AES128Key, DevEUI

MASK = "•" * 32
NEWEST = list(RegionalParameters)[-1]
HINT = "--reveal-keys prints it"
IN_TOKEN = "in the token"


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that `device show` knows."""

    device: Device
    profile: DeviceProfile
    sessions: list[Session]
    waiting: list[QueuedDownlink]
    with_keys: bool

    @classmethod
    async def read(cls, store: Store, account: str, dev_eui: DevEUI, with_keys: bool) -> Shown:
        """Raises `NotFound`."""
        device = await device_of(store, account, dev_eui)
        profile = await store.device_profile(device.device_profile_id)
        assert profile is not None, "a device's profile is never removed before it"
        sessions = await store.sessions_of(dev_eui)
        return cls(device, profile, sessions, await store.queued(dev_eui), with_keys)

    def keys(self) -> dict[str, AES128Key]:
        return keys_of(self.device.activation, self.profile.mac_version)

    def document(self) -> dict[str, object]:
        document = device_document(self.device, self.profile)
        if self.with_keys:
            document["keys"] = {name: disclosed(key) for name, key in self.keys().items()}
        document["sessions"] = [_session_document(one) for one in self.sessions]
        document["queue"] = [downlink_document(one) for one in self.waiting]
        return document


def device_document(device: Device, profile: DeviceProfile) -> dict[str, object]:
    document: dict[str, object] = {
        "dev_eui": str(device.dev_eui),
        "id": device.id,
        "name": device.name,
        "description": device.description,
    }
    match device.activation:
        case OtaaActivation(join_eui=join_eui):
            document |= {"activation": "otaa", "join_eui": str(join_eui)}
            if names := names_in_token(device.activation):
                document["keys_in_token"] = names
        case JoinServerActivation(join_eui=join_eui):
            document |= {"activation": "join_server", "join_eui": str(join_eui)}
        case AbpActivation(dev_addr=dev_addr, fcnt_start=fcnt_start):
            document |= {
                "activation": "abp",
                "dev_addr": str(dev_addr),
                "fcnt_start": fcnt_start,
            }
    return document | {
        "mac_version": profile.mac_version,
        "region": profile.region,
        "reg_params_revision": profile.reg_params_revision or NEWEST,
        "class": "C" if profile.supports_class_c else "A",
        "destination": device.destination,
        "device_profile_id": device.device_profile_id,
        "service_profile_id": device.service_profile_id,
        "created_at": output.utc(device.created_at),
    }


def downlink_document(downlink: QueuedDownlink) -> dict[str, object]:
    return {
        "message_id": downlink.message_id,
        "fport": downlink.fport,
        "payload": downlink.payload.hex(),
        "confirmed": downlink.confirmed,
        "attempts": downlink.attempts,
        "queued_at": output.utc(downlink.queued_at),
    }


def _session_document(session: Session) -> dict[str, object]:
    last = session.last_uplink_at
    return {
        "dev_addr": str(session.dev_addr),
        "pending": session.pending,
        "fcnt_up": session.fcnt_up if session.fcnt_up >= 0 else None,
        "nfcnt_down": session.nfcnt_down,
        "afcnt_down": session.afcnt_down,
        "activated_at": output.utc(session.activated_at),
        "last_uplink_at": None if last is None else output.utc(last),
    }


def device_told(shown: Shown) -> list[dict[str, str]]:
    """Names and values, in groups."""
    device, profile = shown.device, shown.profile
    told = {"DevEUI": str(device.dev_eui), "name": device.name, "description": device.description}
    match device.activation:
        case OtaaActivation(join_eui=join_eui):
            told |= {"activation": "OTAA", "JoinEUI": str(join_eui)}
        case JoinServerActivation(join_eui=join_eui):
            told |= {"activation": "OTAA, by its join server", "JoinEUI": str(join_eui)}
        case AbpActivation(dev_addr=dev_addr):
            told |= {"activation": "ABP", "DevAddr": str(dev_addr)}
    told |= {
        "LoRaWAN": profile.mac_version,
        "region": f"{profile.region} {profile.reg_params_revision}".rstrip(),
        "class": "C" if profile.supports_class_c else "A",
        "destination": device.destination,
        "added": output.local_time(device.created_at),
        "queued": str(len(shown.waiting)),
    }
    told |= {
        spelled(name): disclosed(key) if shown.with_keys else f"{MASK}  {HINT}"
        for name, key in shown.keys().items()
    }
    told |= {spelled(name): IN_TOKEN for name in names_in_token(device.activation)}
    groups = [{name: value for name, value in told.items() if value}]
    return groups + [_session_told(session) for session in shown.sessions]


def _session_told(session: Session) -> dict[str, str]:
    last = session.last_uplink_at
    counters = f"FCntUp {session.fcnt_up}" if session.fcnt_up >= 0 else "no uplink yet"
    return {
        "session": f"DevAddr {session.dev_addr}"
        + (", offered and not used yet" if session.pending else ""),
        "": f"{counters}, next FCntDown {session.nfcnt_down}, activated"
        f" {output.local_time(session.activated_at)}"
        + ("" if last is None else f", last uplink {output.local_time(last)}"),
    }


def spelled(name: str) -> str:
    """`f_nwk_s_int_key` as the specification writes it: FNwkSIntKey."""
    return "".join(part.capitalize() for part in name.split("_"))
