from __future__ import annotations

import pytest

from bittern.testing.examples import CUPS_CONTACT
from bittern.types import EUI64, GatewayEUI

EUI, OTHER = "0016c001ff000001", "0016c001ff000002"
LNS, CUPS = "wss://lns.example.com:8887", "https://cups.example.com:443"


def gateway_of(bittern, eui: str = EUI):
    return bittern.stored(lambda store: store.gateway(GatewayEUI(EUI64.from_hex(eui))))


@pytest.fixture(autouse=True)
def _two_gateways(bittern) -> None:
    bittern.done(*f"gateway add {EUI} --name roof --only lns --net-id 000013".split())
    bittern.done(*f"gateway add {OTHER} --region US915 --only lns".split())


def test_all_that_is_said_is_changed_and_nothing_else(bittern) -> None:
    before = gateway_of(bittern)
    bittern.done(
        *("gateway", "set", EUI, "--description", "old", "--max-eirp", "14", "--no-beacons"),
        *("--join-eui-range", "0000000000000001", "--allow-remote-shell"),
    )
    after = gateway_of(bittern)
    assert (after.description, after.max_eirp_dbm, after.beaconing) == ("old", 14.0, False)
    assert (after.join_eui_filters, after.remote_shell) == (((1, 1),), True)
    assert after.remote_commands is False
    assert (after.name, after.net_id_filters) == (before.name, before.net_id_filters)
    assert (after.id, after.created_at) == (before.id, before.created_at)


def test_what_was_set_can_be_taken_back(bittern) -> None:
    set_ = ("--max-eirp", "14", "--lns-uri", LNS, "--cups-uri", CUPS)
    bittern.done("gateway", "set", EUI, *set_, "--no-beacons", "--allow-remote-commands")
    assert (gateway_of(bittern).lns_uri, gateway_of(bittern).cups_uri) == (LNS, CUPS)
    back = ("--max-eirp", "none", "--lns-uri", "default", "--cups-uri", "default")
    flags = ("--beacons", "--forbid-remote-commands", "--no-filters")
    bittern.done("gateway", "set", EUI, *back, *flags)
    gateway = gateway_of(bittern)
    assert (gateway.max_eirp_dbm, gateway.lns_uri, gateway.cups_uri) == (None, None, None)
    assert (gateway.beaconing, gateway.remote_commands) == (True, False)
    assert gateway.net_id_filters == ()


@pytest.mark.parametrize("who", [("--all",), (EUI, OTHER)])
def test_several_gateways_are_moved_at_once(bittern, who: tuple[str, ...]) -> None:
    done = bittern.done("gateway", "set", *who, "--lns-uri", LNS)
    assert [gateway_of(bittern, one).lns_uri for one in (EUI, OTHER)] == [LNS, LNS]
    assert done.stderr.startswith(f"changed: {EUI} {OTHER}\n")


def test_who_never_asks_cups_is_named_when_it_is_to_be_moved(bittern) -> None:
    gateway = GatewayEUI(EUI64.from_hex(EUI))
    bittern.stored(lambda store: store.put_gateway_state(gateway, CUPS_CONTACT))
    done = bittern.done("gateway", "set", "--all", "--cups-uri", CUPS)
    assert done.stderr.endswith(f"never asked CUPS, so told of no address by it: {OTHER}\n")


def test_sub_bands_need_boards(bittern) -> None:
    two = ("--sub-band", "1", "--sub-band", "2")
    assert bittern("gateway", "set", OTHER, *two).exit_code == 2
    bittern.done("gateway", "set", OTHER, *two, "--boards", "2")
    assert (gateway_of(bittern, OTHER).sub_bands, gateway_of(bittern, OTHER).boards) == ((1, 2), 2)
    assert bittern("gateway", "set", OTHER, "--boards", "1").exit_code == 2


def test_nothing_is_changed_where_one_of_them_cannot_be(bittern) -> None:
    assert bittern("gateway", "set", "--all", "--sub-band", "1").exit_code == 2  # EU868 has none
    assert gateway_of(bittern, OTHER).sub_bands == (2,)
    done = bittern("gateway", "set", EUI, "0016c001ff00000f", "--description", "x")
    assert (done.exit_code, done.stderr) == (1, "bittern: no gateway 0016c001ff00000f\n")
    assert gateway_of(bittern).description == ""


@pytest.mark.parametrize(
    "arguments",
    [
        [EUI],
        ["--description", "x"],
        ["--all", EUI, "--description", "x"],
        ["--all", "--name", "x"],
        [EUI, "--no-filters", "--net-id", "000001"],
        [EUI, "--lns-uri", "ws://plain:1"],
        [EUI, "--max-eirp", "much"],
    ],
)
def test_what_makes_no_sense_is_wrong_usage(bittern, arguments: list[str]) -> None:
    assert bittern("gateway", "set", *arguments).exit_code == 2


def test_json_tells_what_the_gateways_are_now(bittern) -> None:
    told = bittern.done("gateway", "set", EUI, "--description", "x", "--json").json
    assert [(one["eui"], one["description"]) for one in told] == [(EUI, "x")]
