"""Discovery: who may connect, where to, and what the others are told."""

from __future__ import annotations

import json

import pytest

from bittern.errors import GatewayProtocolError
from bittern.gateway.discovery import (
    accepting_answer,
    data_path,
    gateway_of_path,
    read_request,
    refusing_answer,
)
from bittern.types import EUI64, GatewayEUI, Refusal

GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))


@pytest.mark.parametrize(
    "message",
    [
        '{"router":"16:c001:ff00:1"}',
        b'{"router":"16:c001:ff00:1","more":[]}',
        '{"router":"00-16-C0-01-FF-00-00-01"}',
        '{"router":6403564293324801}',
    ],
)
def test_a_station_says_which_gateway_it_is(message: str | bytes) -> None:
    assert read_request(message) == GATEWAY


@pytest.mark.parametrize("message", ["", "[]", "{}", '{"router":null}', '{"router":1.5}', b"\xff"])
def test_no_request_is_malformed(message: str | bytes) -> None:
    with pytest.raises(GatewayProtocolError, match="discovery request") as caught:
        read_request(message)
    assert caught.value.refusal is Refusal.MALFORMED_MESSAGE


@pytest.mark.parametrize(
    "message",
    ['{"router":"x"}', '{"router":""}', '{"router":-1}', '{"router":18446744073709551616}'],
)
def test_no_eui_is_a_malformed_eui(message: str) -> None:
    with pytest.raises(GatewayProtocolError) as caught:
        read_request(message)
    assert caught.value.refusal is Refusal.MALFORMED_GATEWAY_EUI


def test_the_answer_names_the_data_connection() -> None:
    assert json.loads(accepting_answer(GATEWAY, "wss://lns.example:8887")) == {
        "router": "16:c001:ff00:1",
        "muxs": "::0",
        "uri": "wss://lns.example:8887/gateway/0016c001ff000001",
    }


def test_a_uri_longer_than_a_station_takes_is_an_error() -> None:
    with pytest.raises(ValueError, match="127 characters"):
        accepting_answer(GATEWAY, f"wss://{'a' * 100}:8887")


def test_the_refusal_is_told() -> None:
    assert json.loads(refusing_answer(GATEWAY, "no")) == {"router": "16:c001:ff00:1", "error": "no"}
    assert json.loads(refusing_answer(None, "no")) == {"router": "::0", "error": "no"}


def test_data_path_comes_back() -> None:
    assert gateway_of_path(data_path(GATEWAY)) == GATEWAY


@pytest.mark.parametrize("path", ["", "/", "/gateway", "/gateway/", "/gateway/x", "/router-info"])
def test_other_paths_are_of_no_gateway(path: str) -> None:
    assert gateway_of_path(path) is None
