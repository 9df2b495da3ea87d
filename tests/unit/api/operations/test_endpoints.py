from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("asked", "kind", "uri"),
    [
        ({}, "CUPS", "https://cups.example:443"),
        ({"ServiceType": "CUPS"}, "CUPS", "https://cups.example:443"),
        ({"ServiceType": "LNS"}, "LNS", "wss://lns.example:8887"),
    ],
)
def test_an_endpoint_is_told_with_whom_to_trust(api: Any, asked: Any, kind: str, uri: str) -> None:
    found = api.wireless.get_service_endpoint(**asked)
    assert (found["ServiceType"], found["ServiceEndpoint"]) == (kind, uri)
    assert found["ServerTrust"] == api.services.authority.pem.decode()


def test_there_is_no_other_service(api: Any, refused: Any) -> None:
    with refused("ValidationException"):
        api.wireless.get_service_endpoint(ServiceType="XYZ")
