"""What rules make of one message: the parts that their actions are owed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from bittern.errors import ExternalCallFailed, RuleError
from bittern.outputs.actions import Action, ReadyRule, topic_of_rule
from bittern.outputs.parts import Failure, Part, part_of
from bittern.outputs.port import Delivery, Resolver
from bittern.rules import UNDEFINED, Context, ExternalCall, Selected
from bittern.rules.document import parse
from bittern.rules.evaluation import Waiting
from bittern.types import Instant

log = logging.getLogger(__name__)

T = TypeVar("T")

CALL_LIMIT_S = 2.0
"""AWS IoT Core developer guide, "aws_lambda": 2,000 milliseconds."""


class Evaluated(msgspec.Struct):
    """Parts in the order of rules and actions; which rules failed, and why."""

    parts: list[Part]
    failed: list[tuple[ReadyRule, Failure]]


class Evaluator:
    """Evaluates rules, with the time, chance and answers of this server.

    All actions of a rule get their part, or none. No message stops the others: where evaluation
    has a fault of its own, which is logged, the message is given up like one that the rule cannot
    take, and can be replayed.
    """

    def __init__(
        self,
        *,
        now: Callable[[], Instant],
        random_bytes: Callable[[int], bytes],
        resolver: Resolver | None = None,
    ) -> None:
        self._now = now
        self._random_bytes = random_bytes
        self._resolver = resolver

    def evaluate(self, delivery: Delivery, rules: Sequence[ReadyRule], published: str) -> Evaluated:
        """For rules that need not ask. `published` is the topic of the message; empty where its
        destination names the rule."""
        found = Evaluated([], [])
        payload = _parsed_if_shared(delivery.document, rules)
        for rule in rules:
            context = self._context(delivery, rule, published)
            try:
                selected = rule.rule.evaluate(payload, context)
                if selected is None or selected.value is UNDEFINED:
                    continue
                document = selected.payload()
                found.parts += [
                    part_of(
                        delivery,
                        action.lane,
                        published,
                        document,
                        _filled(action, payload, context, selected),
                    )
                    for action in rule.actions
                ]
            except Exception as error:
                found.failed.append((rule, _failure(rule, error)))
        return found

    async def evaluate_asking(
        self, delivery: Delivery, rules: Sequence[ReadyRule], published: str
    ) -> Evaluated:
        """The same for rules that may have to ask outside."""
        found = Evaluated([], [])
        for rule in rules:
            context = self._context(delivery, rule, published)
            try:
                found.parts += await self._asked(delivery, rule, context, published)
            except Exception as error:
                found.failed.append((rule, _failure(rule, error)))
        return found

    async def _asked(
        self, delivery: Delivery, rule: ReadyRule, context: Context, published: str
    ) -> list[Part]:
        payload = delivery.document
        selected = await self._settled(rule.rule.begin(payload, context), delivery.account)
        if selected is None or selected.value is UNDEFINED:
            return []
        document = selected.payload()
        parts: list[Part] = []
        for action in rule.actions:
            filled = {
                path: await self._settled(
                    one.begin(payload, context, selected.variables), delivery.account
                )
                for path, one in action.templates.items()
            }
            parts.append(part_of(delivery, action.lane, published, document, filled))
        return parts

    async def _settled(self, outcome: T | Waiting[T], account: str) -> T:
        while isinstance(outcome, Waiting):
            answers = await asyncio.gather(*(self._answer(call, account) for call in outcome.calls))
            outcome = outcome.resume(answers)
        return outcome

    async def _answer(self, call: ExternalCall, account: str) -> object:
        """A failure is an answer too."""
        if self._resolver is None:
            return ExternalCallFailed(f"nobody answers {call.function} here")
        try:
            async with asyncio.timeout(CALL_LIMIT_S):
                return await self._resolver.resolve(call, account)
        except TimeoutError:
            return ExternalCallFailed(f"{call.function}: no answer within {CALL_LIMIT_S:g} s")
        except ExternalCallFailed as failure:
            return failure

    def _context(self, delivery: Delivery, rule: ReadyRule, published: str) -> Context:
        return Context(
            now=self._now(),
            topic=topic_of_rule(rule.name, published),
            trace_id=delivery.message_id,
            account_id=delivery.account,
            random_bytes=self._random_bytes,
        )


def _parsed_if_shared(document: bytes, rules: Sequence[ReadyRule]) -> object:
    """Parsed once, where more than one looks into it."""
    if len(rules) == 1 and not rules[0].has_templates:
        return document
    return parse(document)


def _filled(
    action: Action, payload: object, context: Context, selected: Selected
) -> Mapping[str, str]:
    if not action.templates:
        return {}
    return {
        path: one.substitute(payload, context, selected.variables)
        for path, one in action.templates.items()
    }


def _failure(rule: ReadyRule, error: Exception) -> Failure:
    detail = str(error)
    if not isinstance(error, RuleError):
        log.error("rule=%s a fault of evaluation itself", rule.name, exc_info=error)
        detail = f"a fault of the server: {error!r}"
    return Failure(
        reason="evaluation", detail=detail, failed_action="RuleEvaluation", resource=rule.name
    )
