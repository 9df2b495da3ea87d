"""`bittern token`: the hardware security module that keeps keys, as [keys] names it."""

from __future__ import annotations

import msgspec

from bittern.cli import output, parameters
from bittern.cli.attribution import recorded
from bittern.cli.group import noun
from bittern.cli.owned import device_of
from bittern.cli.token_keys import in_token, token_of
from bittern.cli.workspace import Workspace, run
from bittern.errors import Conflict, NotFound
from bittern.keys.pkcs11 import Pkcs11Provider
from bittern.keys.token import Token
from bittern.store.join_registry import JoinRegistry
from bittern.store.records import OtaaActivation
from bittern.types import DevEUI

app = noun("A hardware security module, spoken to by PKCS#11, that keeps keys.")


@app.command("init")
def init(data_dir: parameters.DataDir = None, config: parameters.Config = None) -> None:
    """Make the key that wraps the data keys, in the token, which never lets it out.

    The token itself, its label and its PIN are made by its maker's program.
    """
    keys = Workspace.of(data_dir, config).configuration.keys

    async def work() -> tuple[str, bool]:
        provider = Pkcs11Provider(keys)
        try:
            return provider.describe(), await provider.make_key()
        finally:
            await provider.close()

    where, made = run(work())
    output.say(f"{where}: {'made' if made else 'is there already'}")


@app.command("login")
def login(data_dir: parameters.DataDir = None, config: parameters.Config = None) -> None:
    """Try the PIN once, even though the token was given a wrong one before.

    A server does not: a token counts wrong PINs, and ends with its keys locked.
    """
    keys = Workspace.of(data_dir, config).configuration.keys

    async def work() -> str:
        token = Token.open(keys)
        try:
            await token.log_in()
            return token.where
        finally:
            await token.close()

    output.say(f"{run(work())}: the PIN is right")


@app.command("import-root")
def import_root(
    dev_eui: parameters.DevEuiArgument,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Move the root keys of a device that was added before into the token.

    Backups of before have them still, and the database may have what was sealed of them until its
    pages are used again: where that counts, give the device new keys.
    """
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> str:
        async with workspace.store() as store, token_of(workspace.configuration) as token:
            device = await device_of(store, workspace.account, DevEUI(dev_eui))
            before = device.activation
            if not isinstance(before, OtaaActivation) or before.app_key.reference is not None:
                raise NotFound("root key in the database of device", str(dev_eui))
            async with in_token(token, device.dev_eui, before) as after:
                await store.replace_device(msgspec.structs.replace(device, activation=after))
            return token.describe()

    output.say(f"root keys of {dev_eui} are in {run(work())} alone")


@app.command("forget")
@recorded
def forget(
    dev_eui: parameters.DevEuiArgument,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Remove the root keys of a device that is not registered any more, for ever."""
    workspace = Workspace.of(data_dir, config)
    device = DevEUI(dev_eui)

    async def work() -> int:
        async with workspace.store() as store, token_of(workspace.configuration) as token:
            registered = await store.device(device) or await JoinRegistry(store).device(device)
            if registered is not None:
                raise Conflict("device", f"{dev_eui} is registered: remove it first")
            return await token.forget_device(device)

    if not run(work()):
        raise NotFound("root key in the token of device", str(dev_eui))
    output.say(f"root keys of {dev_eui} removed from the token")
