from __future__ import annotations

import ssl
import stat
import zlib
from pathlib import Path

import pytest

from bittern.cli.station_files import file_names
from bittern.types import EUI64, GatewayEUI

EUI = "0016c001ff000001"


def gateway_of(bittern, eui: str = EUI):
    return bittern.stored(lambda store: store.gateway(GatewayEUI(EUI64.from_hex(eui))))


def certificates_of(bittern):
    return bittern.stored(lambda store: store.certificates_of(GatewayEUI(EUI64.from_hex(EUI))))


@pytest.mark.parametrize(
    "spelling", ["0016C001FF000001", "00-16-c0-01-ff-00-00-01", "16:c001:ff00:1"]
)
def test_gateway_is_added_by_any_spelling_of_its_eui(bittern, spelling: str) -> None:
    bittern.done("gateway", "add", spelling, "--region", "EU868")
    assert str(gateway_of(bittern).gateway_eui) == EUI


def test_added_gateway_has_all_that_was_said(bittern) -> None:
    bittern.done(
        *("gateway", "add", EUI, "--region", "us915", "--name", "roof", "--description", "old"),
        *(
            "--sub-band",
            "3",
            "--sub-band",
            "1",
            "--boards",
            "2",
            "--max-eirp",
            "20.5",
            "--net-id",
            "000013",
        ),
        *("--join-eui-range", "70b3d57ed0000000-70b3d57ed000ffff"),
        *("--join-eui-range", "0000000000000001", "--station-region", "US902"),
        *("--no-beacons", "--allow-remote-shell", "--allow-remote-commands"),
    )
    gateway = gateway_of(bittern)
    assert (gateway.region, gateway.name, gateway.description) == ("US915", "roof", "old")
    assert (gateway.sub_bands, gateway.max_eirp_dbm) == ((1, 3), 20.5)
    assert gateway.net_id_filters == (0x13,)
    assert gateway.join_eui_filters == ((0x70B3D57ED0000000, 0x70B3D57ED000FFFF), (1, 1))
    assert (gateway.station_region, gateway.boards, gateway.beaconing) == ("US902", 2, False)
    assert (gateway.remote_shell, gateway.remote_commands) == (True, True)


def test_nothing_remote_is_allowed_unless_it_is_said(bittern) -> None:
    bittern.done("gateway", "add", EUI)
    gateway = gateway_of(bittern)
    assert (gateway.remote_shell, gateway.remote_commands) == (False, False)
    assert (gateway.beaconing, gateway.boards) == (True, 1)


def test_more_sub_bands_than_boards_are_wrong_usage(bittern) -> None:
    done = bittern(*f"gateway add {EUI} --region US915 --sub-band 1 --sub-band 2".split())
    assert done.exit_code == 2
    assert "--boards" in done.stderr


def test_what_no_station_could_be_configured_with_is_wrong_usage(bittern) -> None:
    ranges = [f"{n:016x}-{n + 1:016x}" for n in range(0, 22, 2)]
    options = [part for one in ranges for part in ("--join-eui-range", one)]
    done = bittern("gateway", "add", EUI, *options)
    assert done.exit_code == 2
    assert "a station keeps 10 ranges" in " ".join(done.stderr.split())
    assert not Path(f"gateway-{EUI}").exists()


def test_region_is_that_of_the_configuration_where_none_is_said(bittern, tmp_path: Path) -> None:
    config = tmp_path / "bittern.toml"
    config.write_text('[network]\nregion = "US915"\n')
    bittern.done("gateway", "add", EUI, "--config", config)
    assert gateway_of(bittern).region == "US915"


def test_gateway_of_a_fixed_plan_has_the_customary_sub_band(bittern) -> None:
    bittern.done("gateway", "add", EUI, "--region", "US915")
    assert gateway_of(bittern).sub_bands == (2,)


@pytest.mark.parametrize(("region", "sub_band"), [("EU868", "1"), ("US915", "9")])
def test_sub_band_that_is_none_is_wrong_usage(bittern, region: str, sub_band: str) -> None:
    done = bittern("gateway", "add", EUI, "--region", region, "--sub-band", sub_band)
    assert done.exit_code == 2
    assert "--sub-band" in done.stderr


@pytest.mark.parametrize("stem", ["cups", "tc"])
def test_files_are_what_a_station_uses(bittern, stem: str) -> None:
    bittern.done("gateway", "add", EUI, "--files", "files")
    files = Path("files")
    assert sorted(one.name for one in files.iterdir()) == sorted(file_names())
    assert (files / "cups.uri").read_text() == "https://localhost:8443\n"
    assert (files / "tc.uri").read_text() == "wss://localhost:8887\n"
    assert (files / f"{stem}.key").read_text().startswith("-----BEGIN EC PRIVATE KEY-----")  # SEC1
    assert {stat.S_IMODE(one.stat().st_mode) for one in files.iterdir()} == {0o600}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(files / f"{stem}.trust")
    context.load_cert_chain(files / f"{stem}.crt", files / f"{stem}.key")


