"""What `docs/keys.md` names is there, by that name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from bittern.cli.keys import app
from bittern.cli.token import app as token
from bittern.config.settings import settings
from bittern.keys.choose import _CHOICES
from bittern.keys.data_keys import State
from bittern.keys.environment import VARIABLE
from bittern.outputs.broker.sealed import of_message, of_retained
from bittern.store.sqlite.sealed import COLUMNS

TEXT = (Path(__file__).parents[2] / "docs/keys.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_every_setting_named_is_one() -> None:
    named = set(re.findall(r"`(keys\.[a-z_0-9]+)`", TEXT))
    assert len(named) > 10
    assert named <= set(settings())
    assert VARIABLE in TEXT


def test_every_provider_is_told() -> None:
    told = re.findall(r"^\| `([a-z0-9-]+)` \| in ", section("Providers"), re.MULTILINE)
    assert set(told) == set(_CHOICES)


def test_everything_that_is_sealed_is_told() -> None:
    table = section("What is sealed")
    told = set(re.findall(r"`([a-z_]+\.[a-z]+)`", table.partition("Not sealed")[0]))
    broker = {of_message("", 0, b"")[0], of_retained("")[0]}
    expected = {f"{column.table}.{column.column}" for column in COLUMNS}
    expected |= {place.partition(":")[0] for place in broker}
    assert told - {"mqtt.db"} == expected


def test_every_state_is_told() -> None:
    told = re.findall(r"^\| `([a-z]+)` \| ", section("Two kinds of keys"), re.MULTILINE)
    assert set(told) == set(get_args(State))


def test_every_command_named_is_one() -> None:
    verbs = {command.name for command in app.registered_commands}
    assert set(re.findall(r"bittern keys ([a-z]+)", TEXT)) == verbs
    verbs = {command.name for command in token.registered_commands}
    assert set(re.findall(r"bittern token ([a-z-]+)", TEXT)) == verbs
