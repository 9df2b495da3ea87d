from __future__ import annotations

import msgspec
import pytest

from bittern.testing.examples import CONNECTION, CUPS_CONTACT, REFUSED
from bittern.types import EUI64, GatewayEUI, Instant

EUI = "0016c001ff000001"
GATEWAY = GatewayEUI(EUI64.from_hex(EUI))


def seen(bittern, *parts) -> None:
    async def put(store) -> None:
        for part in parts:
            await store.put_gateway_state(GATEWAY, part)

    bittern.stored(put)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bittern.cli.workspace.Workspace.is_served", lambda _: True)


def test_show_tells_the_certificates(bittern) -> None:
    added = bittern.done("gateway", "add", EUI, "--json").json
    shown = bittern.done("gateway", "show", EUI, "--json").json
    assert shown["certificates"] == added["certificates"]
    assert {one["purpose"] for one in shown["certificates"]} == {"cups", "lns"}
    text = bittern.done("gateway", "show", EUI).stdout
    for certificate in shown["certificates"]:
        assert certificate["active"]
        assert len(certificate["fingerprint"]) == 64
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


@pytest.mark.usefixtures("served")
def test_show_explains_how_the_gateway_is(bittern) -> None:
    bittern.done("gateway", "add", EUI)
    seen(bittern, CONNECTION, CUPS_CONTACT, REFUSED)
    told = bittern.done("gateway", "show", EUI).stdout
    assert "connected since" in told
    assert "2.0.6(linux/std)" in told
    assert "125 ms" in told
    assert "update: it waits for its turn" in told
    assert "station_too_old at the LNS" in told
    assert "Update Basics Station" in told
    shown = bittern.done("gateway", "show", EUI, "--json").json
    assert shown["connection"]["changed_at"] == "2023-11-14T22:13:20.000Z"
    assert shown["cups"]["gifts"][0]["at"] == "2023-11-14T22:13:20.000Z"
    assert shown["refusal"]["refusal"] == "station_too_old"
    assert shown["cure"].startswith("Update Basics Station")


@pytest.mark.usefixtures("served")
def test_list_tells_who_is_connected_and_who_was_last_seen_when(bittern) -> None:
    bittern.done("gateway", "add", EUI)
    bittern.done("gateway", "add", EUI[:-1] + "2")
    seen(bittern, CONNECTION)
    listed = bittern.done("gateway", "list", "--json").json
    assert [one["state"] for one in listed] == ["connected", "never connected"]
    assert [one["last_seen_at"] for one in listed] == ["2023-11-14T22:14:20.500Z", None]
    seen(bittern, msgspec.structs.replace(CONNECTION, connected=False, changed_at=Instant(5.0)))
    assert "disconnected" in bittern.done("gateway", "list").stdout.splitlines()[1]


def test_nobody_is_called_connected_while_no_server_runs(bittern) -> None:
    bittern.done("gateway", "add", EUI)
    seen(bittern, CONNECTION)
    assert bittern.done("gateway", "list", "--json").json[0]["state"] == "no server"
    assert "no server runs" in bittern.done("gateway", "show", EUI).stdout
