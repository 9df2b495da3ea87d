"""The records of the store fit the shapes that deliveries need; mypy holds the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_type_hints

import msgspec
import pytest

from bittern.outputs import port
from bittern.store import records


@pytest.mark.parametrize("name", ["Delivery", "Destination"])
def test_record_of_the_store_has_every_field_of_the_port(name: str) -> None:
    shape = getattr(port, name)
    wanted = {field for field, value in vars(shape).items() if isinstance(value, property)}
    assert wanted
    assert wanted <= set(getattr(records, name).__struct_fields__)


def test_message_is_a_value(make_delivery: Callable[..., records.Delivery]) -> None:
    message = port.Message("a/b", b"{}", "m1")
    assert message == port.Message("a/b", b"{}", "m1")
    with pytest.raises(AttributeError):
        message.topic = "c"  # type: ignore[misc]
    assert get_type_hints(port.Message)["payload"] is bytes
    assert isinstance(message, msgspec.Struct)
