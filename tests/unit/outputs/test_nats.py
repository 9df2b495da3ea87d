"""What needs no server; with one: tests/integration/test_output_nats.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bittern.config import Configuration
from bittern.errors import DeliveryRejected, DeliveryUnavailable, RuleError
from bittern.outputs.kinds import Surroundings, checked
from bittern.outputs.nats import KIND, checked_subject
from bittern.outputs.port import Message, Output

SERVER = "nats://127.0.0.1:1"


@pytest.fixture
def world(output: Output, tmp_path: Path) -> Surroundings:
    (tmp_path / "secrets").mkdir()
    return Surroundings(
        configuration=Configuration(), data_dir=tmp_path, broker=output, chance=lambda: 0.0
    )


@pytest.mark.parametrize("subject", ["", "a b", "a.*", "a.>", ".a", "a.", "a..b", "$JS.API.x"])
def test_what_is_no_subject_is_rejected(subject: str) -> None:
    with pytest.raises(DeliveryRejected, match="no subject"):
        checked_subject(subject)


def test_subjects_have_levels() -> None:
    assert checked_subject("lake.1.ü$") == "lake.1.ü$"


async def test_nobody_there_is_unavailable(world: Surroundings) -> None:
    parameters = {"servers": [SERVER], "subject": "a"}
    async with KIND.make("r/0", parameters, world) as output:
        with pytest.raises(DeliveryUnavailable):
            await output.publish([Message("", b"1", "m1")])
        assert not output.health().working
        assert output.statistics()["connections"] == 0


async def test_absent_password_is_told(world: Surroundings) -> None:
    login = {"username": "u", "passwordFile": "absent"}
    parameters = {"servers": [SERVER], "subject": "a", **login}
    async with KIND.make("r/0", parameters, world) as output:
        with pytest.raises(DeliveryUnavailable, match="secrets/absent"):
            await output.publish([Message("", b"1", "m1")])


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"subject": "a"}, "missing required field servers"),
        ({"servers": [], "subject": "a"}, "at least one"),
        ({"servers": ["http://x"], "subject": "a"}, "servers: nats://"),
        ({"servers": ["nats://u:p@x"], "subject": "a"}, "servers: nats://"),
        ({"servers": [SERVER], "subject": "a.*"}, "no subject"),
        ({"servers": [SERVER], "subject": "a", "stream": "s"}, "only with jetStream"),
        ({"servers": [SERVER], "subject": "a", "username": "u"}, "username: it comes with"),
        ({"servers": [SERVER], "subject": "a", "tokenFile": "/x"}, "tokenFile"),
        (
            {"servers": [SERVER], "subject": "a", "headers": [{"key": "a:", "value": ""}]},
            "headers",
        ),
    ],
)
def test_what_cannot_work_is_refused_when_the_rule_is_made(
    parameters: dict[str, Any], told: str
) -> None:
    with pytest.raises(RuleError, match=told):
        checked({"nats": parameters})


def test_subject_and_headers_are_templates() -> None:
    parameters = {"subject": "${a}", "headers": [{"key": "k", "value": "${v}"}]}
    assert list(KIND.templates(parameters)) == ["subject", "headers.0.key", "headers.0.value"]
