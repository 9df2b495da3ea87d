from __future__ import annotations

from typing import Any

import pytest

from bittern.pki.authority import open_authority
from bittern.pki.rotation import introduce
from bittern.testing.examples import NOW


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
    assert found["ServerTrust"] == api.authority.pem.decode()


def test_after_a_rotation_the_next_authority_is_to_be_trusted(api: Any, tmp_path: Any) -> None:
    before = api.wireless.get_service_endpoint()["ServerTrust"]
    open_authority(tmp_path, NOW)
    api.authority = introduce(tmp_path, NOW).issuing
    after = api.wireless.get_service_endpoint()["ServerTrust"]
    assert after == api.authority.pem.decode() != before


def test_there_is_no_other_service(api: Any, refused: Any) -> None:
    with refused("ValidationException"):
        api.wireless.get_service_endpoint(ServiceType="XYZ")
