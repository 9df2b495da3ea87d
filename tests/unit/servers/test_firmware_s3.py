from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from bittern.errors import ImageUnavailable
from bittern.servers.firmware_s3 import FRESH_S, KEPT_IMAGES, Object, S3Images, parse_source
from bittern.types import Instant

SOURCE = "s3://images/roof/spring.bin"
NOW = Instant(1_000_000.0)
LIMIT = 100


class Body:
    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        while piece := self._file.read(min(size, 10)):
            yield piece

    def close(self) -> None:
        self._file.close()


class Store:
    """What botocore's client is asked for."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.told_length: int | None = None
        self.heads = self.gets = 0
        self.bodies: list[Body] = []

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        self.heads += 1
        if (content := self.objects.get((Bucket, Key))) is None:
            raise ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, "HeadObject")
        return self._about(content)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        self.gets += 1
        content = self.objects[Bucket, Key]
        self.bodies.append(Body(content))
        return self._about(content) | {"Body": self.bodies[-1]}

    def _about(self, content: bytes) -> dict[str, Any]:
        length = len(content) if self.told_length is None else self.told_length
        return {"ContentLength": length, "ETag": f'"../{hash(content)}"'}


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "cache"
        self.store = Store()
        self.time = float(NOW)
        self.stop = threading.Event()
        self.images = S3Images(
            self.folder, "http://store", limit=LIMIT, connect=lambda endpoint: self.store
        )

    def put(self, content: bytes, key: str = "roof/spring.bin") -> str:
        self.store.objects["images", key] = content
        return f"s3://images/{key}"

    def content(self, source: str = SOURCE) -> bytes:
        return (self.folder / self.images.kept(source, Instant(self.time), self.stop)).read_bytes()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_an_object_is_kept_in_a_file_for_its_owner(scene: Scene) -> None:
    scene.put(b"image")
    assert scene.content() == b"image"
    [path] = scene.folder.iterdir()
    assert path.stat().st_mode & 0o077 == 0
    assert scene.store.bodies[0]._file.closed


def test_the_store_is_asked_anew_after_a_while_and_gives_the_object_once(scene: Scene) -> None:
    scene.put(b"image")
    for _ in range(3):
        scene.content()
    assert (scene.store.heads, scene.store.gets) == (1, 1)
    scene.time += FRESH_S
    scene.content()
    assert (scene.store.heads, scene.store.gets) == (2, 1)


def test_a_new_object_takes_the_place_of_the_old(scene: Scene) -> None:
    scene.put(b"image")
    scene.content()
    scene.put(b"another")
    scene.time += FRESH_S
    assert scene.content() == b"another"


def test_a_file_that_somebody_has_removed_is_fetched_again(scene: Scene) -> None:
    scene.put(b"image")
    scene.content()
    next(scene.folder.iterdir()).unlink()
    assert scene.content() == b"image"


def test_the_same_content_of_two_objects_is_kept_apart(scene: Scene) -> None:
    first, second = scene.put(b"image"), scene.put(b"image", "other")
    names = {scene.images.kept(source, NOW, scene.stop) for source in (first, second)}
    assert len(names) == 2


def test_the_folder_has_a_bound_and_keeps_what_is_in_use(scene: Scene) -> None:
    sources = [scene.put(bytes([n]) * LIMIT, str(n)) for n in range(KEPT_IMAGES + 3)]
    for source in sources:
        scene.content(source)
        scene.content(sources[0])
    kept = list(scene.folder.iterdir())
    assert sum(path.stat().st_size for path in kept) == KEPT_IMAGES * LIMIT
    assert bytes([0]) * LIMIT in [path.read_bytes() for path in kept]
    assert scene.store.gets == len(sources)


@pytest.mark.parametrize("size", [0, LIMIT + 1])
def test_what_is_too_long_is_not_fetched(scene: Scene, size: int) -> None:
    scene.put(bytes(size))
    with pytest.raises(ImageUnavailable, match=f"has {size} bytes; 1 to 100 are served"):
        scene.content()
    assert scene.store.gets == 0


@pytest.mark.parametrize(("told", "reason"), [(4, "longer than"), (6, "shorter than")])
def test_a_store_that_miscounts_is_not_believed(scene: Scene, told: int, reason: str) -> None:
    scene.put(b"image")
    scene.store.told_length = told
    with pytest.raises(ImageUnavailable, match=reason):
        scene.content()
    assert list(scene.folder.iterdir()) == []


def test_nothing_is_left_of_what_was_given_up(scene: Scene) -> None:
    scene.put(b"image" * 10)
    scene.stop.set()
    with pytest.raises(ImageUnavailable, match="shutting down"):
        scene.content()
    assert list(scene.folder.iterdir()) == []


def test_an_object_that_is_not_there_is_named(scene: Scene) -> None:
    with pytest.raises(ImageUnavailable) as raised:
        scene.content()
    assert str(raised.value) == f"image {SOURCE} at http://store: there is no such object"


def test_a_store_that_does_not_answer_is_named(tmp_path: Path) -> None:
    def connect(endpoint: str | None) -> Any:
        raise EndpointConnectionError(endpoint_url=endpoint)

    images = S3Images(tmp_path, "http://127.0.0.1:1", limit=LIMIT, connect=connect)
    with pytest.raises(ImageUnavailable, match="Could not connect"):
        images.kept(SOURCE, NOW, threading.Event())


def test_a_source_names_bucket_and_key() -> None:
    assert parse_source(SOURCE) == Object("images", "roof/spring.bin")
    assert str(parse_source(SOURCE)) == SOURCE


@pytest.mark.parametrize("source", ["s3://", "s3://images", "s3://images/", "s3:///key", "x"])
def test_half_a_source_is_refused(scene: Scene, source: str) -> None:
    with pytest.raises(ValueError, match="s3://BUCKET/KEY, not"):
        parse_source(source)
    with pytest.raises(ImageUnavailable, match="s3://BUCKET/KEY"):
        scene.content(source)
