"""What of payload codecs is SQLite's own; the rest is in `../ports`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bittern.keys.ring import KeyRing
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import CODEC


async def test_codecs_outlive_the_process_with_every_character(
    tmp_path: Path, vault: KeyRing
) -> None:
    script = msgspec.structs.replace(CODEC, script="// Zähler, 温度 \U0001f321\r\n'\u2028\x00'")
    first = SqliteStore(tmp_path / "db", vault)
    await first.open()
    await first.add_codec(script)
    await first.close()
    again = SqliteStore(tmp_path / "db", vault)
    await again.open()
    try:
        assert await again.codec(script.account, script.name) == script
    finally:
        await again.close()
