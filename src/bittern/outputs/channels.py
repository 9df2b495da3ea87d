"""All lanes: opened when there is something for them, held to their part of the memory."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator

from bittern.errors import StoreError
from bittern.outputs.actions import BROKER, Action, ReadyRule, lane_of
from bittern.outputs.backoff import Chance
from bittern.outputs.bounds import DispatchSettings
from bittern.outputs.channel import Channel, Office, topic_of_part
from bittern.outputs.ledger import Ledger
from bittern.outputs.opening import Gone, Opening
from bittern.outputs.parts import Part
from bittern.outputs.port import Delivery, Message, Output, OwedMessages
from bittern.outputs.routing import Route, Router
from bittern.types import Instant

log = logging.getLogger(__name__)


class Channels:
    def __init__(
        self,
        store: OwedMessages,
        router: Router,
        *,
        ledger: Ledger,
        office: Office,
        topic_of: Callable[[Delivery], str],
        bounds: DispatchSettings,
        now: Callable[[], Instant],
        chance: Chance,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._store = store
        self._router = router
        self._ledger = ledger
        self._office = office
        self._topic_of = topic_of
        self._bounds = bounds
        self._now = now
        self._chance = chance
        self._sleep = sleep
        self._channels: dict[str, Channel] = {}
        self.limit = bounds.capacity
        """Messages that the outbox owes a lane, in memory; further ones get rows of their own."""

    def __iter__(self) -> Iterator[Channel]:
        return iter(self._channels.values())

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.carrier.stop()
            if channel.lane != BROKER:
                await channel.close()

    async def open_owed(self) -> None:
        """Before the first message: it must not overtake what its lane is owed."""
        attempts = 0
        while True:
            try:
                lanes = await self._store.lanes()
                break
            except StoreError as error:
                attempts += 1
                log.warning("lanes not read back reason=%r", str(error))
                await self._sleep(self._bounds.backoff.delay_s(attempts, self._chance))
        for lane in lanes:
            await self.look_into(lane)

    def relieve(self, room: int) -> None:
        """Who holds more than its part of the memory, or is away, gets rows in the store."""
        if not self._router.has_rules:
            return
        capacity = self._bounds.capacity
        self.limit = capacity // 4 if room > capacity // 4 else capacity // 64
        if room <= capacity // 16:
            self.limit = 0
        long_ago = self._now() - self._bounds.anchor_after_s
        for channel in self._channels.values():
            since = channel.carrier.unavailable_since
            away = since is not None and since <= long_ago
            if channel.direct and (away or len(channel.direct) > self.limit):
                channel.anchor()

    def broker(self) -> Channel:
        """Of what is published to topics."""
        return self._channels.get(BROKER) or self._open_broker()

    def _open_broker(self) -> Channel:
        topic_now = self._topic_of

        def message_of(delivery: Delivery) -> Message:
            topic = delivery.topic if type(delivery) is Part else ""
            return Message(
                topic or topic_now(delivery),
                delivery.document,
                delivery.message_id,
                device=delivery.dev_eui,
            )

        def topic_of(delivery: Delivery) -> str:
            return topic_of_part(delivery) or topic_now(delivery)

        return self._open(BROKER, self._router.broker, message_of, topic_of, owes_nothing=True)

    def first(self, lane: str, route: Route) -> Channel:
        """Of an action of the route's rules. One that is not open was owed nothing at the start."""
        channel = self._channels.get(lane)
        if channel is not None:
            return channel
        for rule in route.rules:
            for action in rule.actions:
                if action.lane == lane:
                    return self._open_action(lane, rule, action, owes_nothing=True)
        raise AssertionError(lane)

    def of_errors(self, lane: str, rule: ReadyRule) -> Channel:
        """Of the rule's error action."""
        channel = self._channels.get(lane)
        if channel is None:
            channel = self._open_action(lane, rule, rule.error_action, owes_nothing=True)
        return channel

    def _open_action(
        self, lane: str, rule: ReadyRule | None, action: Action | None, *, owes_nothing: bool
    ) -> Channel:
        output: Output = Gone(lane) if action is None else Opening(action.make(lane))
        channel = self._open(
            lane, output, _nothing_but_its_document, topic_of_part, owes_nothing=owes_nothing
        )
        channel.become(rule, action, output)
        return channel

    def _open(
        self,
        lane: str,
        output: Output,
        message_of: Callable[[Delivery], Message | None],
        topic_of: Callable[[Delivery], str],
        *,
        owes_nothing: bool,
    ) -> Channel:
        channel = self._channels[lane] = Channel(
            lane,
            output,
            message_of=message_of,
            topic_of=topic_of,
            owes_nothing=owes_nothing,
            store=self._store,
            ledger=self._ledger,
            office=self._office,
            bounds=self._bounds,
            now=self._now,
            chance=self._chance,
            sleep=self._sleep,
        )
        return channel

    async def look_into(self, lane: str) -> None:
        """The store may owe something in it."""
        if lane == BROKER:
            self.broker()
        elif lane not in self._channels:
            rule, action = await self._asked_for_lane(lane)
            if lane not in self._channels:
                self._open_action(lane, rule, action, owes_nothing=False)
        self._channels[lane].look_again()

    async def _asked_for_lane(self, lane: str) -> tuple[ReadyRule | None, Action | None]:
        attempts = 0
        while True:
            try:
                rule = await self._router.rule(*lane_of(lane))
                return rule, await self._router.action(lane)
            except StoreError as error:
                attempts += 1
                log.warning("lane=%s not looked up reason=%r", lane, str(error))
                await self._sleep(self._bounds.backoff.delay_s(attempts, self._chance))

    async def follow_rules(self) -> None:
        """Rules were added, changed or removed."""
        for lane, channel in list(self._channels.items()):
            if lane == BROKER:
                continue
            rule, action = await self._asked_for_lane(lane)
            if _is_same(action, channel.action):
                channel.become(rule, action, channel.carrier.output)
                continue
            before = channel.carrier.output
            channel.become(
                rule, action, Gone(lane) if action is None else Opening(action.make(lane))
            )
            await before.__aexit__(None, None, None)
            channel.carrier.wake()


def _nothing_but_its_document(delivery: Delivery) -> Message:
    return Message("", delivery.document, delivery.message_id, device=delivery.dev_eui)


def _is_same(action: Action | None, before: Action | None) -> bool:
    """Whether the output of the action that was there serves this one."""
    return action is not None and before is not None and action.parameters == before.parameters
