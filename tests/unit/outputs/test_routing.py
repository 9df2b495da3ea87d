from __future__ import annotations

from typing import Any

import pytest

from bittern.errors import DeliveryRejected
from bittern.outputs.actions import Prepared
from bittern.outputs.routing import DestinationRouter, checked_topic
from bittern.store.records import Destination
from bittern.store.rule_records import RuleRecord
from bittern.types import Instant


class Registry:
    def __init__(self, *destinations: Destination) -> None:
        self._destinations = {(d.account, d.name): d for d in destinations}

    async def destination(self, account: str, name: str) -> Destination | None:
        return self._destinations.get((account, name))


def destination(**changes: Any) -> Destination:
    fields = {"name": "meters", "expression": "site/meters", "created_at": Instant(0)} | changes
    return Destination(account="1", **fields)


def prepare(document: Any) -> Prepared:
    [(kind, parameters)] = document.items()
    return Prepared(kind=kind, parameters=parameters, templates={}, make=RecordedOutput)


class RecordedOutput:
    def __init__(self, name: str) -> None:
        self.name = name


class Rules:
    def __init__(self, *records: RuleRecord) -> None:
        self.records = list(records)
        self.asked = 0

    async def rules(self, account: str) -> list[RuleRecord]:
        self.asked += 1
        return [one for one in self.records if one.account == account]

    async def rule(self, account: str, name: str) -> None: ...


def rule(name: str = "to_lake", sql: str = "SELECT *", **changes: Any) -> RuleRecord:
    fields = {"actions": ({"record": {}},), "created_at": Instant(0), "account": "1"} | changes
    return RuleRecord(name=name, sql=sql, **fields)


@pytest.fixture
def build(output: Any) -> Any:
    def build(one: Destination, *rules: RuleRecord) -> DestinationRouter:
        return DestinationRouter(Registry(one), output, Rules(*rules), prepare)

    return build


async def test_topic_destination_goes_to_the_broker(build: Any, output: Any) -> None:
    router = build(destination())
    route = await router.route("1", "meters")
    assert (route.topic, route.rules, route.refused) == ("site/meters", (), None)
    assert router.broker is output
    assert not router.has_rules


async def test_topic_destination_goes_to_rules_whose_from_matches(build: Any) -> None:
    router = build(
        destination(),
        rule("seen", "SELECT * FROM 'site/#'"),
        rule("elsewhere", "SELECT * FROM 'yard/#'"),
        rule("off", "SELECT * FROM 'site/#'", enabled=False),
        rule("without", "SELECT *"),
    )
    route = await router.route("1", "meters")
    assert [one.name for one in route.rules] == ["seen"]
    assert router.has_rules


async def test_rule_destination_goes_to_its_rule_whatever_its_from(build: Any) -> None:
    lake = destination(expression_type="RuleName", expression="to_lake")
    route = await build(lake, rule(sql="SELECT * FROM 'x'")).route("1", "meters")
    assert (route.topic, [one.name for one in route.rules]) == ("", ["to_lake"])


async def test_destination_of_another_account_is_unknown(build: Any) -> None:
    route = await build(destination()).route("2", "meters")
    assert route.refused.reason == "destination_not_found"
    assert route.refused.detail == "no destination 'meters'"


@pytest.mark.parametrize(
    ("rules", "reason", "detail"),
    [
        ((), "rule_not_found", "no rule 'to_lake'"),
        ((rule(enabled=False),), "rule_disabled", "rule 'to_lake' is disabled"),
        ((rule(sql="SELECT"),), "rule_unusable", "rule 'to_lake': line 1, column 7"),
    ],
)
async def test_a_rule_that_cannot_be_used_is_told_by_its_name(
    build: Any, rules: Any, reason: str, detail: str
) -> None:
    lake = destination(expression_type="RuleName", expression="to_lake")
    route = await build(lake, *rules).route("1", "meters")
    assert route.refused.reason == reason
    assert route.refused.detail.startswith(detail)


async def test_an_action_is_found_by_its_lane(build: Any) -> None:
    router = build(destination(), rule(error_action={"record": {}}))
    first = await router.action("1/to_lake/0/record")
    assert (first.label, first.lane) == ("1 record", "1/to_lake/0/record")
    error = await router.action("1/to_lake/error/record")
    assert error.label == "error record"
    assert await router.action("1/to_lake/1/record") is None
    assert await router.action("1/to_lake/0/http") is None
    assert await router.action("1/another/0/record") is None


async def test_rules_are_read_once_until_they_are_to_be_forgotten(output: Any) -> None:
    rules = Rules(rule())
    router = DestinationRouter(Registry(destination()), output, rules, prepare)
    for _ in range(3):
        await router.route("1", "meters")
    assert rules.asked == 1
    rules.records[:] = [rule("other")]
    router.forget()
    assert await router.rule("1", "to_lake") is None
    assert await router.rule("1", "other") is not None
    assert rules.asked == 2


@pytest.mark.parametrize(
    "topic", ["", "a/+", "#", "a/#/b", "a\0b", "\ud800", "a" * 65_536, "line\nbreak"]
)
def test_topic_that_no_broker_takes_is_rejected(topic: str) -> None:
    with pytest.raises(DeliveryRejected):
        checked_topic(topic)


@pytest.mark.parametrize("topic", ["a", "/", "a b/ü", "$aws/things/x", "a" * 65_535])
def test_topic_that_a_broker_takes_is_kept(topic: str) -> None:
    assert checked_topic(topic) == topic
