"""Update images in an S3-compatible store, each kept in a file from then on.

Everything here blocks and runs in a thread. The store is asked for the ETag of an object; one that
is kept under that ETag is not fetched again.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bittern.errors import ImageUnavailable
from bittern.pki.files import make_folder
from bittern.types import Instant

if TYPE_CHECKING:
    from botocore.client import BaseClient

SCHEME = "s3://"
PIECE_SIZE = 256 * 1024
CONNECT_S = 5.0
READ_S = 15.0
ATTEMPTS = 2
FRESH_S = 60.0
"""How long an answer about an object is good for: a thousand gateways ask for one image."""
KEPT_IMAGES = 4
"""The folder of kept objects has room for so many of the longest that are served."""
_DRAFT = ".part"


class Object(NamedTuple):
    """The place of an object."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"


class _Known(NamedTuple):
    at: Instant
    name: str


def parse_source(source: str) -> Object:
    """``s3://BUCKET/KEY``. Raises ValueError."""
    bucket, _, key = source.removeprefix(SCHEME).partition("/")
    if not source.startswith(SCHEME) or not bucket or not key:
        raise ValueError(f"{SCHEME}BUCKET/KEY, not {source!r}")
    return Object(bucket, key)


class S3Images:
    """One store, and the folder in which objects of it are kept."""

    def __init__(
        self,
        folder: Path,
        endpoint: str | None,
        *,
        limit: int,
        connect: Callable[[str | None], Any] | None = None,
    ) -> None:
        """``limit``: bytes of the longest object that is fetched. ``endpoint`` None: AWS."""
        self.folder = folder
        self._endpoint = endpoint
        self._limit = limit
        self._connect = connect or client
        self._client: Any = None
        self._connecting = threading.Lock()
        self._making_room = threading.Lock()
        self._known: dict[str, _Known] = {}

    def kept(self, source: str, now: Instant, stop: threading.Event) -> str:
        """The name of the file in `folder` that holds the object now. Raises `ImageUnavailable`."""
        try:
            place = parse_source(source)
        except ValueError as error:
            raise ImageUnavailable(str(error)) from None
        known = self._known.get(source)
        if known is not None and 0 <= now - known.at < FRESH_S and self._use(known.name):
            return known.name
        with _told(source, self._endpoint):
            name = self._fetched(place, stop)
        self._known = {key: one for key, one in self._known.items() if now - one.at < FRESH_S}
        self._known[source] = _Known(now, name)
        return name

    def _fetched(self, place: Object, stop: threading.Event) -> str:
        store = self._store()
        about = store.head_object(Bucket=place.bucket, Key=place.key)
        self._check_length(place, about["ContentLength"])
        name = _name(place, about["ETag"])
        if self._use(name):
            return name
        answer = store.get_object(Bucket=place.bucket, Key=place.key)
        try:
            length, name = answer["ContentLength"], _name(place, answer["ETag"])
            self._check_length(place, length)
            self._write(name, place, length, answer["Body"], stop)
        finally:
            answer["Body"].close()
        return name

    def _store(self) -> Any:
        """Making a client takes a while, and takes one at a time."""
        with self._connecting:
            if self._client is None:
                self._client = self._connect(self._endpoint)
            return self._client

    def _check_length(self, place: Object, length: int) -> None:
        if not 1 <= length <= self._limit:
            raise ImageUnavailable(
                f"image {place} has {length} bytes; 1 to {self._limit} are served"
                " (firmware.max_image_bytes)"
            )

    def _use(self, name: str) -> bool:
        """Whether it is there; what is in use is removed last."""
        try:
            os.utime(self.folder / name, follow_symlinks=False)
        except OSError:
            return False
        return True

    def _write(
        self, name: str, place: Object, length: int, body: Any, stop: threading.Event
    ) -> None:
        make_folder(self.folder)
        self._make_room(length)
        draft = self.folder / f".{secrets.token_hex(8)}{_DRAFT}"
        try:
            with open(draft, "xb", opener=_for_its_owner) as file:
                for piece in body.iter_chunks(PIECE_SIZE):
                    if stop.is_set():
                        raise ImageUnavailable("the server is shutting down")
                    if file.tell() + len(piece) > length:
                        raise ImageUnavailable(f"image {place} is longer than the store said")
                    file.write(piece)
                if file.tell() != length:
                    raise ImageUnavailable(f"image {place} is shorter than the store said")
            draft.rename(self.folder / name)
        finally:
            draft.unlink(missing_ok=True)

    def _make_room(self, wanted: int) -> None:
        """Without the objects that were not used for longest. Who reads one reads on."""
        with self._making_room:
            kept = [(path.stat(), path) for path in self.folder.iterdir() if path.is_file()]
            total = sum(status.st_size for status, _ in kept)
            for status, path in sorted(kept, key=lambda one: one[0].st_mtime_ns):
                if total + wanted <= KEPT_IMAGES * self._limit:
                    return
                path.unlink(missing_ok=True)
                total -= status.st_size


def client(endpoint: str | None) -> BaseClient:
    """Credentials are found as by every AWS client: environment, profile, instance."""
    import botocore.session
    from botocore.config import Config

    session = botocore.session.get_session()
    return session.create_client(
        "s3",
        # A store of one's own has no regions, and signing needs one all the same.
        region_name=session.get_config_variable("region") or "us-east-1",
        endpoint_url=endpoint,
        config=Config(
            connect_timeout=CONNECT_S,
            read_timeout=READ_S,
            retries={"total_max_attempts": ATTEMPTS},
            s3={"addressing_style": "path"} if endpoint else None,
        ),
    )


@contextmanager
def _told(source: str, endpoint: str | None) -> Iterator[None]:
    """What botocore raises, in the operator's words."""
    from botocore.exceptions import BotoCoreError, ClientError

    where = endpoint or "AWS"
    try:
        yield
    except ClientError as error:
        told = error.response.get("Error", {})
        code = {"404": "there is no such object", "403": "access is denied"}.get(
            str(told.get("Code")), f"{told.get('Code')} {told.get('Message', '')}".strip()
        )
        raise ImageUnavailable(f"image {source} at {where}: {code}") from None
    except (BotoCoreError, ValueError) as error:
        raise ImageUnavailable(f"image {source} at {where}: {error}") from None


def _name(place: Object, etag: str) -> str:
    """The ETag changes with the content; what is in it, and in the key, is no file's name."""
    return hashlib.sha256("\0".join((*place, etag)).encode()).hexdigest()


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
