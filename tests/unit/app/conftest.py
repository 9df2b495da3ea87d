"""A server of its own, on free ports of this machine."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bittern.config import Configuration, load


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    ports = {f"BITTERN_{listener}__PORT": "0" for listener in ("API", "LNS", "MQTT", "CUPS")}
    return msgspec.structs.replace(load(None, ports), data_dir=tmp_path / "data")
