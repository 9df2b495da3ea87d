"""`bittern rule add|list|show|set|enable|disable|remove`: the rules that destinations name.

A definition is JSON in the shape of AWS's ``TopicRulePayload``, as `aws iot create-topic-rule`
takes it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from bittern.cli import output, parameters
from bittern.cli.workspace import Workspace, run
from bittern.errors import NotFound, RuleError
from bittern.rules import SqlVersion, explain
from bittern.store.pages import everything
from bittern.store.rule_records import RuleRecord

Name = Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits and _.")]
File = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="JSON: a TopicRulePayload, as `aws iot create-topic-rule` takes it.",
    ),
]
Sql = Annotated[
    str | None,
    typer.Option(metavar="SQL", help="The statement. @FILE reads it from a file."),
]
ActionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--action",
        metavar="JSON",
        help='One action: {"republish": {"topic": "plant/${WirelessDeviceId}"}}. May be repeated.'
        " @FILE reads it from a file.",
    ),
]
ErrorActionOption = Annotated[
    str | None,
    typer.Option(
        "--error-action", metavar="JSON", help="What to do with what the actions will never take."
    ),
]
Description = Annotated[str | None, typer.Option()]
SqlVersionOption = Annotated[
    SqlVersion | None,
    typer.Option(
        metavar="|".join(SqlVersion),
        parser=parameters.parsed(SqlVersion.parse),
        help="Version of AWS IoT SQL.",
    ),
]


class Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """``TopicRulePayload`` of botocore's model ``iot``."""

    sql: str
    actions: tuple[dict[str, Any], ...]
    description: str = ""
    rule_disabled: bool = False
    aws_iot_sql_version: str = "2016-03-23"
    error_action: dict[str, Any] | None = None


