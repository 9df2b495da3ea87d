from __future__ import annotations

from pathlib import Path

import pytest

from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.store.records import (
    DEFAULT_ACCOUNT,
    AbpActivation,
    JoinServerActivation,
    OtaaActivation,
)
from bittern.types import (
    EUI64,
    AppKey,
    AppSKey,
    DevAddr,
    DevEUI,
    FNwkSIntKey,
    JoinEUI,
    NwkKey,
    NwkSEncKey,
    SNwkSIntKey,
)

DEV_EUI = "70b3d57ed0000001"
KEYS = [f"{number:02x}" * 16 for number in range(1, 5)]
ADD = ("device", "add", DEV_EUI)
ABP_1_1 = (
    *("--version", "1.1", "--dev-addr", "26011bda", "--f-nwk-s-int-key", KEYS[0]),
    *("--s-nwk-s-int-key", KEYS[1], "--nwk-s-enc-key", KEYS[2], "--app-s-key", KEYS[3]),
)


def added(bittern):
    async def read(store):
        device = await store.device(DevEUI(EUI64.from_hex(DEV_EUI)))
        profile = await store.device_profile(device.device_profile_id)
        return device, profile, await store.sessions_of(device.dev_eui)

    return bittern.stored(read)


def test_joining_device_of_1_0(bittern) -> None:
    bittern.done(*ADD, "--app-key", KEYS[0], "--join-eui", "70b3d57ed0000000", "--version", "1.0.4")
    device, profile, sessions = added(bittern)
    assert device.activation == OtaaActivation(
        join_eui=JoinEUI(EUI64.from_hex("70b3d57ed0000000")), app_key=AppKey.from_hex(KEYS[0])
    )
    assert (profile.mac_version, profile.region) == (MacVersion.LORAWAN_1_0_4, "EU868")
    assert (profile.supports_join, profile.supports_class_c) == (True, False)
    assert device.destination == "default"
    assert sessions == []


def test_device_whose_root_keys_are_at_its_join_server(bittern) -> None:
    bittern.done(*ADD, "--join-server", "--join-eui", "70b3d57ed0000000")
    device, profile, _ = added(bittern)
    assert device.activation == JoinServerActivation(
        join_eui=JoinEUI(EUI64.from_hex("70b3d57ed0000000"))
    )
    assert profile.supports_join
    shown = bittern.done("device", "show", DEV_EUI).stdout
    assert "OTAA, by its join server" in shown
    assert "Key" not in shown
    shown = bittern.done("device", "show", DEV_EUI, "--reveal-keys", "--json").json
    assert (shown["activation"], shown["keys"]) == ("join_server", {})


@pytest.mark.parametrize("key", [("--app-key", KEYS[0]), ("--generate-keys",)])
def test_root_keys_are_not_given_to_a_network_that_is_not_to_have_them(bittern, key) -> None:
    refused = bittern(*ADD, "--join-server", *key)
    assert refused.exit_code == 2
    assert "bittern join-server device add" in refused.stderr


def test_joining_device_of_1_1(bittern) -> None:
    bittern.done(*ADD, "--version", "1.1", "--app-key", KEYS[0], "--nwk-key", KEYS[1])
    device, profile, _ = added(bittern)
    assert device.activation.app_key == AppKey.from_hex(KEYS[0])
    assert device.activation.nwk_key == NwkKey.from_hex(KEYS[1])
    assert profile.mac_version is MacVersion.LORAWAN_1_1


def test_personalized_device_of_1_0_has_a_session_at_once(bittern) -> None:
    bittern.done(
        *(*ADD, "--dev-addr", "26011bda", "--nwk-s-key", KEYS[0], "--app-s-key", KEYS[1]),
        *("--fcnt-start", "100", "--region", "US915"),
    )
    device, profile, (session,) = added(bittern)
    keys = SessionKeys.of_1_0(bytes.fromhex(KEYS[0]), bytes.fromhex(KEYS[1]))
    assert device.activation == AbpActivation(
        dev_addr=DevAddr.from_hex("26011bda"), keys=keys, fcnt_start=100
    )
    assert (session.dev_addr, session.fcnt_up, session.keys) == (
        DevAddr.from_hex("26011bda"),
        99,
        keys,
    )
    assert not profile.supports_join
    assert session.region == "US915"


