"""`bittern access-key`: what programs sign their requests to the API with."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from bittern.cli import output, parameters
from bittern.cli.group import noun
from bittern.cli.workspace import Workspace, run
from bittern.errors import BitternError
from bittern.store.account_records import AccessKey
from bittern.store.records import DEFAULT_ACCOUNT

app = noun("Keys that programs sign their requests to the API with.")

READY_POLICIES = ("administrator", "operator", "reader")
_VARIABLES = {
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "region": "AWS_DEFAULT_REGION",
    "endpoint_url": "AWS_ENDPOINT_URL",
}
"""What a profile and what the environment calls the same."""

KeyId = Annotated[str, typer.Argument(metavar="ID", help="AKIA…")]


@app.command("add")
def add(
    *,
    account: Annotated[
        str, typer.Option(metavar="ACCOUNT", help="Whose resources it is for.")
    ] = DEFAULT_ACCOUNT,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            metavar=f"{'|'.join(READY_POLICIES)}|FILE",
            help="What it may do: everything; everything but reading keys of devices; looking; or"
            " what an IAM policy in a JSON file says. May be repeated. Without it: operator.",
        ),
    ] = None,
    description: Annotated[str, typer.Option(help="For people: who uses it.")] = "",
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Make an access key, and print its secret: now, and never again.

    It is printed as lines for the environment, and as a profile for ~/.aws/credentials.
    """
    workspace = Workspace.of(data_dir, config)
    policies = tuple(_policy(text) for text in policy or ["operator"])
    key = _made(account, policies, description, workspace)

    async def work() -> None:
        async with workspace.store(make=True) as store:
            await store.add_access_key(key)

    run(work())
    settings = _client_settings(key, workspace)
    if as_json:
        del settings["aws_access_key_id"]
        secret = {name.removeprefix("aws_"): text for name, text in settings.items()}
        output.print_json(_document(key) | secret)
        return
    for name, text in settings.items():
        typer.echo(f"export {_VARIABLES[name]}={text}")
    typer.echo("\n[bittern]")
    for name, text in settings.items():
        typer.echo(f"{name} = {text}")
    output.say(f"access key {key.id} added; the secret is not shown again")


@app.command("list")
def list_(
    account: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="Without it: of all accounts.")
    ] = None,
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List access keys, without their secrets."""
    workspace = Workspace.of(data_dir, config)

    async def work() -> list[AccessKey]:
        async with workspace.store() as store:
            return await store.access_keys(account)

    keys = run(work())
    if as_json:
        output.print_json([_document(key) for key in keys])
        return
    output.table(
        ["ID", "ACCOUNT", "STATE", "POLICIES", "LAST USED", "DESCRIPTION"],
        [_row(key) for key in keys],
        empty="no access keys",
    )


@app.command("deactivate")
def deactivate(
    key_id: KeyId, data_dir: parameters.DataDir = None, config: parameters.Config = None
) -> None:
    """Let a key in no longer, from the next request on."""
    _switch(Workspace.of(data_dir, config), key_id, active=False)


@app.command("activate")
def activate(
    key_id: KeyId, data_dir: parameters.DataDir = None, config: parameters.Config = None
) -> None:
    """Let a key in again."""
    _switch(Workspace.of(data_dir, config), key_id, active=True)


@app.command("remove")
def remove(
    key_id: KeyId, data_dir: parameters.DataDir = None, config: parameters.Config = None
) -> None:
    """Remove a key for good."""
    workspace = Workspace.of(data_dir, config)

    async def work() -> None:
        async with workspace.store() as store:
            await store.remove_access_key(key_id)

    run(work())
    output.say(f"access key {key_id} removed")


def _switch(workspace: Workspace, key_id: str, *, active: bool) -> None:
    async def work() -> None:
        async with workspace.store() as store:
            await store.set_access_key_active(key_id, active)

    run(work())
    output.say(f"access key {key_id} {'' if active else 'de'}activated")


def _policy(text: str) -> str:
    """The name of a ready one, or what is in the file."""
    if text in READY_POLICIES:
        return text
    try:
        return Path(text).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "").lower() if isinstance(error, OSError) else "not UTF-8 text"
        ready = ", ".join(READY_POLICIES)
        raise typer.BadParameter(
            f"{text}: neither one of {ready} nor a file that can be read: {reason}",
            param_hint="--policy",
        ) from None


def _made(
    account: str, policies: tuple[str, ...], description: str, workspace: Workspace
) -> AccessKey:
    from bittern.api.identity import new_access_key

    try:
        return new_access_key(
            account,
            policies,
            description=description,
            now=workspace.now(),
            randomness=secrets.token_bytes,
        )
    except (BitternError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None


def _client_settings(key: AccessKey, workspace: Workspace) -> dict[str, str]:
    """What AWS clients want to know, as a profile calls it."""
    endpoint = workspace.api_uri()
    return {
        "aws_access_key_id": key.id,
        "aws_secret_access_key": key.secret.expose(),
        "region": workspace.configuration.api.region,
    } | ({"endpoint_url": endpoint} if endpoint else {})


def _row(key: AccessKey) -> list[str]:
    return [
        key.id,
        key.account,
        "active" if key.active else "inactive",
        ", ".join(_policy_name(text) for text in key.policies),
        "never" if key.last_used_at is None else output.local_time(key.last_used_at),
        key.description,
    ]


def _policy_name(text: str) -> str:
    return text if text in READY_POLICIES else "written"


def _document(key: AccessKey) -> dict[str, object]:
    last_used_at = None if key.last_used_at is None else output.utc(key.last_used_at)
    return {
        "id": key.id,
        "account": key.account,
        "active": key.active,
        "policies": list(key.policies),
        "description": key.description,
        "created_at": output.utc(key.created_at),
        "last_used_at": last_used_at,
    }
