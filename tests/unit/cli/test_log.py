from __future__ import annotations

import io
import json
import logging

from bittern.cli.log import start_logging
from bittern.config import Log


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def logged(settings: Log, stream: io.StringIO) -> list[str]:
    start_logging(settings, stream)
    logging.getLogger("bittern.test").info("join dev_eui=%s", "70b3")
    try:
        raise ValueError("odd")
    except ValueError:
        logging.getLogger("bittern.test").exception("failed")
    return stream.getvalue().splitlines()


def test_log_is_text_in_a_terminal() -> None:
    first, *rest = logged(Log(), Terminal())
    assert first.endswith("Z INFO bittern.test join dev_eui=70b3")
    assert rest[-1] == "ValueError: odd"


def test_log_is_json_elsewhere() -> None:
    first, second = map(json.loads, logged(Log(), io.StringIO()))
    assert first.pop("time").endswith("Z")
    assert first == {"level": "info", "logger": "bittern.test", "message": "join dev_eui=70b3"}
    assert second["traceback"].endswith("ValueError: odd")


def test_format_may_be_chosen() -> None:
    assert logged(Log(format="json"), Terminal())[0].startswith("{")
    assert not logged(Log(format="text"), io.StringIO())[0].startswith("{")


def test_less_than_the_level_is_not_written() -> None:
    (only,) = logged(Log(level="error"), io.StringIO())
    assert json.loads(only)["message"] == "failed"
