"""`bittern device export`: the devices of an account, as `device import` reads them."""

from __future__ import annotations

import contextlib
import csv
import os
import sys
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Annotated, Any

import msgspec
import typer

from bittern.cli import output, parameters
from bittern.cli.import_columns import COLUMNS
from bittern.cli.workspace import Workspace, run
from bittern.store.pages import everything
from bittern.store.protocol import Store
from bittern.store.records import Device


def export(
    *,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write. Without it: standard output."),
    ] = None,
    reveal_keys: Annotated[bool, typer.Option(help="Write their keys too.")] = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Write all devices as CSV, as `bittern device import` reads it.

    Without keys, which an import needs, it is a list for people. A FILE is for its owner alone.
    """
    workspace = Workspace.of(data_dir, config, account)

    async def work(writer: csv.DictWriter[str]) -> int:
        count = 0
        async with workspace.store() as store:
            async for row in _rows(store, workspace.account, reveal_keys):
                writer.writerow(row)
                count += 1
        return count

    with _opened(file) as text:
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        count = run(work(writer))
    output.say(f"{count} devices")


@contextlib.contextmanager
def _opened(file: Path | None) -> Iterator[IO[str]]:
    if file is None:
        yield sys.stdout
        return
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8", newline="") as text:
        os.fchmod(descriptor, 0o600)
        yield text


async def _rows(store: Store, account: str, with_keys: bool) -> AsyncIterator[dict[str, str]]:
    async for device in everything(partial(store.devices_of, account), lambda one: one.dev_eui):
        profile = await store.device_profile(device.device_profile_id)
        if profile is None:  # both were removed meanwhile
            continue
        note = await store.note(account, "tags", f"WirelessDevice/{device.id}")
        tags = "" if note is None or note.body == "{}" else note.body
        yield _row(device, profile.mac_version, with_keys) | {"Tags": tags}


def _row(device: Device, version: Any, with_keys: bool) -> dict[str, str]:
    from bittern.api.operations import activations, ports

    ((kind, activation),) = activations.document(
        device.activation, version, with_keys=with_keys
    ).items()
    told = {
        "DevEui": str(device.dev_eui),
        "Name": device.name,
        "Description": device.description,
        "DestinationName": device.destination,
        "DeviceProfileId": device.device_profile_id,
        "ServiceProfileId": device.service_profile_id,
        "Activation": kind,
        **activation.pop("SessionKeys", {}),
        **activation,
        "Positioning": {True: "Enabled", False: "Disabled", None: ""}[device.positioning],
    }
    fports = ports.document(device.ports)
    if fports:
        told["FPorts"] = msgspec.json.encode(fports).decode()
    return {name: str(value) for name, value in told.items()}
