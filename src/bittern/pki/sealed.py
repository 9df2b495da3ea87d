"""The private keys of a data directory, for sealing anew: `keys.resealing`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from bittern.errors import SealBroken
from bittern.keys.ring import KeyRing
from bittern.keys.rotation import Counts, together
from bittern.pki import files
from bittern.pki.authority import place_of
from bittern.pki.identity import PLACE

logger = logging.getLogger("bittern.pki")


class SealedKeys:
    """Those of the authorities, and of the server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._left: Iterator[tuple[Path, str]] = iter(())
        self._is_under_way = False

    def count(self) -> Counts:
        return together({files.sealed_under(path): 1} for path, _ in self._keys())

    def reseal(self, ring: KeyRing, limit: int) -> int:
        """One at a time: there are few."""
        if not self._is_under_way:
            self._left = iter(self._keys())
        found = next(self._left, None)
        self._is_under_way = found is not None
        if found is None:
            return 0
        path, place = found
        try:
            if files.sealed_under(path) != ring.sealing_id:
                files.reseal(path, ring, place)
        except FileNotFoundError:
            pass  # an authority that was retired meanwhile
        except SealBroken as error:
            logger.error("%s: left as it is; %s was changed on the disk", error, path)
        return 1

    def _keys(self) -> list[tuple[Path, str]]:
        found = [(path, place_of(path.stem)) for path in sorted(self._folder.glob("ca*.key"))]
        server = self._folder / "server.pem"
        return [*found, *([(server, PLACE)] if server.exists() else [])]
