"""`bittern gateway firmware`: update images, the gateways they are for, and how far they are."""

from __future__ import annotations

import base64
import binascii
import uuid
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from bittern.cli import gateway_firmware_key, output, parameters
from bittern.cli.gateway_firmware_text import (
    SHORT,
    Fleet,
    counts_of,
    definition_document,
    doubts_of,
    named,
    task_document,
    terms,
)
from bittern.cli.gateway_set import all_gateways
from bittern.cli.gateway_text import STATUSES
from bittern.cli.group import noun
from bittern.cli.owned import gateway_of
from bittern.cli.workspace import Workspace, run
from bittern.errors import Conflict, ImageRejected, NotFound
from bittern.gateway import firmware
from bittern.gateway.eui_text import parse_eui
from bittern.gateway.firmware import FINAL, Version
from bittern.store.gateway_records import (
    FirmwareDefinition,
    FirmwareTask,
)
from bittern.store.protocol import Store
from bittern.types import EUI64, GatewayEUI

app = noun("Update images of gateways.")
app.add_typer(gateway_firmware_key.app, name="key")
app.command("sign")(gateway_firmware_key.sign)

PATIENCE_S = 3600.0
CURRENT = "Gateways that it is for, in the words of their station (without: any)"
UPDATE = "What they run afterwards: by this it shows that the update worked"

Definition = Annotated[
    str,
    typer.Argument(metavar="ID", help="As listed, or its first digits: 8 at least; or its name."),
]


def _signature(text: str) -> bytes:
    """Base64, or `@FILE` of base64 or of the signature itself."""
    content = Path(text[1:]).expanduser().read_bytes() if text.startswith("@") else text.encode()
    try:
        signature = base64.b64decode(content.strip(), validate=True)
    except binascii.Error:
        signature = content
    firmware.signature_segment(0, signature)
    if not signature.startswith(b"\x30"):
        raise ValueError("no ECDSA signature in DER, in base64: `bittern gateway firmware sign`")
    return signature


