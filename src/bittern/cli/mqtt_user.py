"""`bittern mqtt user`: who logs in to the embedded broker, and what each may."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from bittern.cli import output, parameters
from bittern.cli.attribution import recorded
from bittern.cli.group import noun
from bittern.cli.workspace import Workspace
from bittern.errors import Conflict, NotFound
from bittern.outputs.broker.accounts import (
    NAME,
    USERNAME,
    WITHOUT_PASSWORD,
    Account,
    Accounts,
    first_line,
)
from bittern.outputs.broker.permissions import flaw
from bittern.pki import files

app = noun("Users of the embedded MQTT broker. A running server follows within a second.")

DEFAULT_SUBSCRIBE = ("#",)
"""Of a user who is added without patterns: to listen, but to nothing that begins with `$`."""


def _name(text: str) -> str:
    if NAME.fullmatch(text) is None:
        raise ValueError("letters, digits and . _ @ - behind the first; at most 64 characters")
    return text


def _pattern(*, to_publish: bool) -> Callable[[str], str]:
    def parsing(text: str) -> str:
        reason = flaw(text, to_publish=to_publish)
        if reason is not None:
            raise ValueError(reason)
        return text

    return parsing


Name = Annotated[
    str,
    typer.Argument(metavar="NAME", parser=parameters.parsed(_name), help="Of the user."),
]
Publish = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN",
        parser=parameters.parsed(_pattern(to_publish=True)),
        help="Topics that it may publish to: + and # as in MQTT, %u for its name. May be repeated.",
    ),
]
Subscribe = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN",
        parser=parameters.parsed(_pattern(to_publish=False)),
        help="Topics that it may subscribe to, likewise. $aws/# has to be named.",
    ),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="File whose first line is the password. Without it: one is drawn and printed once.",
        exists=True,
        dir_okay=False,
    ),
]


def accounts_of(workspace: Workspace) -> Accounts:
    layout = workspace.layout
    files.make_folder(layout.data_dir)
    return Accounts(layout.mqtt_password, layout.mqtt_users)


def required(known: dict[str, Account], name: str) -> Account:
    if name not in known:
        raise NotFound("MQTT user", name)
    return known[name]


@app.command("add")
@recorded
def add(
    *,
    name: Name,
    publish: Publish = None,
    subscribe: Subscribe = None,
    password_file: PasswordFile = None,
    no_password: Annotated[
        bool,
        typer.Option(
            "--no-password", help="It logs in by certificate: `bittern mqtt certificate`."
        ),
    ] = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Add a user. Without patterns it may subscribe to # and publish nothing."""
    if no_password and password_file is not None:
        raise typer.BadParameter("contradicts --password-file", param_hint="--no-password")
    accounts = accounts_of(Workspace.of(data_dir, config))
    password = None if no_password else _password(password_file)
    account = msgspec.structs.replace(
        WITHOUT_PASSWORD if password is None else WITHOUT_PASSWORD.with_password(password),
        publish=tuple(publish or ()),
        subscribe=DEFAULT_SUBSCRIBE if subscribe is None else tuple(subscribe),
    )

    def work(known: dict[str, Account]) -> None:
        if name in known:
            raise Conflict("MQTT user", name)
        known[name] = account

    accounts.change(work)
    _tell(password, password_file)
    output.say(f"user {name} added")


@app.command("passwd")
@recorded
def passwd(
    *,
    name: Name,
    password_file: PasswordFile = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Give a user another password. Its connections end; certificates stay."""
    accounts = accounts_of(Workspace.of(data_dir, config))
    password = _password(password_file)

    def work(known: dict[str, Account]) -> None:
        known[name] = required(known, name).with_password(password)
        if name == USERNAME:
            accounts.set_default_password(password)

    accounts.change(work)
    _tell(password, password_file)
    output.say(f"password of user {name} changed")


@app.command("permit")
@recorded
def permit(
    *,
    name: Name,
    publish: Publish = None,
    subscribe: Subscribe = None,
    nothing: Annotated[
        bool, typer.Option("--nothing", help="What no pattern is given for is allowed nowhere.")
    ] = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Replace a user's patterns. What none is given for stays as it is, unless --nothing."""
    if not (publish or subscribe or nothing):
        raise typer.BadParameter("give --publish, --subscribe or --nothing")
    accounts = accounts_of(Workspace.of(data_dir, config))

    def work(known: dict[str, Account]) -> None:
        before = required(known, name)
        known[name] = msgspec.structs.replace(
            before,
            publish=_replaced(publish, before.publish, nothing),
            subscribe=_replaced(subscribe, before.subscribe, nothing),
        )

    accounts.change(work)
    output.say(f"patterns of user {name} replaced")


@app.command("remove")
@recorded
def remove(
    name: Name,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Remove a user. Its connections and durable sessions end, with what is owed to them."""
    accounts = accounts_of(Workspace.of(data_dir, config))

    def work(known: dict[str, Account]) -> None:
        required(known, name)
        if len(known) == 1:
            raise Conflict("MQTT user", name, "is the only one; add another first")
        del known[name]
        if name == USERNAME:
            accounts.set_default_password(None)

    accounts.change(work)
    output.say(f"user {name} removed")


@app.command("list")
def list_(
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List the users, with what each may and the certificates that log it in."""
    known = accounts_of(Workspace.of(data_dir, config)).read()
    if as_json:
        output.print_json([_document(name, account) for name, account in sorted(known.items())])
        return
    output.table(
        ["NAME", "LOGS IN BY", "PUBLISHES", "SUBSCRIBES"],
        [
            [
                name,
                _means(account),
                _patterns(account.publish, "everything but $"),
                _patterns(account.subscribe, "everything"),
            ]
            for name, account in sorted(known.items())
        ],
        empty="no users yet: the first start of the server makes one",
    )


def _password(file: Path | None) -> bytes:
    if file is None:
        return secrets.token_urlsafe(18).encode()
    return first_line(file, file.read_bytes())


def _tell(password: bytes | None, file: Path | None) -> None:
    """What was drawn here is kept nowhere."""
    if password is not None and file is None:
        typer.echo(password.decode())


def _replaced(
    given: Sequence[str] | None, before: tuple[str, ...] | None, nothing: bool
) -> tuple[str, ...] | None:
    return tuple(given) if given else () if nothing else before


def _means(account: Account) -> str:
    means = ["password"] if account.hash else []
    if account.certificates:
        means.append(f"{len(account.certificates)} certificates")
    return ", ".join(means) or "nothing"


def _patterns(patterns: tuple[str, ...] | None, otherwise: str) -> str:
    return otherwise if patterns is None else " ".join(patterns) or "nothing"


def _document(name: str, account: Account) -> dict[str, object]:
    return {
        "name": name,
        "password": bool(account.hash),
        "publish": account.publish,
        "subscribe": account.subscribe,
        "certificates": [
            {"fingerprint": one.fingerprint, "not_after": output.utc(one.not_after)}
            for one in account.certificates
        ],
    }
