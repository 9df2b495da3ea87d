from __future__ import annotations

import msgspec
import pytest

from bittern.cli.device_add import device_profile
from bittern.cli.device_text import Shown, device_told, spelled
from bittern.lorawan import regions
from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.mac.personalization import personalize
from bittern.store.records import AbpActivation, Device
from bittern.types import EUI64, DevAddr, DevEUI, Instant

KEYS = SessionKeys.of_1_0(bytes([1]) * 16, bytes([2]) * 16)
DEV_EUI = DevEUI(EUI64.from_hex("70b3d57ed0000001"))
DEV_ADDR = DevAddr.from_hex("26011bda")
PROFILE = device_profile(MacVersion.LORAWAN_1_0_3, "EU868", device_class="A", joins=False)
DEVICE = Device(
    id="x",
    dev_eui=DEV_EUI,
    destination="default",
    device_profile_id=PROFILE.id,
    service_profile_id="y",
    activation=AbpActivation(dev_addr=DEV_ADDR, keys=KEYS),
    created_at=Instant(0.0),
)
SESSION = personalize(
    DEV_EUI,
    DEV_ADDR,
    KEYS,
    profile=PROFILE,
    plan=regions.plan("EU868"),
    now=Instant(0.0),
    first_revision=0,
)


def shown(*, with_keys: bool = False, **session: object) -> Shown:
    return Shown(DEVICE, PROFILE, [msgspec.structs.replace(SESSION, **session)], [], with_keys)


@pytest.mark.parametrize(
    ("name", "word"),
    [("app_key", "AppKey"), ("f_nwk_s_int_key", "FNwkSIntKey"), ("nwk_s_key", "NwkSKey")],
)
def test_keys_are_spelled_as_the_specification_does(name: str, word: str) -> None:
    assert spelled(name) == word


def test_masked_keys_say_how_to_see_them() -> None:
    told, _ = device_told(shown())
    assert "--reveal-keys" in told["AppSKey"]
    assert "02" not in told["AppSKey"]


def test_revealed_keys_are_named_in_full() -> None:
    told, _ = device_told(shown(with_keys=True))
    assert (told["NwkSKey"], told["AppSKey"]) == ("01" * 16, "02" * 16)


def test_session_that_was_not_used_yet_says_so() -> None:
    _, session = device_told(shown(pending=True))
    assert session["session"] == "DevAddr 26011bda, offered and not used yet"
    assert session[""].startswith("no uplink yet, next FCntDown 0")


def test_session_in_use_tells_its_counters() -> None:
    used = shown(fcnt_up=12, nfcnt_down=3, last_uplink_at=Instant(60.0))
    _, session = device_told(used)
    assert session[""].startswith("FCntUp 12, next FCntDown 3, activated ")
    (document,) = used.document()["sessions"]
    assert (document["fcnt_up"], document["nfcnt_down"]) == (12, 3)
    assert document["last_uplink_at"] == "1970-01-01T00:01:00.000Z"


def test_document_has_no_keys_unless_they_are_revealed() -> None:
    assert "keys" not in shown().document()
    assert shown(with_keys=True).document()["keys"] == {
        "nwk_s_key": "01" * 16,
        "app_s_key": "02" * 16,
    }
