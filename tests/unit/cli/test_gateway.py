from __future__ import annotations

import ssl
import stat
from pathlib import Path

import pytest

from bittern.types import EUI64, GatewayEUI

EUI = "0016c001ff000001"


def gateway_of(bittern, eui: str = EUI):
    return bittern.stored(lambda store: store.gateway(GatewayEUI(EUI64.from_hex(eui))))


@pytest.mark.parametrize(
    "spelling", ["0016C001FF000001", "00-16-c0-01-ff-00-00-01", "16:c001:ff00:1"]
)
def test_gateway_is_added_by_any_spelling_of_its_eui(bittern, spelling: str) -> None:
    bittern.done("gateway", "add", spelling, "--region", "EU868")
    assert str(gateway_of(bittern).gateway_eui) == EUI


def test_added_gateway_has_all_that_was_said(bittern) -> None:
    bittern.done(
        *("gateway", "add", EUI, "--region", "us915", "--name", "roof", "--description", "old"),
        *("--sub-band", "3", "--sub-band", "1", "--max-eirp", "20.5", "--net-id", "000013"),
        *("--join-eui-range", "70b3d57ed0000000-70b3d57ed000ffff"),
        *("--join-eui-range", "0000000000000001", "--station-region", "US902"),
    )
    gateway = gateway_of(bittern)
    assert (gateway.region, gateway.name, gateway.description) == ("US915", "roof", "old")
    assert (gateway.sub_bands, gateway.max_eirp_dbm) == ((1, 3), 20.5)
    assert gateway.net_id_filters == (0x13,)
    assert gateway.join_eui_filters == ((0x70B3D57ED0000000, 0x70B3D57ED000FFFF), (1, 1))
    assert gateway.station_region == "US902"


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


def test_files_are_what_a_station_uses(bittern, tmp_path: Path) -> None:
    bittern.done("gateway", "add", EUI, "--files", tmp_path / "files")
    files = tmp_path / "files"
    assert sorted(one.name for one in files.iterdir()) == ["tc.crt", "tc.key", "tc.trust", "tc.uri"]
    assert (files / "tc.uri").read_text() == "wss://localhost:8887\n"
    assert (files / "tc.key").read_text().startswith("-----BEGIN EC PRIVATE KEY-----")  # SEC1
    assert {stat.S_IMODE(one.stat().st_mode) for one in files.iterdir()} == {0o600}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(files / "tc.trust")
    context.load_cert_chain(files / "tc.crt", files / "tc.key")


def test_uri_is_told_by_option_or_configuration(bittern, tmp_path: Path) -> None:
    config = tmp_path / "bittern.toml"
    config.write_text('[server]\nnames = ["lns.example.com"]\n[lns]\nport = 9000\n')
    bittern.done("gateway", "add", EUI, "--config", config, "--files", "one")
    assert Path("one/tc.uri").read_text() == "wss://lns.example.com:9000\n"
    uri = "wss://other.example.com:443"
    bittern.done("gateway", "add", EUI[:-1] + "2", "--uri", uri, "--files", "two")
    assert Path("two/tc.uri").read_text() == f"{uri}\n"


@pytest.mark.parametrize("uri", ["wss://no-port", "ws://plain:1", "wss://path:1/x"])
def test_uri_that_a_station_refuses_is_wrong_usage(bittern, uri: str) -> None:
    assert bittern("gateway", "add", EUI, "--uri", uri).exit_code == 2


def test_free_port_cannot_be_told_to_a_gateway(bittern, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITTERN_LNS__PORT", "0")
    done = bittern("gateway", "add", EUI)
    assert done.exit_code == 1
    assert "--uri" in done.stderr


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


def test_show_tells_the_certificate(bittern) -> None:
    added = bittern.done("gateway", "add", EUI, "--json").json
    shown = bittern.done("gateway", "show", EUI, "--json").json
    assert shown["certificates"] == added["certificates"]
    (certificate,) = shown["certificates"]
    assert certificate["active"]
    assert len(certificate["fingerprint"]) == 64
    text = bittern.done("gateway", "show", EUI).stdout
    assert certificate["fingerprint"] in text
    assert "active, valid until" in text
    assert "16:c001:ff00:1" in text


def test_list_is_a_table_and_json(bittern) -> None:
    bittern.done("gateway", "add", EUI, "--name", "roof")
    bittern.done("gateway", "add", EUI[:-1] + "2", "--region", "US915", "--sub-band", "1")
    lines = bittern.done("gateway", "list").stdout.splitlines()
    assert lines[1].split()[:3] == [EUI, "EU868", "roof"]
    assert lines[2].split()[:3] == [EUI[:-1] + "2", "US915", "1"]
    assert [one["eui"] for one in bittern.done("gateway", "list", "--json").json] == [
        EUI,
        EUI[:-1] + "2",
    ]


def test_removed_gateway_is_gone(bittern) -> None:
    bittern.done("gateway", "add", EUI)
    bittern.done("gateway", "remove", EUI)
    for verb in ("show", "remove"):
        done = bittern("gateway", verb, EUI)
        assert (done.exit_code, done.stderr) == (1, f"bittern: no gateway {EUI}\n")