@app.command("define")
def define(
    *,
    source: Annotated[
        str,
        typer.Argument(
            metavar="IMAGE",
            help="A path below firmware.images (without it: DATA_DIR/firmware), or"
            " s3://BUCKET/KEY.",
        ),
    ],
    signature: Annotated[
        bytes,
        typer.Option(
            metavar="BASE64|@FILE",
            parser=parameters.parsed(_signature),
            help="Of the image, as `sign` prints it.",
        ),
    ],
    key_crc: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=0xFFFF_FFFF,
            help="SigKeyCrc of the key that signed. Without it: found among the server's keys.",
        ),
    ] = None,
    name: Annotated[str, typer.Option()] = "",
    automatic: Annotated[
        bool, typer.Option("--automatic", help="Every gateway that it is for gets it.")
    ] = False,
    current_package: Annotated[str, typer.Option(rich_help_panel=CURRENT)] = "",
    current_model: Annotated[str, typer.Option(rich_help_panel=CURRENT)] = "",
    current_station: Annotated[str, typer.Option(rich_help_panel=CURRENT)] = "",
    package: Annotated[str, typer.Option(rich_help_panel=UPDATE)] = "",
    model: Annotated[str, typer.Option(rich_help_panel=UPDATE)] = "",
    station: Annotated[str, typer.Option(rich_help_panel=UPDATE)] = "",
    unchecked: Annotated[
        bool,
        typer.Option("--unchecked", help="Though the image is not here yet. Needs --key-crc."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check, and tell which gateways it is for.")
    ] = False,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Define an update: an image, who vouches for it, and the gateways that it is for.

    What a gateway runs, `bittern gateway show` tells; the package is its version.txt. An image is
    fetched and checked now, and again whenever it is given out.
    """
    workspace = Workspace.of(data_dir, config, account)
    if unchecked and key_crc is None:
        raise typer.BadParameter("needs --key-crc: nothing else names the key", param_hint="IMAGE")
    definition = FirmwareDefinition(
        account=workspace.account,
        id=str(uuid.uuid4()),
        name=name,
        automatic=automatic,
        current=Version(package=current_package, model=current_model, station=current_station),
        update=Version(package=package, model=model, station=station),
        source=source,
        signature=signature,
        key_crc=key_crc or 1,
        created_at=workspace.now(),
    )
    try:
        firmware.check_definition(terms(definition))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--package") from None

    async def work() -> tuple[FirmwareDefinition, Fleet]:
        async with workspace.store() as store:
            checked = definition if unchecked else await _checked(workspace, definition, key_crc)
            fleet = await Fleet.read(store, checked)
            if not dry_run:
                await store.add_firmware(checked)
            return checked, fleet

    defined, fleet = run(work())
    if as_json:
        document = definition_document(defined) | {"defined": not dry_run}
        output.print_json(document | fleet.document())
        return
    if not dry_run:
        typer.echo(defined.id)
    output.say("checked; nothing was stored" if dry_run else f"defined: {named(defined)}")
    for line in fleet.told(defined):
        output.say(line)


@app.command("definitions")
def definitions(
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List the updates that are defined, and how many gateways are how far."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> list[tuple[FirmwareDefinition, list[FirmwareTask]]]:
        async with workspace.store() as store:
            found = await store.firmware_definitions(workspace.account)
            return [(one, await store.firmware_tasks(one.id)) for one in found]

    found = run(work())
    if as_json:
        output.print_json(
            [definition_document(one) | {"tasks": counts_of(tasks)} for one, tasks in found]
        )
        return
    output.table(
        ["ID", "NAME", "IMAGE", "FOR", "BECOMES", "AUTOMATIC", "TASKS"],
        [
            [
                one.id[:SHORT],
                one.name,
                one.source,
                str(one.current),
                str(one.update),
                "yes" if one.automatic else "no",
                ", ".join(f"{count} {status}" for status, count in counts_of(tasks).items()),
            ]
            for one, tasks in found
        ],
        empty="no updates are defined",
    )


@app.command("undefine")
def undefine(
    definition_id: Definition,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Remove a definition. Refused while an update by it is under way."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> FirmwareDefinition:
        async with workspace.store() as store:
            definition = await _definition(store, workspace.account, definition_id)
            await store.remove_firmware(definition.id)
            return definition

    removed = run(work())
    if as_json:
        output.print_json(definition_document(removed))
        return
    output.say(f"removed: {named(removed)}")


@app.command("start")
def start(
    *,
    eui: parameters.GatewayEuiArgument,
    definition_id: Annotated[
        str,
        typer.Option("--definition", metavar="ID", help="Its id, first digits of it, or its name."),
    ],
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Update a gateway: it gets the image when it asks CUPS next. A task that has ended makes
    place."""
    workspace = Workspace.of(data_dir, config, account)
    gateway_eui, now = GatewayEUI(eui), workspace.now()

    async def work() -> tuple[FirmwareTask, list[str]]:
        async with workspace.store() as store:
            definition = await _definition(store, workspace.account, definition_id)
            gateway = await gateway_of(store, workspace.account, gateway_eui)
            task = FirmwareTask(
                account=gateway.account,
                gateway_eui=gateway_eui,
                definition_id=definition.id,
                created_at=now,
                changed_at=now,
            )
            await _replace_ended(store, gateway_eui)
            await store.add_firmware_task(task)
            contact = (await store.gateway_state(gateway_eui)).cups
            return task, doubts_of(definition, contact)

    task, doubts = run(work())
    for doubt in doubts:
        output.say(doubt)
    if as_json:
        output.print_json(task_document(task))
        return
    output.say(f"gateway {eui}: {task.status}, {STATUSES[task.status]}")


@app.command("status")
def status(
    *,
    eui: Annotated[
        EUI64 | None,
        typer.Argument(metavar="EUI", parser=parameters.parsed(parse_eui), help="A gateway."),
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="All gateways that have a task.")] = False,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Tell how far updates are."""
    if everyone == (eui is not None):
        raise typer.BadParameter("name a gateway, or --all of them", param_hint="EUI")
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> list[tuple[FirmwareTask, FirmwareDefinition | None]]:
        async with workspace.store() as store:
            tasks = (
                await _tasks(store, workspace.account)
                if eui is None
                else [await _task(store, workspace.account, GatewayEUI(eui))]
            )
            known = {one.id: one for one in await store.firmware_definitions(workspace.account)}
            return [(task, known.get(task.definition_id)) for task in tasks]

    found = run(work())
    if as_json:
        documents = [task_document(task) for task, _ in found]
        output.print_json(documents if everyone else documents[0])
        return
    output.table(
        ["EUI", "UPDATE", "STATUS", "SINCE", "WHY"],
        [
            [
                str(task.gateway_eui),
                task.definition_id[:SHORT] if definition is None else named(definition),
                task.status,
                output.local_time(task.changed_at),
                task.reason or STATUSES[task.status],
            ]
            for task, definition in found
        ],
        empty="no gateway has a task",
    )


@app.command("cancel")
def cancel(
    eui: parameters.GatewayEuiArgument,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Take back an update, or forget one that has ended. What a gateway was given it executes."""
    workspace = Workspace.of(data_dir, config, account)
    gateway_eui = GatewayEUI(eui)

    async def work() -> tuple[FirmwareTask, FirmwareDefinition | None]:
        async with workspace.store() as store:
            task = await _task(store, workspace.account, gateway_eui)
            await store.remove_firmware_task(gateway_eui)
            return task, await store.firmware(task.definition_id)

    task, definition = run(work())
    if as_json:
        output.print_json(task_document(task))
    else:
        output.say(f"gateway {eui}: {task.status} task removed")
    if definition is not None and definition.automatic:
        output.say(
            f"{named(definition)} is automatic: the gateway gets it anew while it runs"
            f" {definition.current}, until `bittern gateway firmware undefine"
            f" {definition.id[:SHORT]}`"
        )


# The image


async def _checked(
    workspace: Workspace, definition: FirmwareDefinition, key_crc: int | None
) -> FirmwareDefinition:
    """With the key that has signed. Raises `ImageRejected` or `ImageUnavailable`."""
    from bittern.pki import firmware_signatures as signatures
    from bittern.pki.firmware_keys import public_keys
    from bittern.servers.firmware_images import FirmwareImages

    async with FirmwareImages(
        workspace.configuration.firmware,
        workspace.layout.firmware,
        now=workspace.now,
        wait_s=PATIENCE_S,
    ) as images:
        if key_crc is not None:
            await images.image(definition)
            return definition
        image = await images.digest(definition.source)
        for public in public_keys(images.keys):
            if signatures.verify(image, definition.signature, public):
                crc = signatures.key_crc(public)
                return msgspec.structs.replace(definition, key_crc=crc)
        raise ImageRejected(
            f"none of the keys in {images.keys} has signed {definition.source} like this:"
            " `bittern gateway firmware key add` adds one"
        )


# Definitions and tasks


async def _definition(store: Store, account: str, text: str) -> FirmwareDefinition:
    """By id, name or the first digits of its id. Raises `NotFound`, `Conflict` for several."""
    found = await store.firmware_definitions(account)
    for chosen in (
        [one for one in found if one.id == text],
        [one for one in found if one.name == text],
        [one for one in found if len(text) >= SHORT and one.id.startswith(text)],
    ):
        if len(chosen) > 1:
            raise Conflict("firmware definition", text, "names several: name one by its id")
        if chosen:
            return chosen[0]
    raise NotFound("firmware definition", text)


async def _task(store: Store, account: str, eui: GatewayEUI) -> FirmwareTask:
    """Raises `NotFound`."""
    await gateway_of(store, account, eui)
    task = await store.firmware_task(eui)
    if task is None:
        raise NotFound("firmware task of gateway", str(eui))
    return task


async def _tasks(store: Store, account: str) -> list[FirmwareTask]:
    tasks = [
        await store.firmware_task(one.gateway_eui) for one in await all_gateways(store, account)
    ]
    return [task for task in tasks if task is not None]


async def _replace_ended(store: Store, eui: GatewayEUI) -> None:
    task = await store.firmware_task(eui)
    if task is None:
        return
    if task.status not in FINAL:
        raise Conflict(
            "gateway",
            str(eui),
            f"has an update under way ({task.status}): `bittern gateway firmware cancel {eui}`",
        )
    await store.remove_firmware_task(eui)
