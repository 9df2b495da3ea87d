from __future__ import annotations

from typing import Any

import pytest

from bittern.errors import DeliveryRejected
from bittern.outputs.routing import DestinationRouter, checked_topic
from bittern.store.records import Destination
from bittern.types import Instant


class Registry:
    def __init__(self, *destinations: Destination) -> None:
        self._destinations = {(d.account, d.name): d for d in destinations}

    async def destination(self, account: str, name: str) -> Destination | None:
        return self._destinations.get((account, name))


def destination(**changes: Any) -> Destination:
    fields = {"name": "meters", "expression": "site/meters", "created_at": Instant(0)} | changes
    return Destination(account="1", **fields)


async def test_topic_destination_goes_to_the_broker(output: Any) -> None:
    route = await DestinationRouter(Registry(destination()), output).route("1", "meters")
    assert (route.output, route.topic) == (output, "site/meters")


async def test_destination_of_another_account_is_unknown(output: Any) -> None:
    with pytest.raises(DeliveryRejected, match="no destination 'meters'"):
        await DestinationRouter(Registry(destination()), output).route("2", "meters")


async def test_rule_that_does_not_exist_is_rejected_by_its_name(output: Any) -> None:
    registry = Registry(destination(expression_type="RuleName", expression="to_lake"))
    with pytest.raises(DeliveryRejected, match="no rule 'to_lake'"):
        await DestinationRouter(registry, output).route("1", "meters")


@pytest.mark.parametrize(
    "topic", ["", "a/+", "#", "a/#/b", "a\0b", "\ud800", "a" * 65_536, "line\nbreak"]
)
def test_topic_that_no_broker_takes_is_rejected(topic: str) -> None:
    with pytest.raises(DeliveryRejected):
        checked_topic(topic)


@pytest.mark.parametrize("topic", ["a", "/", "a b/ü", "$aws/things/x", "a" * 65_535])
def test_topic_that_a_broker_takes_is_kept(topic: str) -> None:
    assert checked_topic(topic) == topic
