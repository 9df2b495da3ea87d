from __future__ import annotations

from typing import Any


def test_secrets_of_the_services_do_not_print(api: Any) -> None:
    text = repr(api.services)
    assert "secret" not in text
    assert "authority" not in text
    assert "wss://lns.example:8887" in text
