"""`bittern device test`: a message that no device has sent, on the way of those it sends."""

from __future__ import annotations

import random

import typer

from bittern.api.operations.device_test import PAYLOAD, owe_test
from bittern.cli import output, parameters
from bittern.cli.owned import device_of
from bittern.cli.workspace import Workspace, run
from bittern.store.records import Device
from bittern.types import DevEUI


def test(
    dev_eui: parameters.DevEuiArgument,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Send `Hello` the way that uplinks of a device take: to its destination and its rules.

    Prints the MessageId. What could not be delivered is shown by `bittern dead-letter list`.
    """
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> tuple[Device, str]:
        async with workspace.store() as store:
            device = await device_of(store, workspace.account, DevEUI(dev_eui))
            chance, now = random.SystemRandom(), workspace.now()
            return device, await owe_test(store, device, randomness=chance, now=now)

    device, message_id = run(work())
    if as_json:
        told = {"message_id": message_id, "destination": device.destination}
        output.print_json(told | {"payload": PAYLOAD.hex()})
    else:
        typer.echo(message_id)
