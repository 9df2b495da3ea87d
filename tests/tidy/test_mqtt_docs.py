"""What `docs/mqtt.md` names is there, by that name."""

from __future__ import annotations

import re
from pathlib import Path

from bittern.config.settings import settings
from bittern.keys.ring import KeyRing
from bittern.outputs.broker.server import BrokerFiles, EmbeddedBroker
from bittern.types import Instant

TEXT = (Path(__file__).parents[2] / "docs/mqtt.md").read_text(encoding="utf-8")


def test_every_setting_named_is_one() -> None:
    named = set(re.findall(r"`(mqtt\.[a-z_]+)", TEXT)) - {"mqtt.password", "mqtt.users"}
    assert len(named) > 10
    assert named <= set(settings())


def test_every_bound_that_can_be_set_is_told() -> None:
    told = re.findall(r"^\| `(mqtt\.\w+)`(?:, `(mqtt\.\w+)`)? \| ", TEXT, re.MULTILINE)
    bounds = {path for pair in told for path in pair if path}
    counted = {
        path
        for path, setting in settings().items()
        if path.startswith("mqtt.") and type(setting.default) in (int, float)
    }
    assert counted - {"mqtt.port"} == bounds


def test_every_figure_is_told(tmp_path: Path) -> None:
    broker = EmbeddedBroker(
        host="127.0.0.1",
        port=0,
        files=BrokerFiles(password=tmp_path, users=tmp_path, sessions=tmp_path),
        sealer=KeyRing({1: b"k" * 32}),
        now=lambda: Instant(0.0),
    )
    table = TEXT.partition("## What to look at")[2].partition("\n## ")[0]
    told = {name.removesuffix("_total") for name in re.findall(r"`([a-z_]+)`", table)}
    assert told == set(broker.statistics())
