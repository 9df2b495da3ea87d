"""`bittern join-server device`: devices whose root keys are at this join server."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec
import typer

from bittern.cli import output, parameters
from bittern.cli.device_text import HINT, IN_TOKEN, MASK, spelled
from bittern.cli.group import noun
from bittern.cli.join_server_store import opened_registry
from bittern.cli.token_keys import in_token, token_of
from bittern.cli.workspace import Workspace, run
from bittern.errors import NotFound
from bittern.lorawan.versions import MacVersion, uses_nwk_key
from bittern.store.disclosure import disclosed, keys_of, names_in_token
from bittern.store.join_records import JoinDevice, Spent
from bittern.store.records import OtaaActivation
from bittern.types import EUI64, AES128Key, AppKey, DevEUI, JoinEUI, NetID, NwkKey

K = TypeVar("K", bound=AES128Key)

app = noun("Devices whose root keys are here.")

HomeNetId = Annotated[
    NetID | None,
    typer.Option(
        "--net-id",
        metavar="NETID",
        parser=parameters.parsed(NetID.from_hex),
        help="Its home network, the only one that may activate it. Without it: network.net_id.",
    ),
]


@app.command("add")
def add(
    *,
    dev_eui: parameters.DevEuiArgument,
    version: parameters.Version = MacVersion.LORAWAN_1_0_3,
    name: Annotated[str, typer.Option()] = "",
    join_eui: parameters.JoinEuiOption = None,
    app_key: parameters.AppKeyOption = None,
    nwk_key: parameters.NwkKeyOption = None,
    generate_keys: parameters.GenerateKeys = False,
    keys_in_token: parameters.KeysInToken = False,
    net_id: HomeNetId = None,
    application: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Application server that its AppSKeys are wrapped for. Without it: its network.",
        ),
    ] = "",
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Add a device with its root keys.

    A key may be given as 32 hexadecimal digits, as @FILE, or as - to be asked for or read from
    standard input, which keeps it out of the shell's history.
    """
    workspace = Workspace.of(data_dir, config)
    has_nwk_key = uses_nwk_key(version)
    if nwk_key is not None and not has_nwk_key:
        raise _wrong("nwk_key", f"LoRaWAN {version} has no NwkKey")
    device = JoinDevice(
        dev_eui=DevEUI(dev_eui),
        name=name,
        mac_version=version,
        keys=OtaaActivation(
            join_eui=JoinEUI(join_eui or EUI64(bytes(EUI64.SIZE))),
            app_key=_key(AppKey, app_key, "app_key", generate_keys),
            nwk_key=_key(NwkKey, nwk_key, "nwk_key", generate_keys) if has_nwk_key else None,
        ),
        net_id=net_id or workspace.configuration.network.net_id,
        application=application,
        created_at=workspace.now(),
    )

    async def work() -> None:
        async with opened_registry(workspace, make=True) as registry:
            if application and await registry.application(application) is None:
                raise NotFound("application server", application)
            if not keys_in_token:
                return await registry.add_device(device)
            async with (
                token_of(workspace.configuration) as token,
                in_token(token, device.dev_eui, device.keys) as there,
            ):
                await registry.add_device(msgspec.structs.replace(device, keys=there))

    run(work())
    keys = {spelled(one): disclosed(key) for one, key in _keys(device).items()}
    if as_json:
        output.print_json(_document(device) | ({"keys": keys} if generate_keys else {}))
        return
    output.say(f"device {dev_eui} added: LoRaWAN {version}, home network {device.net_id}")
    if generate_keys:
        output.properties(keys)


@app.command("list")
def list_(
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List all devices."""
    workspace = Workspace.of(data_dir, config)

    async def work() -> list[JoinDevice]:
        async with opened_registry(workspace) as registry:
            return await registry.devices()

    devices = run(work())
    if as_json:
        output.print_json([_document(device) for device in devices])
        return
    output.table(
        ["DEVEUI", "JOINEUI", "VERSION", "HOME", "APPLICATION", "NAME"],
        [
            [
                str(device.dev_eui),
                str(device.keys.join_eui),
                device.mac_version,
                str(device.net_id),
                device.application,
                device.name,
            ]
            for device in devices
        ],
        empty="no devices",
    )


@app.command("show")
def show(
    dev_eui: parameters.DevEuiArgument,
    reveal_keys: Annotated[bool, typer.Option(help="Print its keys too.")] = False,
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Show a device, and what it has used up."""
    workspace = Workspace.of(data_dir, config)

    async def work() -> tuple[JoinDevice, Spent]:
        async with opened_registry(workspace) as registry:
            device = await registry.device(DevEUI(dev_eui))
            if device is None:
                raise NotFound("device", str(dev_eui))
            return device, await registry.spent(device.dev_eui)

    device, spent = run(work())
    keys = {spelled(one): disclosed(key) for one, key in _keys(device).items()}
    state = spent.state
    joins = 0 if state is None else state.next_join_nonce - 1
    last = None if state is None else state.last_dev_nonce
    if as_json:
        document = _document(device) | {"joins": joins, "last_dev_nonce": last}
        output.print_json(document | ({"keys": keys} if reveal_keys else {}))
        return
    output.properties(
        {
            "DevEUI": str(device.dev_eui),
            "JoinEUI": str(device.keys.join_eui),
            "LoRaWAN": device.mac_version,
            "home NetID": str(device.net_id),
            "joins": str(joins),
            **({} if last is None else {"last DevNonce": str(last)}),
            **{spelled(one): IN_TOKEN for one in names_in_token(device.keys)},
            **{one: key if reveal_keys else f"{MASK}  {HINT}" for one, key in keys.items()},
        }
    )


@app.command("remove")
def remove(
    dev_eui: parameters.DevEuiArgument,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Remove a device, its root keys and what it has used up."""
    workspace = Workspace.of(data_dir, config)

    async def work() -> None:
        async with opened_registry(workspace) as registry:
            await registry.remove_device(DevEUI(dev_eui))

    run(work())
    output.say(f"device {dev_eui} removed")


def _keys(device: JoinDevice) -> Mapping[str, AES128Key]:
    return keys_of(device.keys, device.mac_version)


def _key(kind: type[K], given: K | None, name: str, generate: bool) -> K:
    if given is not None:
        return given
    if not generate:
        raise _wrong(name, "missing; give it, or --generate-keys")
    return kind(secrets.token_bytes(16))


def _document(device: JoinDevice) -> dict[str, object]:
    return {
        "dev_eui": str(device.dev_eui),
        "name": device.name,
        "join_eui": str(device.keys.join_eui),
        "mac_version": device.mac_version,
        "home_net_id": str(device.net_id),
        "application": device.application,
        "created_at": output.utc(device.created_at),
    }


def _wrong(name: str, reason: str) -> typer.BadParameter:
    return typer.BadParameter(reason, param_hint="--" + name.replace("_", "-"))
