"""The files by which a Basics Station finds CUPS and the LNS, and shows who it is.

There are four for each: URI, trust, certificate and key. The station calls those of the LNS ``tc``.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bittern.errors import Conflict
from bittern.pki import files
from bittern.pki.authority import Authority
from bittern.pki.issuing import Issued, KeyKind, issue_gateway_certificate
from bittern.store.gateway_records import Place
from bittern.store.records import GatewayCertificate
from bittern.types import GatewayEUI, Instant

STEMS: dict[Place, str] = {"cups": "cups", "lns": "tc"}
PARTS = ("uri", "trust", "crt", "key")


def file_names(places: Iterable[Place] = tuple(STEMS)) -> list[str]:
    return [f"{STEMS[place]}.{part}" for place in places for part in PARTS]


@dataclass(frozen=True, slots=True)
class StationFiles:
    """The four files for one place."""

    place: Place
    uri: str
    authority: Authority
    issued: Issued

    @classmethod
    def made(
        cls,
        authority: Authority,
        gateway_eui: GatewayEUI,
        *,
        place: Place,
        uri: str,
        now: Instant,
        kind: KeyKind = "ec-p256",
    ) -> StationFiles:
        """With a certificate that lasts as long as the authority's."""
        issued = issue_gateway_certificate(authority, gateway_eui, now, kind)
        return cls(place, uri, authority, issued)

    def contents(self) -> dict[str, bytes]:
        """By name, as a station takes them: PEM, the key in SEC1 or PKCS#1 form."""
        parts = (f"{self.uri}\n".encode(), *self._credentials())
        return dict(zip(file_names([self.place]), parts, strict=True))

    def record(self, gateway_eui: GatewayEUI, now: Instant) -> GatewayCertificate:
        """What is kept of them: by the CRC the gateway will name them to CUPS."""
        return GatewayCertificate(
            fingerprint=self.issued.certificate_id,
            gateway_eui=gateway_eui,
            purpose=self.place,
            authority=self.authority.fingerprint,
            credentials_crc=zlib.crc32(b"".join(self._credentials())),
            not_after=self.issued.not_after,
            created_at=now,
        )

    def _credentials(self) -> tuple[bytes, bytes, bytes]:
        return self.authority.pem, self.issued.certificate_pem, self.issued.private_key_pem()


@contextlib.contextmanager
def write_station_files(folder: Path, sets: Sequence[StationFiles]) -> Iterator[None]:
    """Write them all, with mode 0600.

    What is there already is never replaced: a key exists nowhere else. Raises `Conflict`. When the
    context ends by an exception the files are removed again.
    """
    contents = {name: content for one in sets for name, content in one.contents().items()}
    files.make_folder(folder)
    for name in contents:
        if (folder / name).exists():
            raise Conflict("file", str(folder / name), "exists already and may be somebody's key")
    written: list[Path] = []
    try:
        for name, content in contents.items():
            if not files.write_once(folder / name, content):
                raise Conflict("file", str(folder / name))
            written.append(folder / name)
        yield
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
