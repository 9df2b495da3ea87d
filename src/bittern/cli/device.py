"""`bittern device`: what devices there are, what they are owed, and what they send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

import typer

from bittern.cli import (
    device_add,
    device_export,
    device_import,
    device_send,
    device_test,
    output,
    parameters,
)
from bittern.cli.device_text import Shown, device_document, device_told, downlink_document
from bittern.cli.group import noun
from bittern.cli.owned import device_of
from bittern.cli.workspace import Workspace, run
from bittern.store.forgetting import forget
from bittern.store.pages import everything
from bittern.store.protocol import Store
from bittern.store.records import Device, DeviceProfile, QueuedDownlink
from bittern.types import DevEUI

app = noun("Devices: what there is, what they are owed, what is sent to them.")
app.command("add")(device_add.add)
app.command("import")(device_import.import_)
app.command("export")(device_export.export)
app.command("send")(device_send.send)
app.command("test")(device_test.test)


@app.command("list")
def list_(
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List all devices."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> list[tuple[Device, DeviceProfile]]:
        async with workspace.store() as store:
            return [one async for one in _with_profiles(store, workspace.account)]

    devices = run(work())
    if as_json:
        output.print_json([device_document(*one) for one in devices])
        return
    output.table(
        ["DEVEUI", "ACTIVATION", "VERSION", "REGION", "CLASS", "DESTINATION", "NAME"],
        [
            [
                str(device.dev_eui),
                str(type(device.activation).__struct_config__.tag).upper(),
                profile.mac_version,
                profile.region,
                "C" if profile.supports_class_c else "A",
                device.destination,
                device.name,
            ]
            for device, profile in devices
        ],
        empty="no devices",
    )


async def _with_profiles(store: Store, account: str) -> AsyncIterator[tuple[Device, DeviceProfile]]:
    known: dict[str, DeviceProfile | None] = {}
    async for device in everything(partial(store.devices_of, account), lambda one: one.dev_eui):
        profile_id = device.device_profile_id
        if profile_id not in known:
            known[profile_id] = await store.device_profile(profile_id)
        profile = known[profile_id]
        if profile is not None:  # both were removed meanwhile
            yield device, profile


@app.command("show")
def show(
    *,
    dev_eui: parameters.DevEuiArgument,
    reveal_keys: Annotated[bool, typer.Option(help="Print its keys too.")] = False,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Show a device, its sessions and what it is owed."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> Shown:
        async with workspace.store() as store:
            return await Shown.read(store, workspace.account, DevEUI(dev_eui), reveal_keys)

    shown = run(work())
    if as_json:
        output.print_json(shown.document())
    else:
        output.properties(*device_told(shown))


@app.command("remove")
def remove(
    dev_eui: parameters.DevEuiArgument,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Remove a device with its sessions and its queue."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> None:
        async with workspace.store() as store:
            device = await device_of(store, workspace.account, DevEUI(dev_eui))
            await store.remove_device(device.dev_eui)
            await forget(store, workspace.account, f"WirelessDevice/{device.id}")

    run(work())
    output.say(f"device {dev_eui} removed")


@app.command("queue")
def queue(
    *,
    dev_eui: parameters.DevEuiArgument,
    clear: Annotated[bool, typer.Option("--clear", help="Remove all that waits.")] = False,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Show, or clear, what waits for a device."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> tuple[list[QueuedDownlink], int]:
        async with workspace.store() as store:
            device = await device_of(store, workspace.account, DevEUI(dev_eui))
            removed = await store.unqueue(device.dev_eui) if clear else 0
            return await store.queued(device.dev_eui), removed

    waiting, removed = run(work())
    if clear:
        output.say(f"{removed} removed")
    if as_json:
        output.print_json([downlink_document(one) for one in waiting])
    elif not clear:
        output.table(
            ["MESSAGEID", "FPORT", "PAYLOAD", "CONFIRMED", "ATTEMPTS", "QUEUED"],
            [
                [
                    one.message_id,
                    str(one.fport),
                    one.payload.hex(),
                    "yes" if one.confirmed else "no",
                    str(one.attempts),
                    output.local_time(one.queued_at),
                ]
                for one in waiting
            ],
            empty="nothing waits",
        )
