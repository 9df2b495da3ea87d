from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from bittern.app.join_server import running_join_server, tell
from bittern.config import Configuration
from bittern.config.settings import JoinServer
from bittern.errors import AlreadyServed
from bittern.network.join_desk import Told
from bittern.types import EUI64, DevEUI


async def test_it_makes_what_it_lacks_and_says_where_it_is(tmp_path: Path) -> None:
    configuration = Configuration(data_dir=tmp_path / "js", join_server=JoinServer(port=0))
    async with running_join_server(configuration) as address:
        assert re.fullmatch(r"https://127\.0\.0\.1:\d+", address)
        with pytest.raises(AlreadyServed):
            async with running_join_server(configuration):
                pass
    assert (tmp_path / "js" / "bittern.db").is_file()


def test_what_is_granted_is_told_and_what_is_refused_stands_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    tell(Told("JoinAns", DevEUI(EUI64.from_int(7)), "Success", ""))
    tell(Told("JoinAns", None, "MICFailed", "another MIC"))
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("INFO", "JoinAns dev_eui=0000000000000007 result=Success"),
        ("WARNING", "JoinAns result=MICFailed reason='another MIC'"),
    ]
