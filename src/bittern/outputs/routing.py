"""Where the messages of a destination go: to a topic, and to rules."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from bittern.errors import DeliveryRejected, RuleError
from bittern.outputs.actions import Action, Prepare, ReadyRule, lane_of
from bittern.outputs.parts import Failure
from bittern.outputs.port import Destinations, Output, RuleRecord, Rules

log = logging.getLogger(__name__)

MAXIMUM_TOPIC_BYTES = 65_535
"""MQTT 3.1.1, 1.5.3."""


class Route:
    """A destination, resolved: published to `topic` if there is one, and given to `rules`."""

    __slots__ = ("asks", "refused", "rules", "topic")

    def __init__(
        self,
        topic: str = "",
        rules: Sequence[ReadyRule] = (),
        refused: Failure | None = None,
    ) -> None:
        """`refused`: its messages can go nowhere, and why."""
        self.topic = topic
        self.rules = tuple(rules)
        self.refused = refused
        self.asks = any(rule.has_to_ask for rule in rules)


class Router(Protocol):
    """Every method raises `StoreError` when it could not find out."""

    @property
    def broker(self) -> Output:
        """What topics are published to."""
        ...

    @property
    def has_rules(self) -> bool:
        """Whether there may be more receivers than the broker, so that one must not starve the
        other."""
        ...

    async def route(self, account: str, destination: str) -> Route: ...
    async def rule(self, account: str, name: str) -> ReadyRule | None:
        """None: there is none, or none that can be used."""
        ...

    async def action(self, lane: str) -> Action | None:
        """That a lane belongs to. None: there is none any more."""
        ...

    def forget(self) -> None:
        """Rules have changed."""
        ...


class DestinationRouter:
    """`MqttTopic` destinations are published to the one broker and seen by every rule whose FROM
    matches; `RuleName` destinations go to their rule, whatever its FROM."""

    def __init__(
        self, destinations: Destinations, broker: Output, rules: Rules, prepare: Prepare
    ) -> None:
        self._destinations = destinations
        self._rules = rules
        self._prepare = prepare
        self._ready: dict[str, dict[str, ReadyRule | str]] = {}
        self._generation = 0
        self._has_rules = False
        self.broker = broker

    @property
    def has_rules(self) -> bool:
        return self._has_rules

    async def route(self, account: str, destination: str) -> Route:
        found = await self._destinations.destination(account, destination)
        if found is None:
            detail = f"no destination {destination!r}"
            return Route(refused=Failure(reason="destination_not_found", detail=detail))
        if found.expression_type == "RuleName":
            return await self._to_rule(account, found.expression)
        try:
            topic = checked_topic(found.expression)
        except DeliveryRejected as error:
            return Route(refused=Failure(reason="rejected", detail=error.reason))
        return Route(topic, await self._matching(account, topic))

    async def _to_rule(self, account: str, name: str) -> Route:
        rule = (await self._of_account(account)).get(name)
        if rule is None:
            failure = Failure(reason="rule_not_found", detail=f"no rule {name!r}")
        elif isinstance(rule, str):
            failure = Failure(reason="rule_unusable", detail=f"rule {name!r}: {rule}")
        elif not rule.record.enabled:
            failure = Failure(reason="rule_disabled", detail=f"rule {name!r} is disabled")
        else:
            return Route(rules=(rule,))
        return Route(refused=failure)

    async def _matching(self, account: str, topic: str) -> list[ReadyRule]:
        return [
            rule
            for rule in (await self._of_account(account)).values()
            if isinstance(rule, ReadyRule)
            and rule.record.enabled
            and rule.rule.topic_filter is not None
            and rule.rule.matches(topic)
        ]

    async def rule(self, account: str, name: str) -> ReadyRule | None:
        rule = (await self._of_account(account)).get(name)
        return rule if isinstance(rule, ReadyRule) else None

    async def action(self, lane: str) -> Action | None:
        account, name = lane_of(lane)
        rule = await self.rule(account, name)
        if rule is None:
            return None
        return next((one for one in rule.all_actions() if one.lane == lane), None)

    def forget(self) -> None:
        self._generation += 1
        self._ready.clear()

    async def _of_account(self, account: str) -> dict[str, ReadyRule | str]:
        """By name; a rule that cannot be used is the reason why."""
        known = self._ready.get(account)
        if known is None:
            generation = self._generation
            records = await self._rules.rules(account)
            known = {one.name: self._made(one) for one in records}
            self._has_rules = self._has_rules or bool(known)
            if generation == self._generation:
                self._ready[account] = known
        return known

    def _made(self, record: RuleRecord) -> ReadyRule | str:
        try:
            return ReadyRule(record, self._prepare)
        except RuleError as error:
            log.error("rule=%s unusable reason=%r", record.name, str(error))
            return str(error)


def checked_topic(text: str) -> str:
    """A name that a message can be published to (MQTT 3.1.1, 4.7.3); else `DeliveryRejected`."""
    if not text:
        raise DeliveryRejected("the topic is empty")
    if not text.isprintable():
        raise DeliveryRejected(f"topic {text!r} has a character that does not print")
    if "+" in text or "#" in text:
        raise DeliveryRejected(f"topic {text!r} has a wildcard; only subscriptions may")
    if len(text.encode()) > MAXIMUM_TOPIC_BYTES:
        raise DeliveryRejected(f"the topic is longer than {MAXIMUM_TOPIC_BYTES} bytes")
    return text
