from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bittern.config import Firmware
from bittern.errors import ImageRejected, ImageUnavailable
from bittern.gateway.firmware import Version
from bittern.pki.firmware_keys import add_public_key
from bittern.pki.firmware_signatures import digest, key_crc, make_signing_key, public_key, sign
from bittern.servers import firmware_images
from bittern.servers.cups import Image
from bittern.servers.firmware_images import CHUNK_SIZE, SETTLED_S, FirmwareImages, open_below
from bittern.store.gateway_records import FirmwareDefinition
from bittern.types import Instant

KEY = make_signing_key()
PUBLIC = public_key(KEY)
CONTENT = bytes(range(256)) * 1000  # several chunks, the last not full
CHANGED = 1_000_000.0
NOW = Instant(CHANGED + 10 * SETTLED_S)


def definition(source: str = "spring.bin", **different: Any) -> FirmwareDefinition:
    usual: dict[str, Any] = dict(
        id="1",
        current=Version(package="1"),
        update=Version(package="2"),
        source=source,
        signature=sign(CONTENT, KEY),
        key_crc=key_crc(PUBLIC),
        created_at=NOW,
    )
    return FirmwareDefinition(**(usual | different))


async def content(image: Image) -> bytes:
    return b"".join([chunk async for chunk in image.chunks])


def put(path: Path, what: bytes = CONTENT, at: float = CHANGED) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(what)
    os.utime(path, (at, at))


