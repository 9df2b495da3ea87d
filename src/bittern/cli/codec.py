"""`bittern codec`: what payloads mean, by scripts of devices' makers."""

from __future__ import annotations

import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from bittern.cli import output, parameters
from bittern.cli.codec_text import shown
from bittern.cli.group import noun
from bittern.cli.workspace import Workspace, run
from bittern.errors import CodecError, NotFound
from bittern.outputs.codecs.desk import BUILT_IN, CodecDesk, Decoded, Downlink
from bittern.outputs.codecs.script import OFFERED
from bittern.outputs.codecs.workers import CodecWorkers
from bittern.store.codec_records import CodecRecord
from bittern.store.pages import everything
from bittern.types import Instant

T = TypeVar("T")

app = noun("Payload codecs: what the bytes of devices mean.")

Name = Annotated[str, typer.Argument(metavar="NAME")]
ScriptFile = Annotated[
    Path,
    typer.Option(
        "--file", metavar="FILE", exists=True, dir_okay=False, help="JavaScript as of TS013."
    ),
]


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _time(text: str) -> Instant:
    at = datetime.fromisoformat(text)
    return Instant((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


@app.command("add")
def add(
    *,
    name: Name,
    file: ScriptFile,
    replace: Annotated[bool, typer.Option("--replace", help="Replace one of that name.")] = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Register a maker's script. It is read first, and refused with the place of what is wrong."""
    workspace = Workspace.of(data_dir, config, account)
    codec = _record(workspace.account, name, _source(file), workspace.now())

    async def work() -> list[str]:
        async with CodecWorkers(processes=1) as workers:
            offered = await workers.call(codec.script, OFFERED, "")
        async with workspace.store(make=True) as store:
            known = await store.codec(workspace.account, name) if replace else None
            await (store.replace_codec(codec) if known else store.add_codec(codec))
        return msgspec.json.decode(offered, type=list[str])

    offered = _run_or_show(codec.script, str(file), work())
    output.say(f"codec {name} added: {', '.join(offered) or 'no function of TS013'}")


@app.command("list")
def list_(
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List all codecs, those that are built in too."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> list[CodecRecord]:
        async with workspace.store() as store:
            return await store.codecs(workspace.account)

    codecs = run(work())
    if as_json:
        output.print_json([_document(codec) for codec in codecs])
        return
    rows = [[name, "built in", ""] for name in BUILT_IN]
    rows += [[c.name, f"{len(c.script.encode())} bytes", output.utc(c.created_at)] for c in codecs]
    output.table(["NAME", "SCRIPT", "ADDED"], rows, empty="no codecs")


@app.command("show")
def show(
    name: Name,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Print the script of a codec."""
    workspace = Workspace.of(data_dir, config, account)
    typer.echo(run(_registered(workspace, name)).script, nl=False)


@app.command("remove")
def remove(
    name: Name,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Remove a codec. Messages of devices whose profiles name it say then that it is not there."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> list[str]:
        async with workspace.store() as store:
            await store.remove_codec(workspace.account, name)
            profiles = everything(
                partial(store.device_profiles, workspace.account), lambda one: one.id
            )
            return [one.name async for one in profiles if one.codec == name]

    for profile in run(work()):
        output.say(f"the device profile {profile!r} still names it")
    output.say(f"codec {name} removed")


@app.command("test")
def test(
    *,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]")] = None,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="A script instead of NAME."),
    ] = None,
    payload: Annotated[
        bytes | None,
        typer.Option("--bytes", metavar="HEX", parser=parameters.parsed(_bytes), help="To decode."),
    ] = None,
    encode: Annotated[
        str | None, typer.Option(metavar="JSON", help="Data to encode as a downlink instead.")
    ] = None,
    downlink: Annotated[
        bool, typer.Option("--downlink", help="The bytes are of a downlink.")
    ] = False,
    fport: Annotated[int, typer.Option(min=1, max=255)] = 1,
    at: Annotated[
        Instant | None,
        typer.Option(
            "--time", metavar="TIME", parser=parameters.parsed(_time), help="When it was received."
        ),
    ] = None,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Decode bytes, or encode data, by a codec that is registered, built in or in a file.

    Prints JSON. Exit code 1 if the codec refuses or fails, with the place in its script.
    """
    if (name is None) == (file is None):
        raise typer.BadParameter("either a NAME or --file is wanted")
    if (payload is None) == (encode is None):
        raise typer.BadParameter("either --bytes or --encode is wanted")
    workspace = Workspace.of(data_dir, config, account)
    codec = _wanted(workspace, name, file)
    received = at if at is not None else Instant(time.time())

    async def work() -> Decoded | Downlink:
        async with CodecWorkers(processes=1) as workers:
            desk = CodecDesk(_One(codec), workers, clock=time.monotonic)
            if encode is not None:
                return await desk.encode(workspace.account, codec.name, encode.encode(), fport)
            assert payload is not None
            decode = desk.decode_downlink if downlink else desk.decode
            return await decode(workspace.account, codec.name, payload, fport, received)

    made = _run_or_show(codec.script, str(file or name), work())
    for warning in made.warnings:
        output.say(f"warning: {warning}")
    if isinstance(made, Downlink):
        output.print_json({"bytes": made.payload.hex(), "fPort": made.fport})
    else:
        output.print_json(msgspec.Raw(made.data))


def _run_or_show(script: str, name: str, work: Coroutine[Any, Any, T]) -> T:
    try:
        return run(work)
    except CodecError as error:
        output.complain(shown(error, script, name))
        raise typer.Exit(1) from None


class _One:
    """A registry of one codec."""

    def __init__(self, codec: CodecRecord) -> None:
        self._codec = codec

    async def codec(self, account: str, name: str) -> CodecRecord | None:
        return self._codec


def _wanted(workspace: Workspace, name: str | None, file: Path | None) -> CodecRecord:
    if file is not None:
        return _record(workspace.account, "file", _source(file), workspace.now())
    assert name is not None
    if name in BUILT_IN:
        return _record(workspace.account, name, "", workspace.now())
    return run(_registered(workspace, name))


async def _registered(workspace: Workspace, name: str) -> CodecRecord:
    async with workspace.store() as store:
        codec = await store.codec(workspace.account, name)
    if codec is None:
        raise NotFound("codec", name)
    return codec


def _record(account: str, name: str, script: str, now: Instant) -> CodecRecord:
    if name in BUILT_IN and script:
        raise typer.BadParameter(f"{name} is built in", param_hint="NAME")
    try:
        return CodecRecord(account=account, name=name, script=script, created_at=now)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _source(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{file} is not UTF-8 text", param_hint="--file") from None


def _document(codec: CodecRecord) -> dict[str, object]:
    return {
        "name": codec.name,
        "script": codec.script,
        "created_at": output.utc(codec.created_at),
    }
