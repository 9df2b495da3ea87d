"""Topic rules of the `iot` service: the same rules that ``bittern rule`` manages.

For a rule that is not there AWS says that access is denied, so that nobody learns which names are
taken; deleting one that is not there succeeds. `roleArn` is taken and not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from bittern.api.errors import VALIDATION, ApiError
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import Answer, moment, page_of, present, split, tags_note
from bittern.api.operations.iot_tags import checked_iot_tags, from_query
from bittern.api.operations.rule_actions import not_shown, shown, with_credentials
from bittern.api.operations.services import Services
from bittern.api.paging import MAX_SIZE
from bittern.errors import Conflict, NotFound, RuleError, SqlParseException
from bittern.outputs.preparing import checked_rule
from bittern.rules import Rule, compile
from bittern.store.rule_records import Action, RuleRecord

LONGEST_SHOWN = 200
"""Characters of a statement's line that an error repeats."""


async def create(services: Services, call: Call, parameters: Parameters) -> None:
    name = parameters["ruleName"]
    tags = checked_iot_tags(from_query(parameters.get("tags", "")))
    rule = _record(call, name, parameters)
    try:
        await services.store.add_rule(rule)
    except Conflict:
        raise ApiError(
            "ResourceAlreadyExistsException",
            f"rule {name} exists already",
            resourceId=name,
            resourceArn=_arn(call, name),
        ) from None
    await services.store.put_notes(tags_note(call, f"rule/{name}", tags))


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    rule = await _found(services, call, parameters["ruleName"])
    document = present(
        ruleName=rule.name,
        sql=rule.sql,
        description=_description(rule),
        createdAt=moment(rule.created_at),
        awsIotSqlVersion=rule.version,
        errorAction=next(iter(shown(_error_actions(rule))), None),
    )
    told = {"actions": shown(rule.actions), "ruleDisabled": not rule.enabled}
    return {"ruleArn": _arn(call, rule.name), "rule": document | told}


async def list_(services: Services, call: Call, parameters: Parameters) -> Answer:
    """`topic` finds the rules that a message there would reach, and those with just this filter."""
    page = page_of(services, call, parameters, default=MAX_SIZE)
    every = await services.store.rules(call.account)
    wanted, disabled = parameters.get("topic"), parameters.get("ruleDisabled")
    found = [
        rule
        for rule in every
        if disabled in (None, not rule.enabled) and (wanted is None or _hears(rule, wanted))
    ]
    listed, token = split(page, found, lambda rule: rule.name)
    return present(nextToken=token) | {"rules": [_entry(call, rule) for rule in listed]}


async def replace(services: Services, call: Call, parameters: Parameters) -> None:
    """The whole rule but for the time at which it was made."""
    before = await _found(services, call, parameters["ruleName"])
    after = _record(call, before.name, parameters, before)
    await _replaced(services, msgspec.structs.replace(after, created_at=before.created_at))


async def enable(services: Services, call: Call, parameters: Parameters) -> None:
    rule = await _found(services, call, parameters["ruleName"])
    await _replaced(services, msgspec.structs.replace(rule, enabled=True))


async def disable(services: Services, call: Call, parameters: Parameters) -> None:
    rule = await _found(services, call, parameters["ruleName"])
    await _replaced(services, msgspec.structs.replace(rule, enabled=False))


async def delete(services: Services, call: Call, parameters: Parameters) -> None:
    name = parameters["ruleName"]
    try:
        await services.store.remove_rule(call.account, name)
    except NotFound:
        return
    await services.store.remove_note(call.account, "tags", f"rule/{name}")


def _record(
    call: Call, name: str, parameters: Parameters, before: RuleRecord | None = None
) -> RuleRecord:
    """ApiError for one that could not work."""
    payload = parameters["topicRulePayload"]
    error_action: Action | None = payload.get("errorAction")
    actions: Sequence[Action] = payload["actions"]
    rule = RuleRecord(
        account=call.account,
        name=name,
        sql=payload["sql"],
        version=payload.get("awsIotSqlVersion", "2016-03-23"),
        description=payload.get("description", ""),
        enabled=not payload.get("ruleDisabled", False),
        actions=with_credentials(actions, before.actions if before else ()),
        error_action=error_action
        and with_credentials([error_action], _error_actions(before) if before else ())[0],
        created_at=call.now,
    )
    try:
        checked_rule(rule)
    except RuleError as error:
        raise _refused(error, rule.sql) from None
    return rule


def _refused(error: RuleError, sql: str) -> ApiError:
    """With the place; a statement may be long, and a message is not."""
    if not isinstance(error, SqlParseException):
        return ApiError(VALIDATION, str(error))
    hint = f"; {error.hint}" if error.hint else ""
    text = f"line {error.line}, column {error.column}: {error.reason}{hint}"
    if error.sql == sql:
        return ApiError("SqlParseException", text)
    return ApiError(VALIDATION, f"in {error.sql[:LONGEST_SHOWN]!r}, {text}")


async def _found(services: Services, call: Call, name: str) -> RuleRecord:
    rule = await services.store.rule(call.account, name)
    if rule is None:
        raise _denied(name)
    return rule


async def _replaced(services: Services, rule: RuleRecord) -> None:
    try:
        await services.store.replace_rule(rule)
    except NotFound:
        raise _denied(rule.name) from None


def _denied(name: str) -> ApiError:
    """AWS's words for a rule that is not there."""
    return ApiError("UnauthorizedException", f"Access to topic rule '{name}' was denied")


def _arn(call: Call, name: str) -> str:
    return call.arn(f"rule/{name}", "iot")


def _error_actions(rule: RuleRecord) -> tuple[Action, ...]:
    return () if rule.error_action is None else (rule.error_action,)


def _description(rule: RuleRecord) -> str:
    """What the model cannot tell is said here, lest somebody replace the rule without it."""
    others = not_shown([*rule.actions, *_error_actions(rule)])
    if not others:
        return rule.description
    note = f"[with {', '.join(others)}: bittern rule show {rule.name}]"
    return f"{rule.description} {note}".lstrip()


def _entry(call: Call, rule: RuleRecord) -> Answer:
    compiled = _compiled(rule)
    return present(
        ruleArn=_arn(call, rule.name),
        ruleName=rule.name,
        topicPattern=compiled and compiled.topic_filter,
        createdAt=moment(rule.created_at),
    ) | {"ruleDisabled": not rule.enabled}


def _hears(rule: RuleRecord, topic: str) -> bool:
    compiled = _compiled(rule)
    if compiled is None or compiled.topic_filter is None:
        return False
    return compiled.topic_filter == topic or compiled.matches(topic)


def _compiled(rule: RuleRecord) -> Rule | None:
    """None for one that today's rules language does not read."""
    try:
        return _compile(rule.sql, rule.version)
    except (RuleError, ValueError):
        return None


@lru_cache(maxsize=2000)
def _compile(sql: str, version: str) -> Rule:
    return compile(sql, version)