@pytest.mark.parametrize(
    ("version", "text", "revision"),
    [
        ("1.0.3", "Regional Parameters v1.0.3rA", "RP001-1.0.3-RevA"),
        ("1.0.2", "b", "RP001-1.0.2-RevB"),
        ("1.0.4", "rp002-1.0.1", "RP002-1.0.1"),
        ("1.0.4", "", ""),
    ],
)
def test_profile_names_the_revision_of_the_regional_parameters(
    bittern, version: str, text: str, revision: str
) -> None:
    bittern.done(*ADD, "--app-key", KEYS[0], "--version", version, "--revision", text)
    assert added(bittern)[1].reg_params_revision == revision


@pytest.mark.parametrize("text", ["RP002-1.0.5", "RP003", "newest"])
def test_unknown_revision_is_refused_with_the_known_ones(bittern, text: str) -> None:
    refused = bittern(*ADD, "--app-key", KEYS[0], "--revision", text)
    told = " ".join(refused.stderr.replace("│", " ").split())
    assert refused.exit_code == 2
    assert "--revision" in told
    for known in ("TS001-1.0.0", "RP001-1.0.3-RevA", "RP002-1.0.4"):
        assert known in told


def test_personalized_device_has_the_session_of_its_revision(bittern) -> None:
    bittern.done(
        *(*ADD, "--dev-addr", "26011bda", "--nwk-s-key", KEYS[0], "--app-s-key", KEYS[1]),
        *("--region", "CN470", "--revision", "1.0.3"),
    )
    (session,) = added(bittern)[2]
    assert session.region == "CN470-96"
    assert session.radio.rx2_frequency_hz == 505_300_000


def test_revision_is_shown(bittern) -> None:
    bittern.done(*ADD, "--app-key", KEYS[0], "--revision", "RP002-1.0.2")
    assert "EU868 RP002-1.0.2" in bittern.done("device", "show", DEV_EUI).stdout
    shown = bittern.done("device", "show", DEV_EUI, "--json").json
    assert shown["reg_params_revision"] == "RP002-1.0.2"


def test_device_added_again_is_not_taken_for_the_one_before(bittern) -> None:
    """Its session has the same identity, so it must not have the same revision either."""
    abp = (*ADD, "--dev-addr", "26011bda", "--nwk-s-key", KEYS[0], "--app-s-key", KEYS[1])
    bittern.done(*abp)
    (before,) = added(bittern)[2]
    bittern.done("device", "remove", DEV_EUI)
    bittern.done(*abp)
    (after,) = added(bittern)[2]
    assert (before.dev_eui, before.generation) == (after.dev_eui, after.generation)
    assert before.revision != after.revision
    assert max(before.revision, after.revision) > 1 << 32


def test_personalized_device_of_1_1_has_four_keys(bittern) -> None:
    bittern.done(*ADD, *ABP_1_1)
    _, _, (session,) = added(bittern)
    assert session.keys == SessionKeys(
        FNwkSIntKey.from_hex(KEYS[0]),
        SNwkSIntKey.from_hex(KEYS[1]),
        NwkSEncKey.from_hex(KEYS[2]),
        AppSKey.from_hex(KEYS[3]),
    )


@pytest.mark.parametrize(("spelling", "supported"), [("a", False), ("C", True), ("c", True)])
def test_class_is_in_the_profile(bittern, spelling: str, supported: bool) -> None:
    bittern.done(*ADD, "--app-key", KEYS[0], "--class", spelling)
    assert added(bittern)[1].supports_class_c is supported


def test_devices_of_the_same_properties_share_their_profiles(bittern) -> None:
    for number in range(3):
        bittern.done("device", "add", f"70b3d57ed000010{number}", "--app-key", KEYS[0])
    bittern.done(*ADD, "--app-key", KEYS[0], "--region", "US915")
    assert len(bittern.stored(lambda store: store.device_profiles(DEFAULT_ACCOUNT))) == 2
    assert len(bittern.stored(lambda store: store.service_profiles(DEFAULT_ACCOUNT))) == 1


