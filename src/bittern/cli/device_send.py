"""`bittern device send`: bytes, or an object that the codec of the device makes bytes of."""

from __future__ import annotations

import base64
import binascii
import random
import time
from typing import Annotated

import typer

from bittern.cli import output, parameters
from bittern.cli.codec_text import shown
from bittern.cli.device_text import downlink_document
from bittern.cli.owned import device_of
from bittern.cli.workspace import Workspace, run
from bittern.errors import CodecError, NotFound
from bittern.network.identity import downlink_message_id
from bittern.outputs.codecs.desk import CodecDesk, Downlink
from bittern.outputs.codecs.workers import CodecWorkers
from bittern.store.protocol import Store
from bittern.store.records import LONGEST_PAYLOAD, Device, DeviceProfile, QueuedDownlink
from bittern.types import DevEUI, Instant

LARGEST_FPORT = 223


def send(
    *,
    dev_eui: parameters.DevEuiArgument,
    fport: Annotated[
        int | None,
        typer.Option(
            "--fport",
            min=1,
            max=LARGEST_FPORT,
            help="Port of the application. An --object's codec may know it.",
        ),
    ] = None,
    payload: Annotated[
        str | None, typer.Option(metavar="HEX", help="Payload in hexadecimal.")
    ] = None,
    base64_text: Annotated[
        str | None, typer.Option("--base64", metavar="BASE64", help="Payload, base64.")
    ] = None,
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="Payload, UTF-8.")] = None,
    object_text: Annotated[
        str | None,
        typer.Option(
            "--object", metavar="JSON", help="What the codec of the device's profile encodes."
        ),
    ] = None,
    confirmed: Annotated[bool, typer.Option(help="Send it until the device acknowledges.")] = False,
    expires_in: Annotated[
        int | None,
        typer.Option(min=1, metavar="SECONDS", help="After that it is not sent any more."),
    ] = None,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Queue a payload for a device, which gets it after one of its next uplinks.

    Prints the MessageId by which its way can be followed.
    """
    if sum(one is not None for one in (payload, base64_text, text, object_text)) != 1:
        raise typer.BadParameter("one of --payload, --base64, --text and --object")
    workspace, eui = Workspace.of(data_dir, config, account), DevEUI(dev_eui)
    given = None if object_text is not None else _payload(payload, base64_text, text)

    async def work() -> QueuedDownlink:
        async with workspace.store() as store:
            device = await device_of(store, workspace.account, eui)
            made = Downlink(given, fport) if given is not None else None
            if object_text is not None:
                made = await _encoded(store, device, object_text, fport)
            assert made is not None
            now = workspace.now()
            downlink = QueuedDownlink(
                message_id=downlink_message_id(random.SystemRandom()),
                dev_eui=eui,
                payload=made.payload,
                fport=_checked(made),
                confirmed=confirmed,
                queued_at=now,
                expires_at=None if expires_in is None else Instant(now + expires_in),
            )
            await store.enqueue(downlink)
            return downlink

    downlink = run(work())
    if as_json:
        output.print_json(downlink_document(downlink))
    else:
        typer.echo(downlink.message_id)


def _payload(payload: str | None, base64_text: str | None, text: str | None) -> bytes:
    try:
        if payload is not None:
            return bytes.fromhex(payload)
        if base64_text is not None:
            return base64.b64decode(base64_text, validate=True)
        return (text or "").encode()
    except (ValueError, binascii.Error):
        raise typer.BadParameter(
            f"not {'hexadecimal' if payload is not None else 'base64'}",
            param_hint="--payload" if payload is not None else "--base64",
        ) from None


def _checked(made: Downlink) -> int:
    """Its port."""
    size = len(made.payload)
    if size > LONGEST_PAYLOAD:
        raise typer.BadParameter(f"{size} bytes; no frame carries more than {LONGEST_PAYLOAD}")
    if made.fport is None:
        raise typer.BadParameter("is wanted", param_hint="--fport")
    if made.fport > LARGEST_FPORT:
        raise typer.BadParameter(
            f"{made.fport}, of the codec; applications have 1 to {LARGEST_FPORT}",
            param_hint="--fport",
        )
    return made.fport


async def _encoded(store: Store, device: Device, data: str, fport: int | None) -> Downlink:
    """By the codec that the profile names, of the account that the profile is of."""
    profile = await _profile(store, device)
    if not profile.codec:
        raise typer.BadParameter(
            "the device's profile names no codec: use --payload", param_hint="--object"
        )
    async with CodecWorkers(processes=1) as workers:
        desk = CodecDesk(store, workers, clock=time.monotonic)
        try:
            made = await desk.encode(profile.account, profile.codec, data.encode(), fport)
        except CodecError as error:
            known = await store.codec(profile.account, profile.codec)
            script = "" if known is None else known.script
            output.complain(shown(error, script, profile.codec))
            raise typer.Exit(1) from None
    for warning in made.warnings:
        output.say(f"warning: {warning}")
    return made


async def _profile(store: Store, device: Device) -> DeviceProfile:
    profile = await store.device_profile(device.device_profile_id)
    if profile is None:  # both were removed meanwhile
        raise NotFound("device", str(device.dev_eui))
    return profile