def add(
    *,
    name: Name,
    file: File = None,
    sql: Sql = None,
    action: ActionOption = None,
    error_action: ErrorActionOption = None,
    description: Description = None,
    sql_version: SqlVersionOption = None,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Add a rule, from a definition or from options."""
    workspace = Workspace.of(data_dir, config, account)
    payload = _payload(file)
    if payload is None and (sql is None or not action):
        raise typer.BadParameter("or --sql and --action are needed", param_hint="--file")
    record = RuleRecord(
        account=workspace.account, name=name, sql="", actions=(), created_at=workspace.now()
    )
    record = _changed(record, payload, sql, action, error_action, description, sql_version)
    _check(record)

    async def work() -> None:
        async with workspace.store(make=True) as store:
            await store.add_rule(record)

    run(work())
    _tell(record, as_json, f"rule {name} added: {_told(record)}")


def set_(
    *,
    name: Name,
    file: File = None,
    sql: Sql = None,
    action: ActionOption = None,
    error_action: ErrorActionOption = None,
    description: Description = None,
    sql_version: SqlVersionOption = None,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Replace a rule by a definition, or single things of it by options."""
    payload = _payload(file)

    def change(record: RuleRecord) -> RuleRecord:
        return _changed(record, payload, sql, action, error_action, description, sql_version)

    record = _replace(Workspace.of(data_dir, config, account), name, change)
    _tell(record, as_json, f"rule {name} set: {_told(record)}")


def enable(
    name: Name,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Let a rule work."""
    _replace(
        Workspace.of(data_dir, config, account),
        name,
        lambda r: msgspec.structs.replace(r, enabled=True),
    )
    output.say(f"rule {name} enabled")


def disable(
    name: Name,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Let a rule rest: messages of destinations that name it become dead letters."""
    _replace(
        Workspace.of(data_dir, config, account),
        name,
        lambda r: msgspec.structs.replace(r, enabled=False),
    )
    output.say(f"rule {name} disabled")


def list_(
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List all rules."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> list[RuleRecord]:
        async with workspace.store() as store:
            return await store.rules(workspace.account)

    rules = run(work())
    if as_json:
        output.print_json([_document(one) for one in rules])
        return
    output.table(
        ["NAME", "ENABLED", "ACTIONS", "SQL"],
        [[one.name, "yes" if one.enabled else "no", _kinds(one), one.sql] for one in rules],
        empty="no rules",
    )


def show(
    name: Name,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Print a rule as JSON, as AWS's `get-topic-rule` does."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> RuleRecord:
        async with workspace.store() as store:
            return _there(await store.rule(workspace.account, name), name)

    output.print_json(_document(run(work())))


def remove(
    name: Name,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Remove a rule. Destinations may go on naming it: their messages become dead letters."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> list[str]:
        async with workspace.store() as store:
            await store.remove_rule(workspace.account, name)
            named = everything(partial(store.destinations, workspace.account), lambda one: one.name)
            return [
                one.name
                async for one in named
                if (one.expression_type, one.expression) == ("RuleName", name)
            ]

    destinations = run(work())
    output.say(f"rule {name} removed")
    if destinations:
        output.say(f"destinations that still name it: {', '.join(destinations)}")


VERBS: dict[str, Callable[..., None]] = {
    "add": add,
    "list": list_,
    "show": show,
    "set": set_,
    "enable": enable,
    "disable": disable,
    "remove": remove,
}


def _replace(workspace: Workspace, name: str, change: Any) -> RuleRecord:
    async def work() -> RuleRecord:
        async with workspace.store() as store:
            record: RuleRecord = change(_there(await store.rule(workspace.account, name), name))
            _check(record)
            await store.replace_rule(record)
            return record

    return run(work())


def _there(record: RuleRecord | None, name: str) -> RuleRecord:
    if record is None:
        raise NotFound("rule", name)
    return record


def _changed(  # noqa: PLR0917
    record: RuleRecord,
    payload: Payload | None,
    sql: str | None,
    actions: list[str] | None,
    error_action: str | None,
    description: str | None,
    version: SqlVersion | None,
) -> RuleRecord:
    """What is not named stays."""
    changes: dict[str, Any] = {}
    if payload is not None:
        changes = {
            "sql": payload.sql,
            "actions": payload.actions,
            "description": payload.description,
            "enabled": not payload.rule_disabled,
            "version": payload.aws_iot_sql_version,
            "error_action": payload.error_action,
        }
    if sql is not None:
        changes["sql"] = _text(sql)
    if actions:
        changes["actions"] = tuple(_json(one, "--action") for one in actions)
    if error_action is not None:
        changes["error_action"] = _json(error_action, "--error-action")
    if description is not None:
        changes["description"] = description
    if version is not None:
        changes["version"] = str(version)
    return msgspec.structs.replace(record, **changes)


def _check(record: RuleRecord) -> None:
    """Complains of what cannot work, with its place, and ends."""
    from bittern.outputs.preparing import checked_rule

    try:
        checked_rule(record)
    except RuleError as error:
        output.complain(explain(error))
        raise typer.Exit(1) from None


def _payload(file: Path | None) -> Payload | None:
    if file is None:
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=Payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file}: {error}", param_hint="--file") from None


def _json(text: str, where: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(_text(text), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise typer.BadParameter(str(error), param_hint=where) from None


def _text(text: str) -> str:
    return Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text


def _tell(record: RuleRecord, as_json: bool, said: str) -> None:
    if as_json:
        output.print_json(_document(record))
    else:
        output.say(said)


def _told(record: RuleRecord) -> str:
    count = len(record.actions)
    return f"{count} action{'s' * (count != 1)} ({_kinds(record)})"


def _kinds(record: RuleRecord) -> str:
    return ", ".join(next(iter(one)) for one in record.actions)


def _document(record: RuleRecord) -> dict[str, Any]:
    document: dict[str, Any] = {
        "ruleName": record.name,
        "sql": record.sql,
        "description": record.description,
        "createdAt": output.utc(record.created_at),
        "actions": record.actions,
        "ruleDisabled": not record.enabled,
        "awsIotSqlVersion": record.version,
    }
    if record.error_action is not None:
        document["errorAction"] = record.error_action
    return document