def test_keys_come_from_files_and_standard_input(bittern, tmp_path: Path) -> None:
    file = tmp_path / "app.key"
    file.write_text(f"{KEYS[0].upper()}\n")
    bittern.done(
        *(*ADD, "--version", "1.1", "--app-key", f"@{file}", "--nwk-key", "-"),
        stdin=f"{KEYS[1]}\n",
    )
    device, _, _ = added(bittern)
    assert device.activation.app_key == AppKey.from_hex(KEYS[0])
    assert device.activation.nwk_key == NwkKey.from_hex(KEYS[1])


def test_generated_keys_are_printed_once_and_stored(bittern) -> None:
    told = bittern.done(*ADD, "--version", "1.1", "--generate-keys", "--json").json["keys"]
    device, _, _ = added(bittern)
    assert device.activation.app_key == AppKey.from_hex(told["app_key"])
    assert device.activation.nwk_key == NwkKey.from_hex(told["nwk_key"])
    assert told["app_key"] != told["nwk_key"]
    text = bittern.done("device", "add", "70b3d57ed0000002", "--generate-keys").stdout
    assert text.startswith("AppKey  ")


def test_given_keys_are_not_printed(bittern) -> None:
    for arguments in (
        (*ADD, "--app-key", KEYS[0]),
        ("device", "add", "aa" * 8, *ABP_1_1, "--json"),
    ):
        done = bittern.done(*arguments)
        assert not any(key in done.stdout + done.stderr for key in KEYS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--app-key"),
        (("--app-key", KEYS[0], "--nwk-key", KEYS[1]), "LoRaWAN 1.0.3 has no NwkKey"),
        (("--app-key", KEYS[0], "--version", "1.1"), "--nwk-key"),
        (("--app-key", KEYS[0], "--nwk-s-key", KEYS[1]), "--nwk-s-key"),
        (("--app-key", KEYS[0], "--fcnt-start", "5"), "--fcnt-start"),
        (("--dev-addr", "26011bda", "--nwk-s-key", KEYS[0]), "--app-s-key"),
        ((*ABP_1_1, "--nwk-s-key", KEYS[0]), "--nwk-s-key"),
        ((*ABP_1_1, "--app-key", KEYS[0]), "--app-key"),
        ((*ABP_1_1, "--generate-keys"), "--generate-keys"),
        (("--app-key", KEYS[0], "--version", "1.0.9"), "--version"),
        (("--app-key", KEYS[0], "--region", "XX"), "--region"),
        (("--app-key", KEYS[0], "--class", "B"), "--class"),
        (("--app-key", "@nowhere"), "nowhere: no such file"),
    ],
)
def test_contradiction_is_wrong_usage(bittern, arguments: tuple, said: str) -> None:
    done = bittern(*ADD, *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not bittern.data_dir.exists()


@pytest.mark.parametrize("mistyped", [KEYS[0][:-1], KEYS[0] + "0", KEYS[0][:-1] + "x"])
def test_mistyped_key_is_not_repeated(bittern, mistyped: str) -> None:
    done = bittern(*ADD, "--app-key", mistyped)
    assert done.exit_code == 2
    assert "32 hexadecimal digits" in done.stderr
    assert KEYS[0][:8] not in done.stdout + done.stderr


def test_destination_that_is_not_there_is_refused(bittern) -> None:
    done = bittern(*ADD, "--app-key", KEYS[0], "--destination", "nowhere")
    assert done.exit_code == 1
    assert "nowhere" in done.stderr
    assert bittern.done("device", "list", "--json").json == []


def test_device_is_added_once(bittern) -> None:
    bittern.done(*ADD, "--app-key", KEYS[0])
    done = bittern(*ADD, "--app-key", KEYS[1])
    assert (done.exit_code, done.stderr) == (1, f"bittern: device {DEV_EUI} exists already\n")
