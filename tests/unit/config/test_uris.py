from __future__ import annotations

from collections.abc import Callable

import pytest

from bittern.config import Api, Configuration, Cups, Lns, Server
from bittern.config.uris import api_uri, cups_uri, lns_uri, server_name

NAMED = Server(names=("a.example", "b.example"))


def test_a_server_goes_by_its_first_name() -> None:
    assert server_name(Configuration(server=NAMED)) == "a.example"
    assert server_name(Configuration()) == "localhost"


@pytest.mark.parametrize(
    ("uri", "configuration", "expected"),
    [
        (lns_uri, Configuration(), "wss://localhost:8887"),
        (cups_uri, Configuration(), "https://localhost:8443"),
        (api_uri, Configuration(), "http://localhost:8080"),
        (lns_uri, Configuration(server=NAMED, lns=Lns(port=1)), "wss://a.example:1"),
        (cups_uri, Configuration(server=NAMED, cups=Cups(port=2)), "https://a.example:2"),
        (api_uri, Configuration(server=NAMED, api=Api(port=3, tls=True)), "https://a.example:3"),
    ],
)
def test_a_listener_is_reached_by_name_and_port(
    uri: Callable[..., str | None], configuration: Configuration, expected: str
) -> None:
    assert uri(configuration) == expected


def test_an_address_that_is_given_goes_before_name_and_port() -> None:
    given = Configuration(
        server=NAMED, lns=Lns(uri="wss://l.example:4"), cups=Cups(uri="https://c.example:5", port=0)
    )
    assert lns_uri(given, 6) == "wss://l.example:4"
    assert cups_uri(given) == "https://c.example:5"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (lns_uri, "wss://localhost:7"),
        (cups_uri, "https://localhost:7"),
        (api_uri, "http://localhost:7"),
    ],
)
def test_a_free_port_is_known_once_it_is_listened_on(
    uri: Callable[..., str | None], expected: str
) -> None:
    free = Configuration(lns=Lns(port=0), cups=Cups(port=0), api=Api(port=0))
    assert uri(free) is None
    assert uri(free, 7) == expected
