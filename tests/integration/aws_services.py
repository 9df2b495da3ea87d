"""Stand-ins for services of AWS: moto's server, started here on a free loopback port."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import botocore.session
from output_chaos import Program, surroundings

from bittern.config import Aws, Configuration
from bittern.outputs.kinds import checked
from bittern.outputs.port import Message, Output
from bittern.types import EUI64

MISSING = [name for name in ("moto", "flask", "flask_cors") if find_spec(name) is None]
REASON = f"moto's server is not installed (moto[server]): no {', '.join(MISSING)}"
REGION = "eu-west-1"
ACCOUNT = "123456789012"
OWN = {"AWS_ACCESS_KEY_ID": "bittern", "AWS_SECRET_ACCESS_KEY": "not-secret"}
_COMMAND = "import sys; from moto.server import main; main(sys.argv[1:])"


class Moto(Program):
    """What it holds is gone when it stops."""

    def __init__(self, port: int, *options: str) -> None:
        command = [sys.executable, "-c", _COMMAND, "-H", "127.0.0.1", "-p", str(port), *options]
        super().__init__(command, port, env={**os.environ, **OWN})
        self.url = url_of(port)

    def client(self, service: str) -> Any:
        """Of a test, to make what an output needs and to see what arrived."""
        session = botocore.session.Session()
        session.set_credentials(*OWN.values())
        return session.create_client(service, region_name=REGION, endpoint_url=self.url)


def url_of(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def output_of(action: dict[str, Any], url: str, data_dir: Path, ca: Path | None = None) -> Output:
    """As a rule has it; services are at `url`."""
    aws = Aws(region=REGION, endpoint_url=url, ca=ca, connect_timeout_s=2, read_timeout_s=5)
    kind, parameters = checked(action)
    return kind.make("rule/1", parameters, surroundings(data_dir, Configuration(aws=aws)))


def message(payload: str, number: int, device: int = 1, **parameters: str) -> Message:
    """`parameters` are paths, with ``__`` for a full stop."""
    filled = {path.replace("__", "."): text for path, text in parameters.items()}
    return Message("", payload.encode(), f"m{number}", filled, EUI64.from_int(device))
