"""`bittern account`: who owns devices, gateways and everything else."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from bittern.cli import output, parameters
from bittern.cli.group import noun
from bittern.cli.workspace import Workspace, run
from bittern.store.account_records import Account

app = noun("Accounts: each resource belongs to one, and none sees another's.")


Id = Annotated[
    str | None,
    typer.Option(
        "--id",
        metavar="ACCOUNT",
        parser=parameters.parsed(parameters.account_id),
        help="12 digits. Without it: drawn at random.",
    ),
]


@app.command("add")
def add(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="For people; need not be unique.")],
    account_id: Id = None,
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Add an account."""
    workspace = Workspace.of(data_dir, config)
    account = _made(account_id or _drawn(), name, workspace)

    async def work() -> None:
        async with workspace.store(make=True) as store:
            await store.add_account(account)

    run(work())
    if as_json:
        output.print_json(_document(account))
    else:
        typer.echo(account.id)
        output.say(
            f"account {account.id} added; make a key for it by"
            f" `bittern access-key add --account {account.id}`"
        )


@app.command("list")
def list_(
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List all accounts."""
    workspace = Workspace.of(data_dir, config)

    async def work() -> list[Account]:
        async with workspace.store() as store:
            return await store.accounts()

    accounts = run(work())
    if as_json:
        output.print_json([_document(account) for account in accounts])
        return
    output.table(
        ["ACCOUNT", "NAME", "CREATED"],
        [[one.id, one.name, output.local_time(one.created_at)] for one in accounts],
        empty="no accounts",
    )


def _made(account_id: str, name: str, workspace: Workspace) -> Account:
    try:
        return Account(id=account_id, name=name, created_at=workspace.now())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from None


def _drawn() -> str:
    """Without a leading zero, which some tools take for the sign of a number in base eight."""
    return str(10**11 + secrets.randbelow(9 * 10**11))


def _document(account: Account) -> dict[str, object]:
    return {
        "id": account.id,
        "name": account.name,
        "created_at": output.utc(account.created_at),
    }