class Kept:
    """An S3-compatible store that needs as long as the test wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.go_on = threading.Event()
        self.stopped = False
        self.asked = 0

    def kept(self, source: str, now: Instant, stop: threading.Event) -> str:
        self.asked += 1
        while not self.go_on.wait(0.005):
            if stop.is_set():
                self.stopped = True
                raise ImageUnavailable("the server is shutting down")
        return source.rpartition("/")[2]


@pytest.fixture
async def images(tmp_path: Path) -> AsyncIterator[FirmwareImages]:
    add_public_key(tmp_path / "keys", PUBLIC)
    async with FirmwareImages(Firmware(), tmp_path, now=lambda: NOW) as made:
        yield made


async def test_a_signed_image_is_served_piece_by_piece(
    tmp_path: Path, images: FirmwareImages
) -> None:
    put(tmp_path / "spring.bin")
    image = await images.image(definition())
    assert image.length == len(CONTENT)
    sizes = [len(chunk) async for chunk in image.chunks]
    assert (max(sizes), sum(sizes)) == (CHUNK_SIZE, len(CONTENT))
    assert await content(await images.image(definition())) == CONTENT


async def test_an_image_may_lie_in_a_folder_below(tmp_path: Path, images: FirmwareImages) -> None:
    put(tmp_path / "roof" / "2" / "spring.bin")
    assert await content(await images.image(definition("roof/2/spring.bin"))) == CONTENT


async def test_images_may_lie_in_a_folder_of_the_operator(tmp_path: Path) -> None:
    add_public_key(tmp_path / "own" / "keys", PUBLIC)
    put(tmp_path / "elsewhere" / "spring.bin")
    settings = Firmware(images=tmp_path / "elsewhere")
    async with FirmwareImages(settings, tmp_path / "own", now=lambda: NOW) as images:
        assert await content(await images.image(definition())) == CONTENT
        assert await images.digest("spring.bin") == digest(CONTENT)


@pytest.mark.parametrize(
    "source",
    [
        "../outside.bin",
        "roof/../../outside.bin",
        "./spring.bin",
        "roof//spring.bin",
        "",
        "/",
        "spring.bin/",
        "spring\0.bin",
        "link.bin",
        "away/outside.bin",
        "inside/spring.bin",
        "pipe",
        "roof",
        "absent.bin",
    ],
)
async def test_nothing_but_a_file_below_the_folder_is_read(tmp_path: Path, source: str) -> None:
    folder = tmp_path / "firmware"
    add_public_key(folder / "keys", PUBLIC)
    put(tmp_path / "outside.bin")
    put(folder / "spring.bin")
    put(folder / "roof" / "spring.bin")
    (folder / "link.bin").symlink_to(tmp_path / "outside.bin")
    (folder / "away").symlink_to(tmp_path)
    (folder / "inside").symlink_to(folder / "roof")
    os.mkfifo(folder / "pipe")
    async with FirmwareImages(Firmware(), folder, now=lambda: NOW) as images:
        with pytest.raises(ImageUnavailable, match=r"^image .* in "):
            await images.image(definition(source))
        with pytest.raises(ImageUnavailable):
            await images.image(definition(str(tmp_path / "outside.bin")))


def test_a_refused_path_leaves_nothing_open(tmp_path: Path) -> None:
    put(tmp_path / "roof" / "spring.bin")
    os.mkfifo(tmp_path / "roof" / "pipe")
    before = len(os.listdir("/proc/self/fd"))
    for name in ("roof/pipe", "roof/absent", "absent/spring.bin", "roof/spring.bin/deeper"):
        with pytest.raises(OSError, match=r"\w"):
            open_below(tmp_path, name)
    open_below(tmp_path, "roof/spring.bin").close()
    assert len(os.listdir("/proc/self/fd")) == before


async def test_an_image_that_was_changed_is_refused(tmp_path: Path, images: FirmwareImages) -> None:
    put(tmp_path / "spring.bin")
    await images.image(definition())
    put(tmp_path / "spring.bin", CONTENT[:-1] + b"x", CHANGED + 1)
    with pytest.raises(ImageRejected, match="is not what was signed by key"):
        await images.image(definition())


async def test_a_change_is_seen_though_size_and_time_stay(
    tmp_path: Path, images: FirmwareImages
) -> None:
    """The time of a file can be set; that of its inode cannot."""
    put(tmp_path / "spring.bin")
    await images.image(definition())
    put(tmp_path / "spring.bin", CONTENT[:-1] + b"x", CHANGED)
    with pytest.raises(ImageRejected):
        await images.image(definition())


async def test_an_image_on_its_way_here_is_waited_for(
    tmp_path: Path, images: FirmwareImages
) -> None:
    put(tmp_path / "spring.bin", CONTENT[:-1], NOW - SETTLED_S / 2)
    with pytest.raises(ImageUnavailable, match="may not be complete"):
        await images.image(definition())


async def test_the_signature_of_another_key_is_refused(
    tmp_path: Path, images: FirmwareImages
) -> None:
    put(tmp_path / "spring.bin")
    with pytest.raises(ImageRejected):
        await images.image(definition(signature=sign(CONTENT, make_signing_key())))


async def test_a_key_that_the_server_lacks_is_named(tmp_path: Path, images: FirmwareImages) -> None:
    put(tmp_path / "spring.bin")
    with pytest.raises(ImageUnavailable, match=r"no public key with CRC 7 in .*firmware key add"):
        await images.image(definition(key_crc=7))


async def test_a_key_that_is_taken_away_counts_no_more(
    tmp_path: Path, images: FirmwareImages
) -> None:
    put(tmp_path / "spring.bin")
    await images.image(definition())
    next((tmp_path / "keys").iterdir()).unlink()
    with pytest.raises(ImageUnavailable, match="no public key"):
        await images.image(definition())


@pytest.mark.parametrize("size", [0, 101])
async def test_an_image_of_no_use_or_too_long_is_refused(tmp_path: Path, size: int) -> None:
    add_public_key(tmp_path / "keys", PUBLIC)
    put(tmp_path / "spring.bin", bytes(size))
    signature = sign(bytes(size), KEY)
    async with FirmwareImages(Firmware(max_image_bytes=100), tmp_path, now=lambda: NOW) as images:
        with pytest.raises(ImageUnavailable, match=f"has {size} bytes; 1 to 100 are served"):
            await images.image(definition(signature=signature))


async def test_a_file_is_hashed_once(
    tmp_path: Path, images: FirmwareImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []

    def counted(pieces: Any) -> bytes:
        hashed.append(1)
        return digest(pieces)

    monkeypatch.setattr(firmware_images, "digest", counted)
    put(tmp_path / "spring.bin")
    await asyncio.gather(*(images.image(definition()) for _ in range(20)))
    await images.image(definition())
    assert len(hashed) == 1
    put(tmp_path / "spring.bin", at=CHANGED + 1)
    await images.image(definition())
    assert len(hashed) == 2


async def test_what_is_served_is_what_was_checked(tmp_path: Path, images: FirmwareImages) -> None:
    put(tmp_path / "spring.bin")
    image = await images.image(definition())
    put(tmp_path / "other.bin", CONTENT[:-1] + b"x")
    (tmp_path / "other.bin").rename(tmp_path / "spring.bin")
    with pytest.raises(ImageUnavailable, match="changed while it was served"):
        await content(image)


async def test_a_change_ends_the_transfer(tmp_path: Path, images: FirmwareImages) -> None:
    put(tmp_path / "spring.bin")
    image = await images.image(definition())
    assert len(await anext(image.chunks)) == CHUNK_SIZE
    put(tmp_path / "spring.bin", CONTENT[:CHUNK_SIZE])
    with pytest.raises(ImageUnavailable, match="changed while it was served"):
        await anext(image.chunks)


async def test_an_image_that_is_gone_ends_the_transfer(
    tmp_path: Path, images: FirmwareImages
) -> None:
    put(tmp_path / "spring.bin")
    image = await images.image(definition())
    (tmp_path / "spring.bin").unlink()
    with pytest.raises(ImageUnavailable, match="is gone"):
        await content(image)


async def test_an_image_that_nobody_reads_leaves_nothing_open(
    tmp_path: Path, images: FirmwareImages
) -> None:
    put(tmp_path / "spring.bin")
    before = len(os.listdir("/proc/self/fd"))
    unread = await images.image(definition())
    assert len(os.listdir("/proc/self/fd")) == before
    assert unread.length == len(CONTENT)


async def test_a_slow_store_keeps_nobody_waiting_for_ever(tmp_path: Path) -> None:
    add_public_key(tmp_path / "keys", PUBLIC)
    kept = Kept(tmp_path / "cache")
    put(tmp_path / "cache" / "spring.bin")
    wanted = definition("s3://images/spring.bin")
    async with FirmwareImages(
        Firmware(), tmp_path, now=lambda: NOW, wait_s=0.01, s3=kept
    ) as images:
        for _ in range(2):
            with pytest.raises(ImageUnavailable, match="is still being fetched"):
                await images.image(wanted)
        kept.go_on.set()
        while True:
            try:
                image = await images.image(wanted)
                break
            except ImageUnavailable:
                continue
        assert await content(image) == CONTENT
    assert kept.asked <= 2  # once for those who waited, and perhaps once more for the last


async def test_what_is_being_fetched_is_given_up_at_the_end(tmp_path: Path) -> None:
    add_public_key(tmp_path / "keys", PUBLIC)
    kept = Kept(tmp_path / "cache")
    async with FirmwareImages(Firmware(), tmp_path, now=lambda: NOW, s3=kept) as images:
        waiting = asyncio.create_task(images.image(definition("s3://images/spring.bin")))
        while not kept.asked:
            await asyncio.sleep(0)
    with pytest.raises(ImageUnavailable, match="shutting down"):
        await waiting
    await asyncio.get_running_loop().shutdown_default_executor()
    assert kept.stopped
