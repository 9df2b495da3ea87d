"""A rule that is ready for messages: its statement compiled, its actions with their templates.

Pure but for the outputs that it makes when somebody asks for them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from bittern.errors import RuleError
from bittern.outputs.parts import Cause, Failure, Part, Reason
from bittern.outputs.port import Delivery, Message, Output, RuleRecord
from bittern.rules import Context, Rule, Template, compile

MOST_ACTIONS = 10
"""AWS IoT Core quotas, "Maximum number of actions per rule"."""

_NAME = re.compile(r"[a-zA-Z0-9_]{1,128}")
"""Botocore's model ``iot``, shape RuleName. A lane's name is made of it."""

BROKER = "mqtt"
"""The lane of destinations that are a topic."""

_RESOURCES = (
    *("topic", "bucketName", "queueUrl", "targetArn", "functionArn", "streamName"),
    *("deliveryStreamName", "tableName", "url", "logGroupName", "metricName", "subject", "path"),
)
"""Parameters that name what an action goes to."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an action without its rule."""

    kind: str
    parameters: Mapping[str, Any]
    templates: Mapping[str, str]
    make: Callable[[str], Output]


Prepare = Callable[[Mapping[str, Any]], Prepared]
"""Of the JSON that stands in the rule. Raises `RuleError`."""


class Action:
    """One action of a rule, or its error action."""

    def __init__(self, rule: RuleRecord, place: str, prepared: Prepared, names: tuple[str, ...]):
        self.account = rule.account
        self.rule = rule.name
        self.kind = prepared.kind
        self.parameters = prepared.parameters
        self.make = prepared.make
        self.lane = f"{rule.account}/{rule.name}/{place}/{prepared.kind}"
        number = place if place == "error" else str(int(place) + 1)
        self.label = f"{number} {prepared.kind}"
        texts = prepared.templates
        self.constants = {path: text for path, text in texts.items() if "${" not in text}
        self.templates = {
            path: Template(text, rule.version, names)
            for path, text in texts.items()
            if path not in self.constants
        }
        self.external_functions = frozenset(
            name for one in self.templates.values() for name in one.external_functions
        )

    def message_of(self, part: Part) -> Message | None:
        """Raises nothing: what was filled in travels with the part.

        An action that has got other templates since then is filled in anew, without what SET
        assigned. None: that cannot be done.
        """
        filled = part.parameters
        if filled.keys() != self.templates.keys():
            context = Context(now=part.created_at, topic=part.topic, account_id=part.account)
            try:
                filled = {
                    path: one.substitute(part.original, context)
                    for path, one in self.templates.items()
                }
            except RuleError:
                return None
        parameters = {**self.constants, **filled} if filled else self.constants
        return Message("", part.document, part.message_id, parameters, part.dev_eui)

    def failure(self, reason: Reason, detail: str, attempts: int) -> Failure:
        found = (self.parameters.get(name) for name in _RESOURCES)
        resource = next((value for value in found if isinstance(value, str)), "")
        return Failure(
            reason=reason,
            detail=detail,
            attempts=attempts,
            action=self.label,
            failed_action=f"{self.kind[:1].upper()}{self.kind[1:]}Action",
            resource=resource,
        )


class ReadyRule:
    """Made of a record. Raises `RuleError` where it cannot be used."""

    def __init__(self, record: RuleRecord, prepare: Prepare) -> None:
        if not _NAME.fullmatch(record.name):
            raise RuleError(f"the name {record.name!r}: letters, digits and _, at most 128")
        self.record = record
        self.account = record.account
        self.name = record.name
        try:
            self.rule: Rule = compile(record.sql, record.version)
        except ValueError as error:
            raise RuleError(str(error)) from None
        if len(record.actions) > MOST_ACTIONS:
            raise RuleError(f"{len(record.actions)} actions; {MOST_ACTIONS} are allowed")
        names = self.rule.variables
        self.actions = tuple(
            Action(record, str(place), prepare(action), names)
            for place, action in enumerate(record.actions)
        )
        self.has_templates = any(action.templates for action in self.actions)
        """Whether its actions look into the message as well."""
        self.error_action: Action | None = None
        if record.error_action is not None:
            self.error_action = Action(record, "error", prepare(record.error_action), names)
            if self.error_action.external_functions:
                # AWS IoT Core developer guide, "Error handling (error action)".
                called = ", ".join(sorted(self.error_action.external_functions))
                raise RuleError(f"an error action cannot call {called}")

    def all_actions(self) -> Iterator[Action]:
        yield from self.actions
        if self.error_action is not None:
            yield self.error_action

    @property
    def has_to_ask(self) -> bool:
        """Whether an evaluation may need answers from outside."""
        return bool(self.rule.external_functions) or any(
            action.external_functions for action in self.actions
        )

    def error_part(
        self, delivery: Delivery, original: bytes, topic: str, causes: tuple[Cause, ...]
    ) -> Part:
        """What the error action is to get. Raises `RuleError` if its templates cannot be filled.

        Source: AWS IoT Core developer guide, "Error action message format".
        """
        action = self.error_action
        assert action is not None
        context = Context(
            now=delivery.created_at,
            topic=topic,
            trace_id=delivery.message_id,
            account_id=delivery.account,
        )
        return Part(
            message_id=delivery.message_id,
            account=delivery.account,
            dev_eui=delivery.dev_eui,
            destination=delivery.destination,
            document=error_document(self.name, delivery.message_id, original, topic, causes),
            created_at=delivery.created_at,
            sequence=delivery.sequence,
            lane=action.lane,
            original=original,
            topic=topic,
            parameters={
                path: one.substitute(original, context) for path, one in action.templates.items()
            },
            causes=causes,
        )


def error_document(
    rule: str, trace_id: str, original: bytes, topic: str, causes: tuple[Cause, ...]
) -> bytes:
    return msgspec.json.encode(
        {
            "ruleName": rule,
            "topic": topic,
            "cloudwatchTraceId": trace_id,
            "clientId": "",
            "base64OriginalPayload": base64.b64encode(original).decode(),
            "failures": [
                {
                    "failedAction": cause.failure.failed_action,
                    "failedResource": cause.failure.resource,
                    "errorMessage": cause.failure.detail,
                }
                for cause in causes
            ],
        }
    )


def topic_of_rule(name: str, published: str) -> str:
    """What `topic()` starts from: the topic that FROM matched, or Basic Ingest's of the rule."""
    return published or f"$aws/rules/{name}"


def lane_of(lane: str) -> tuple[str, str]:
    """Account and rule of an action's lane."""
    account, rule, _, _ = lane.split("/")
    return account, rule
