"""docs/reference/aws-actions.md names every kind of action for AWS and every endpoint."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest

from bittern.config.settings import AwsService
from bittern.outputs.aws_output import AwsOutput
from bittern.outputs.kinds import MODULES

ROOT = Path(__file__).parents[2]
LOCAL = {"cloudwatchMetric": "none"}


@pytest.fixture(scope="module")
def rows(reference_page: Any) -> list[dict[str, str]]:
    found: list[dict[str, str]] = reference_page("aws-actions.md").rows("Action", "Endpoint")
    return found


def services() -> dict[str, str]:
    """Of the kinds whose modules have an output to AWS."""
    found = {}
    for name, module in MODULES.items():
        if not (ROOT / f"src/bittern/outputs/{module}.py").is_file():
            continue
        for member in vars(import_module(f"bittern.outputs.{module}")).values():
            if (
                isinstance(member, type)
                and issubclass(member, AwsOutput)
                and member is not AwsOutput
            ):
                found[name] = member.service
    return found


def test_every_action_has_its_row_and_its_endpoint(rows: list[dict[str, str]]) -> None:
    told = {row["Action"].strip("`"): row["Endpoint"].strip("`") for row in rows}
    assert told == services() | LOCAL


def test_every_endpoint_can_be_configured() -> None:
    assert set(services().values()) == set(get_args(AwsService))
