"""The four files by which a Basics Station finds the LNS and shows who it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from bittern.errors import Conflict
from bittern.pki import files
from bittern.pki.issuing import Issued

FILES = ("tc.uri", "tc.trust", "tc.crt", "tc.key")


@contextlib.contextmanager
def write_station_files(folder: Path, *, uri: str, trust: bytes, issued: Issued) -> Iterator[None]:
    """Write them as a station takes them: PEM, the key in SEC1 form, all with mode 0600.

    What is there already is never replaced: a key exists nowhere else. Raises `Conflict`. When the
    context ends by an exception the files are removed again.
    """
    contents = {
        "tc.uri": f"{uri}\n".encode(),
        "tc.trust": trust,
        "tc.crt": issued.certificate_pem,
        "tc.key": issued.private_key_pem(),
    }
    files.make_folder(folder)
    for name in FILES:
        if (folder / name).exists():
            raise Conflict("file", str(folder / name), "exists already and may be somebody's key")
    written: list[Path] = []
    try:
        for name in FILES:
            if not files.write_once(folder / name, contents[name]):
                raise Conflict("file", str(folder / name))
            written.append(folder / name)
        yield
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
