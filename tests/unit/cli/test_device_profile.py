from __future__ import annotations

import pytest

from bittern.lorawan.versions import MacVersion
from bittern.store.records import DEFAULT_ACCOUNT, DeviceProfile

NORTH = "111122223333"

EVERYTHING = (
    *("--version", "1.1", "--region", "AS923-1", "--revision", "RP002-1.0.1", "--no-join"),
    *("--codec", "cayenne-lpp", "--no-32bit-fcnt"),
    *("--class-b", "--class-b-timeout", "9", "--ping-slot-period", "64"),
    *("--ping-slot-frequency", "923400000", "--ping-slot-data-rate", "3"),
    *("--beacon-frequency", "923500000", "--class-c", "--class-c-timeout", "10"),
    *("--rx1-delay", "2", "--rx1-dr-offset", "1", "--rx2-data-rate", "4"),
    *("--rx2-frequency", "923600000", "--preset-frequency", "922000000"),
    *("--preset-frequency", "922200000", "--downlink-frequency", "922000000=923000000"),
    *("--max-eirp", "14", "--max-duty-cycle", "1", "--uplink-dwell-time"),
    *("--no-downlink-dwell-time", "--adr-ack-limit-exp", "7", "--adr-ack-delay-exp", "4"),
    *("--rejoin-max-time", "3", "--rejoin-max-count", "5"),
)


def profiles(bittern) -> list[DeviceProfile]:
    return bittern.stored(lambda store: store.device_profiles(DEFAULT_ACCOUNT))


def test_every_field_can_be_set(bittern) -> None:
    done = bittern.done("device-profile", "add", "meters", *EVERYTHING)
    (found,) = profiles(bittern)
    assert done.stdout.strip() == found.id
    assert found == DeviceProfile(
        id=found.id,
        name="meters",
        mac_version=MacVersion.LORAWAN_1_1,
        reg_params_revision="RP002-1.0.1",
        region="AS923-1",
        supports_join=False,
        supports_class_b=True,
        supports_class_c=True,
        supports_32bit_fcnt=False,
        rx1_delay_s=2,
        rx1_dr_offset=1,
        rx2_data_rate=4,
        rx2_frequency_hz=923_600_000,
        factory_preset_frequencies_hz=(922_000_000, 922_200_000),
        downlink_frequencies_hz=((922_000_000, 923_000_000),),
        max_eirp_dbm=14,
        uplink_dwell_time=True,
        downlink_dwell_time=False,
        class_b_timeout_s=9,
        class_c_timeout_s=10,
        ping_slot_frequency_hz=923_400_000,
        ping_slot_data_rate=3,
        beacon_frequency_hz=923_500_000,
        adr_ack_limit_exp=7,
        adr_ack_delay_exp=4,
        rejoin_max_time_n=3,
        rejoin_max_count_n=5,
        ping_slot_period=64,
        max_duty_cycle=1,
        codec="cayenne-lpp",
    )
    unset = DeviceProfile(id=found.id, name="meters")
    same = {
        name for name in found.__struct_fields__ if getattr(found, name) == getattr(unset, name)
    }
    assert same == {"account", "id", "name"}, "an option for every field"


def test_what_is_not_given_is_as_the_record_has_it(bittern) -> None:
    bittern.done("device-profile", "add", "meters")
    (found,) = profiles(bittern)
    assert found == DeviceProfile(id=found.id, name="meters")


def test_list_and_show(bittern) -> None:
    added = bittern.done("device-profile", "add", "meters", *EVERYTHING, "--json").json
    bittern.done("device-profile", "add", "plain")
    header, *rows = bittern.done("device-profile", "list").stdout.splitlines()
    assert header.split() == ["NAME", "VERSION", "REGION", "CLASS", "JOINS", "CODEC", "ID"]
    assert sorted(row.split()[0] for row in rows) == ["meters", "plain"]
    assert added in bittern.done("device-profile", "list", "--json").json
    assert bittern.done("device-profile", "show", "meters", "--json").json == added
    assert bittern.done("device-profile", "show", added["id"], "--json").json == added
    told = bittern.done("device-profile", "show", "meters").stdout
    assert "922000000=923000000" in told
    assert "uplink dwell time" in told


def test_a_device_is_imported_with_it_and_keeps_it(bittern, tmp_path) -> None:
    bittern.done("device-profile", "add", "meters", "--codec", "cayenne-lpp")
    bittern.done("service-profile", "add", "plain")
    file = tmp_path / "devices.csv"
    eui, key = "70b3d57ed0000001", "01" * 16
    file.write_text(
        "DevEui,JoinEui,AppKey,DeviceProfile,ServiceProfile,Destination\n"
        f"{eui},{eui},{key},meters,plain,default\n"
    )
    bittern.done("device", "import", file)
    refused = bittern("device-profile", "remove", "meters")
    assert refused.exit_code == 1
    bittern.done("device", "remove", eui)
    assert (
        "device profile meters removed" in bittern.done("device-profile", "remove", "meters").stderr
    )
    assert profiles(bittern) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--rx1-delay", "99"), "rxDelay1"),
        (("--rx1-dr-offset", "9"), "rxDrOffset1"),
        (("--rx2-frequency", "868100050"), "multiple of 100"),
        (("--downlink-frequency", "868100000"), "UPLINK=DOWNLINK"),
        (("--revision", "RP003"), "regParamsRevision"),
        (("--adr-ack-limit-exp", "16"), "less than or equal to 15"),
    ],
)
def test_what_the_operation_refuses_is_wrong_usage(
    bittern, options: tuple[str, ...], told: str
) -> None:
    refused = bittern("device-profile", "add", "meters", *options)
    assert refused.exit_code == 2
    assert told in refused.stderr
    assert not bittern.data_dir.exists()


def test_its_codec_has_to_be_there(bittern) -> None:
    refused = bittern("device-profile", "add", "meters", "--codec", "unheard")
    assert (refused.exit_code, refused.stderr.splitlines()[-1]) == (1, "bittern: no codec unheard")


def test_profiles_are_of_one_account(bittern) -> None:
    bittern.done("account", "add", "north", "--id", NORTH)
    bittern.done("device-profile", "add", "meters", "--account", NORTH)
    assert bittern.done("device-profile", "list", "--json").json == []
    for verb in ("show", "remove"):
        refused = bittern("device-profile", verb, "meters")
        assert (refused.exit_code, refused.stderr) == (1, "bittern: no device profile meters\n")
    bittern.done("device-profile", "remove", "meters", "--account", NORTH)
