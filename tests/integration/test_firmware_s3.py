"""Update images in a store that speaks S3, asked by the genuine client over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bittern.config import Firmware
from bittern.errors import ImageRejected, ImageUnavailable
from bittern.gateway.firmware import Version
from bittern.pki.firmware_keys import add_public_key
from bittern.pki.firmware_signatures import key_crc, make_signing_key, public_key, sign
from bittern.servers.cups import Image
from bittern.servers.firmware_images import FirmwareImages
from bittern.servers.firmware_s3 import FRESH_S, client
from bittern.store.gateway_records import FirmwareDefinition
from bittern.types import Instant

moto = pytest.importorskip("moto.server")

pytestmark = pytest.mark.integration

KEY = make_signing_key()
CONTENT = bytes(range(256)) * 5000


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "absent"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def store(endpoint: str) -> Iterator[Any]:
    asking: Any = client(endpoint)
    asking.create_bucket(Bucket="images")
    asking.put_object(Bucket="images", Key="roof/spring.bin", Body=CONTENT)
    yield asking
    asking.delete_object(Bucket="images", Key="roof/spring.bin")
    asking.delete_bucket(Bucket="images")
    asking.close()


def definition(source: str = "s3://images/roof/spring.bin") -> FirmwareDefinition:
    return FirmwareDefinition(
        id="1",
        current=Version(package="1"),
        update=Version(package="2"),
        source=source,
        signature=sign(CONTENT, KEY),
        key_crc=key_crc(public_key(KEY)),
        created_at=Instant(0),
    )


async def content(image: Image) -> bytes:
    return b"".join([chunk async for chunk in image.chunks])


class Clock:
    def __init__(self) -> None:
        self.time = 10_000_000_000.0  # files were made long before

    def __call__(self) -> Instant:
        return Instant(self.time)


async def test_an_image_is_served_from_a_store(tmp_path: Path, endpoint: str, store: Any) -> None:
    add_public_key(tmp_path / "keys", public_key(KEY))
    clock = Clock()
    settings = Firmware(s3_endpoint=endpoint, max_image_bytes=len(CONTENT))
    async with FirmwareImages(settings, tmp_path, now=clock) as images:
        for answer in await asyncio.gather(*(images.image(definition()) for _ in range(10))):
            assert await content(answer) == CONTENT
        assert len(list((tmp_path / "cache").iterdir())) == 1

        store.put_object(Bucket="images", Key="roof/spring.bin", Body=CONTENT[:-1] + b"x")
        clock.time += FRESH_S
        with pytest.raises(ImageRejected):
            await images.image(definition())

        store.put_object(Bucket="images", Key="roof/spring.bin", Body=CONTENT + b"x")
        clock.time += FRESH_S
        with pytest.raises(ImageUnavailable, match="bytes; 1 to"):
            await images.image(definition())


async def test_what_the_store_refuses_is_told(tmp_path: Path, endpoint: str, store: Any) -> None:
    add_public_key(tmp_path / "keys", public_key(KEY))
    settings = Firmware(s3_endpoint=endpoint)
    async with FirmwareImages(settings, tmp_path, now=Clock()) as images:
        for source in ("s3://images/absent.bin", "s3://elsewhere/spring.bin"):
            with pytest.raises(ImageUnavailable, match="there is no such object"):
                await images.image(definition(source))


async def test_a_store_that_is_away_is_told(tmp_path: Path, endpoint: str) -> None:
    add_public_key(tmp_path / "keys", public_key(KEY))
    settings = Firmware(s3_endpoint="http://127.0.0.1:9")
    async with FirmwareImages(settings, tmp_path, now=Clock()) as images:
        with pytest.raises(ImageUnavailable, match=r"http://127\.0\.0\.1:9.*[Cc]onnect"):
            await images.image(definition())


@pytest.mark.parametrize("wrong", ["not a url", "127.0.0.1:9"])
async def test_an_endpoint_that_is_none_is_told(tmp_path: Path, endpoint: str, wrong: str) -> None:
    add_public_key(tmp_path / "keys", public_key(KEY))
    async with FirmwareImages(Firmware(s3_endpoint=wrong), tmp_path, now=Clock()) as images:
        with pytest.raises(ImageUnavailable, match="endpoint"):
            await images.image(definition())


async def test_without_credentials_that_is_told(
    tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_public_key(tmp_path / "keys", public_key(KEY))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "absent"))
    async with FirmwareImages(Firmware(s3_endpoint=endpoint), tmp_path, now=Clock()) as images:
        with pytest.raises(ImageUnavailable, match=r"[Cc]redentials"):
            await images.image(definition())
