"""IAM-style policies: what an access key may do, on which resources.

Statements allow or deny actions on resources, both with the wildcards ``*`` and ``?``. A denial
wins over any permission, and what nothing allows is refused. Of IAM's language this is the part
that can be promised: a policy with anything else in it (``Condition``, ``NotAction``, variables) is
not accepted, for leaving out a condition would allow more than was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from bittern.errors import BitternError

READ_KEYS = "bittern:ReadKeys"
"""Whether root and session keys are told."""
ANY_RESOURCE = "*"
"""The resource of what has none: lists, and the making of something that has no name yet."""
MAX_SIZE = 6144
"""Characters, as at IAM."""
VERSIONS = ("2012-10-17", "2008-10-17")

_NO_PERMISSION_NEEDED = frozenset({"sts:GetCallerIdentity"})
"""Who somebody is, IAM tells even whom everything is denied."""


class MalformedPolicy(BitternError):
    """The text is no policy that is understood; `reason` says what does not fit."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class Effect(StrEnum):
    ALLOW = "Allow"
    DENY = "Deny"


class _Statement(msgspec.Struct, forbid_unknown_fields=True, rename="pascal"):
    effect: Effect
    action: str | list[str]
    resource: str | list[str]
    sid: str = ""


class _Document(msgspec.Struct, forbid_unknown_fields=True, rename="pascal"):
    statement: list[_Statement] | _Statement
    version: str = VERSIONS[0]
    id: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One rule, ready to be asked."""

    effect: Effect
    actions: re.Pattern[str]
    resources: re.Pattern[str]

    def covers(self, action: str, resource: str | None) -> bool:
        """`resource` None is one that is not known yet. A denial covers it, for it may be the one
        that is meant; a permission only if it is for every resource."""
        if not self.actions.fullmatch(action):
            return False
        if resource is None:
            return self.effect is Effect.DENY or bool(self.resources.fullmatch(ANY_RESOURCE))
        return bool(self.resources.fullmatch(resource))


@dataclass(frozen=True, slots=True)
class Policy:
    """All statements that hold for a caller."""

    statements: tuple[Statement, ...]

    def allows(self, action: str, resource: str | None = ANY_RESOURCE) -> bool:
        """`action` as ``service:Operation``, `resource` as an ARN; None: not known yet, so only
        what holds for all of them is allowed."""
        if action in _NO_PERMISSION_NEEDED:
            return True
        covering = {each.effect for each in self.statements if each.covers(action, resource)}
        return covering == {Effect.ALLOW}


def policy(*texts: str | bytes) -> Policy:
    """From policy documents in JSON; all of them hold. MalformedPolicy."""
    return Policy(tuple(statement for text in texts for statement in _statements(text)))


def ready(name: str) -> Policy:
    """``administrator``, ``operator`` or ``reader``; KeyError for another name."""
    return policy(READY[name])


def _statements(text: str | bytes) -> Iterable[Statement]:
    if len(text) > MAX_SIZE:
        raise MalformedPolicy(f"policy has more than {MAX_SIZE} characters")
    try:
        document = msgspec.json.decode(text, type=_Document)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedPolicy(f"policy is not understood: {error}") from None
    if document.version not in VERSIONS:
        raise MalformedPolicy(f"policy has the unknown version {document.version}")
    found = document.statement
    return [_compiled(each) for each in (found if isinstance(found, list) else [found])]


def _compiled(statement: _Statement) -> Statement:
    actions, resources = _texts(statement.action), _texts(statement.resource)
    for action in actions:
        if action != "*" and not re.fullmatch(r"[\w-]+:[\w*?]+", action, re.ASCII):
            raise MalformedPolicy(f"action {action!r} is not of the form service:Operation")
    for resource in resources:
        if "${" in resource:
            raise MalformedPolicy(f"resource {resource!r} has a variable; none are known here")
        if resource != "*" and resource.count(":") < 5:
            raise MalformedPolicy(f"resource {resource!r} is not an ARN")
    return Statement(statement.effect, _any_of(actions, re.IGNORECASE), _any_of(resources))


def _texts(value: str | list[str]) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not texts:
        raise MalformedPolicy("a statement without an action or a resource")
    return texts


def _any_of(wildcards: list[str], flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_expression(text)})" for text in wildcards), flags | re.DOTALL)


def _expression(wildcard: str) -> str:
    """Each ``*`` takes as little as the text behind it needs, and never reconsiders: so the time
    is in proportion to the length, whatever somebody writes into a policy."""
    first, *further = [re.escape(part).replace(r"\?", ".") for part in wildcard.split("*")]
    if not further:
        return first
    *middle, last = further
    return first + "".join(f"(?>.*?{part})" for part in middle if part) + f".*{last}"


_READING = ["iotwireless:Get*", "iotwireless:List*", "iot:Get*", "iot:List*", "iot:Describe*"]
_CLOUD_CONTROL_READING = [f"cloudformation:{verb}Resource*" for verb in ("Get", "List")]


def _allowed(actions: list[str]) -> str:
    statement = {"Effect": Effect.ALLOW, "Action": actions, "Resource": ANY_RESOURCE}
    return msgspec.json.encode({"Version": VERSIONS[0], "Statement": [statement]}).decode()


READY: Mapping[str, str] = {
    "administrator": _allowed(["*"]),
    "operator": _allowed(["iotwireless:*", "iot:*", "cloudformation:*"]),
    "reader": _allowed([*_READING, *_CLOUD_CONTROL_READING]),
}
"""The policies that need not be written: everything; everything but keys; looking, but not at keys.
None of them denies anything, so that another may be added to them."""