@pytest.mark.parametrize(("place", "stem"), [("cups", "cups"), ("lns", "tc")])
def test_certificate_of_each_place_is_registered_with_the_crc_of_its_files(
    bittern, place: str, stem: str
) -> None:
    bittern.done("gateway", "add", EUI, "--files", "files")
    found = {one.purpose: one for one in certificates_of(bittern)}
    assert set(found) == {"cups", "lns"}
    parts = [Path(f"files/{stem}.{part}").read_bytes() for part in ("trust", "crt", "key")]
    assert found[place].credentials_crc == zlib.crc32(b"".join(parts))
    assert len(found[place].authority) == 64


@pytest.mark.parametrize(("only", "stem"), [("cups", "cups"), ("lns", "tc")])
def test_files_for_one_place_come_with_its_certificate_alone(bittern, only: str, stem: str) -> None:
    done = bittern.done("gateway", "add", EUI, "--only", only, "--files", "files")
    assert {one.stem for one in Path("files").iterdir()} == {stem}
    assert [one.purpose for one in certificates_of(bittern)] == [only]
    assert done.stderr.endswith(f"files: {stem}.uri {stem}.trust {stem}.crt {stem}.key\n")


def test_keys_are_of_the_kind_that_is_configured(bittern, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITTERN_CERTIFICATES__KEY_TYPE", "rsa-2048")
    bittern.done("gateway", "add", EUI, "--files", "files")
    assert Path("files/cups.key").read_text().startswith("-----BEGIN RSA PRIVATE KEY-----")


def test_uri_is_told_by_option_or_configuration(bittern, tmp_path: Path) -> None:
    config = tmp_path / "bittern.toml"
    config.write_text(
        '[server]\nnames = ["lns.example.com"]\n[lns]\nport = 9000\n[cups]\nport = 9443\n'
    )
    bittern.done("gateway", "add", EUI, "--config", config, "--files", "one")
    assert Path("one/tc.uri").read_text() == "wss://lns.example.com:9000\n"
    assert Path("one/cups.uri").read_text() == "https://lns.example.com:9443\n"
    lns, cups = "wss://other.example.com:443", "https://other.example.com:444"
    other = EUI[:-1] + "2"
    bittern.done("gateway", "add", other, "--uri", lns, "--cups-uri", cups, "--files", "two")
    assert Path("two/tc.uri").read_text() == f"{lns}\n"
    assert Path("two/cups.uri").read_text() == f"{cups}\n"
    assert [gateway_of(bittern).lns_uri, gateway_of(bittern).cups_uri] == [None, None]
    gateway = gateway_of(bittern, other)
    assert [gateway.lns_uri, gateway.cups_uri] == [lns, cups]  # CUPS does not take it back


@pytest.mark.parametrize(
    ("option", "uri"),
    [
        ("--uri", "wss://no-port"),
        ("--uri", "ws://plain:1"),
        ("--uri", "wss://path:1/x"),
        ("--uri", f"wss://{'long.' * 30}example:1"),
        ("--cups-uri", "http://plain:1"),
        ("--cups-uri", "wss://lns:1"),
    ],
)
def test_uri_that_a_station_refuses_is_wrong_usage(bittern, option: str, uri: str) -> None:
    assert bittern("gateway", "add", EUI, option, uri).exit_code == 2


@pytest.mark.parametrize(("section", "option"), [("LNS", "--uri"), ("CUPS", "--cups-uri")])
def test_free_port_cannot_be_told_to_a_gateway(
    bittern, monkeypatch: pytest.MonkeyPatch, section: str, option: str
) -> None:
    monkeypatch.setenv(f"BITTERN_{section}__PORT", "0")
    done = bittern("gateway", "add", EUI)
    assert done.exit_code == 1
    assert option in done.stderr


def test_gateway_is_added_once_and_its_files_stay(bittern) -> None:
    bittern.done("gateway", "add", EUI, "--files", "one")
    key = Path("one/tc.key").read_bytes()
    done = bittern("gateway", "add", EUI, "--files", "two")
    assert (done.exit_code, done.stderr) == (1, f"bittern: gateway {EUI} exists already\n")
    assert not Path("two").exists()
    assert Path("one/tc.key").read_bytes() == key


def test_files_of_another_gateway_are_never_replaced(bittern) -> None:
    bittern.done("gateway", "add", EUI, "--files", "one")
    key = Path("one/tc.key").read_bytes()
    done = bittern("gateway", "add", EUI[:-1] + "2", "--files", "one")
    assert done.exit_code == 1
    assert "exists already" in done.stderr
    assert Path("one/tc.key").read_bytes() == key
    assert gateway_of(bittern, EUI[:-1] + "2") is None
