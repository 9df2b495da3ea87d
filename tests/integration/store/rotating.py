"""A rotation, a line for each step, for `test_rotation.py`, which kills it.

python rotating.py DATA_DIR
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from bittern.config import Configuration
from bittern.installation import opened_keychain, sealed_things
from bittern.keys.data_keys import leaving
from bittern.keys.resealing import Resealing
from bittern.types import Instant


def now() -> Instant:
    return Instant(time.time())


async def main(data_dir: str) -> None:
    configuration = Configuration(data_dir=Path(data_dir))
    async with opened_keychain(configuration, now()) as keychain:
        sys.stdout.write("open\n")
        if not leaving(keychain.keys):
            await keychain.add(now())
            sys.stdout.write("added\n")
        await keychain.activate_coming()
        sys.stdout.write("active\n")
        resealing = Resealing(keychain, sealed_things(configuration), now)
        await resealing.run(told=lambda values: print(f"sealed {values}"))
        for _ in range(2):
            await resealing.settle(0)
            sys.stdout.write("settled\n")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    asyncio.run(main(*sys.argv[1:]))
