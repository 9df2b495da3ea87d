from __future__ import annotations

from typing import Any

import pytest

from bittern.errors import MqttProtocolError
from bittern.outputs.broker.hub import Attached, Hub, HubLimits, Refused
from bittern.outputs.broker.log import Changes, LoggedSession, Retained
from bittern.outputs.broker.permissions import EVERYTHING, Permissions
from bittern.outputs.broker.session import DurableSession, Receipt, Session
from bittern.outputs.mqtt.packets import Connect, ConnectCode, PacketStream, Publish, Will, decode
from bittern.types import Instant

NOW = Instant(50.0)


class FakeLink:
    unsent_bytes = 0

    def __init__(self) -> None:
        self.sent: list[Publish] = []
        self.closed: str | None = None

    def send(self, data: bytes) -> None:
        for first, body in PacketStream(1 << 28).feed(data):
            packet = decode(first, body)
            assert isinstance(packet, Publish)
            self.sent.append(packet)

    def close(self, reason: str) -> None:
        self.closed = reason


@pytest.fixture
def hub() -> Hub:
    return Hub(HubLimits(sessions=3, subscriptions=2, retained=2, retained_bytes=20))


def connect(hub: Hub, client_id: str, **changes: Any) -> tuple[Session, FakeLink, bool]:
    link = FakeLink()
    changes.setdefault("username", "bittern")
    attached = hub.attach(Connect(client_id=client_id, **changes), link, NOW)
    assert isinstance(attached, Attached)
    session = attached.session
    if isinstance(session, DurableSession):
        session.page([], session.begin_page(), link)
    return session, link, attached.present


def publish(hub: Hub, topic: str = "t", payload: bytes = b"1", qos: int = 1) -> list[str | None]:
    answers: list[str | None] = []
    receipt = Receipt(answers.append)
    hub.publish(topic, payload, qos, receipt)
    receipt.discharge()
    return answers


def publish_of_client(hub: Hub, topic: str, payload: bytes = b"1", **changes: Any) -> None:
    receipt = Receipt(lambda failure: None)
    hub.publish_of_client(Publish(topic, payload, **changes), receipt, NOW)
    receipt.discharge()


def test_message_reaches_each_subscriber_with_its_own_quality(hub: Hub) -> None:
    at_most, first, _ = connect(hub, "a")
    at_least, second, _ = connect(hub, "b")
    _, third, _ = connect(hub, "c")
    hub.subscribe(at_most, [("#", 0)])
    hub.subscribe(at_least, [("t", 1)])
    assert publish(hub) == [None]
    assert first.sent == [Publish("t", b"1")]
    assert second.sent == [Publish("t", b"1", qos=1, packet_id=1)]
    assert third.sent == []


def test_message_without_subscribers_is_delivered_to_nobody(hub: Hub) -> None:
    assert publish(hub) == [None]
    assert (hub.published, hub.unmatched) == (1, 1)


def test_best_quality_granted_is_one(hub: Hub) -> None:
    session, _, _ = connect(hub, "a")
    assert hub.subscribe(session, [("x", 2), ("y", 0)]) == b"\x01\x00"


def test_malformed_filter_and_too_many_are_not_granted(hub: Hub) -> None:
    session, link, _ = connect(hub, "a")
    assert hub.subscribe(session, [("a#", 1), ("x", 1), ("y", 1), ("z", 1)]) == b"\x80\1\1\x80"
    assert hub.subscribe(session, [("x", 0)]) == b"\0"
    publish(hub, "z")
    assert link.sent == []


def test_unsubscribed_client_gets_no_more(hub: Hub) -> None:
    session, link, _ = connect(hub, "a")
    hub.subscribe(session, [("#", 0)])
    hub.unsubscribe(session, ["#"])
    publish(hub)
    assert link.sent == []


def test_clean_session_ends_with_its_connection(hub: Hub) -> None:
    session, link, _ = connect(hub, "a")
    hub.subscribe(session, [("#", 1)])
    hub.detach(session, link, NOW, None)
    publish(hub)
    _, again, present = connect(hub, "a")
    assert (again.sent, present) == ([], False)
    assert not hub.has_changes


def test_durable_session_goes_on_and_is_written(hub: Hub) -> None:
    session, link, present = connect(hub, "a", clean_session=False)
    assert not present
    hub.subscribe(session, [("#", 1)])
    hub.detach(session, link, Instant(60.0), None)
    answers = publish(hub)
    assert answers == []
    changes, writing = hub.begin_write()
    assert changes.sessions == {"a": ("bittern", Instant(60.0))}
    assert changes.subscriptions == {("a", "#"): 1}
    ((client_id, entries),) = changes.entries
    assert (client_id, [entry.payload for entry in entries]) == ("a", [b"1"])
    hub.written(writing)
    assert answers == [None]
    assert not hub.has_changes
    assert connect(hub, "a", clean_session=False)[2]


def test_clean_connection_ends_the_durable_session_of_its_client(hub: Hub) -> None:
    session, link, _ = connect(hub, "a", clean_session=False)
    hub.subscribe(session, [("#", 1)])
    hub.detach(session, link, NOW, None)
    answers = publish(hub)
    connect(hub, "a")
    assert answers == [None]
    changes, writing = hub.begin_write()
    assert changes == Changes(ended={"a"})
    assert writing == []


def test_session_of_another_user_cannot_be_taken(hub: Hub) -> None:
    connect(hub, "a", clean_session=False)
    for clean in (True, False):
        refused = hub.attach(
            Connect(client_id="a", username="mallory", clean_session=clean), FakeLink(), NOW
        )
        assert refused == Refused("the client identifier belongs to another user")


def test_sessions_are_limited(hub: Hub) -> None:
    for client_id in "abc":
        connect(hub, client_id)
    refused = hub.attach(Connect(client_id="d", username="bittern"), FakeLink(), NOW)
    assert refused == Refused("too many sessions", ConnectCode.SERVER_UNAVAILABLE)
    connect(hub, "a")


def test_detaching_an_earlier_connection_leaves_the_later_one(hub: Hub) -> None:
    session, earlier, _ = connect(hub, "a", clean_session=False)
    _, later, _ = connect(hub, "a", clean_session=False)
    hub.detach(session, earlier, NOW, None)
    assert hub.link_of("a", "bittern") is later
    assert hub.link_of("a", "lake") is None


def test_will_is_published_when_the_connection_ends_badly(hub: Hub) -> None:
    watcher, link, _ = connect(hub, "watcher")
    hub.subscribe(watcher, [("gone/#", 0)])
    will = Will("gone/a", b"bye")
    session, own, _ = connect(hub, "a", will=will)
    hub.detach(session, own, NOW, will)
    assert link.sent == [Publish("gone/a", b"bye")]
    session, own, _ = connect(hub, "a", will=will)
    hub.detach(session, own, NOW, None)
    assert len(link.sent) == 1


@pytest.mark.parametrize("topic", ["$aws/things/x", "$SYS/broker", "$"])
def test_message_of_a_client_to_a_reserved_topic_is_dropped(hub: Hub, topic: str) -> None:
    session, link, _ = connect(hub, "a")
    hub.subscribe(session, [(topic, 0)])
    publish_of_client(hub, topic, retain=True)
    assert (link.sent, hub.retained_count, hub.denied_publishes) == ([], 0, 1)


def connection_as(hub: Hub, client_id: str, permissions: Permissions, **changes: Any) -> FakeLink:
    link = FakeLink()
    wanted = Connect(client_id=client_id, username="lake", **changes)
    assert isinstance(hub.attach(wanted, link, NOW, permissions), Attached)
    return link


def test_session_of_a_user_who_is_gone_ends_with_what_is_owed(hub: Hub) -> None:
    link = connection_as(hub, "a", EVERYTHING, clean_session=False)
    _, other, _ = connect(hub, "b")
    hub.reconsider(lambda name: EVERYTHING if name == "bittern" else None)
    assert (link.closed is not None, other.closed) == (True, None)
    assert [session.client_id for session in hub.sessions] == ["b"]
    assert hub.begin_write()[0].ended == {"a"}


def test_who_could_not_log_in_again_is_disconnected_and_keeps_the_session(hub: Hub) -> None:
    link = connection_as(hub, "a", EVERYTHING, clean_session=False)
    hub.reconsider(lambda name: EVERYTHING, frozenset({"lake"}))
    assert link.closed is not None
    assert len(list(hub.sessions)) == 1


def test_subscription_that_is_no_longer_permitted_ends_at_once_and_on_the_disk(hub: Hub) -> None:
    connection_as(hub, "a", EVERYTHING, clean_session=False)
    (session,) = hub.sessions
    hub.subscribe(session, [("site/x", 1), ("#", 1)])
    hub.reconsider(lambda name: Permissions(subscribe=("site/#",)))
    assert hub.subscribe(session, [("#", 1), ("site/y", 1)]) == b"\x80\x01"
    publish(hub, "elsewhere")
    assert (hub.sent, hub.denied_subscriptions) == (0, 1)
    assert hub.begin_write()[0].subscriptions["a", "#"] is None


def test_session_that_goes_on_has_the_permissions_of_the_new_login(hub: Hub) -> None:
    connection_as(hub, "a", EVERYTHING, clean_session=False)
    (session,) = hub.sessions
    hub.subscribe(session, [("#", 1)])
    assert session.link is not None
    hub.detach(session, session.link, NOW, None)
    connection_as(hub, "a", Permissions(subscribe=()), clean_session=False)
    publish(hub)
    assert hub.sent == 0


def test_connections_of_one_user_are_limited() -> None:
    hub = Hub(HubLimits(connections_per_user=2))
    for client_id in ("a", "b"):
        connect(hub, client_id)
    refused = hub.attach(Connect(client_id="c", username="bittern"), FakeLink(), NOW)
    assert isinstance(refused, Refused)
    assert "of this user" in refused.reason
    connect(hub, "c", username="lake")


def test_will_is_sent_only_where_its_user_may_publish(hub: Hub) -> None:
    wanted = Connect(client_id="a", username="lake", will=Will("t", b"1"))
    nowhere = Permissions(publish=())
    assert isinstance(hub.attach(wanted, FakeLink(), NOW, nowhere), Refused)


@pytest.mark.parametrize("topic", ["a/+", "#", ""])
def test_clients_may_not_publish_to_impossible_topics(hub: Hub, topic: str) -> None:
    session, link, _ = connect(hub, "a")
    hub.subscribe(session, [("$aws/#", 0)])
    with pytest.raises(MqttProtocolError, match="no topic"):
        publish_of_client(hub, topic, retain=True)
    assert link.sent == []
    assert hub.retained_count == 0
    refused = hub.attach(
        Connect(client_id="b", username="bittern", will=Will(topic, b"")), FakeLink(), NOW
    )
    assert isinstance(refused, Refused)


def test_server_publishes_to_reserved_topics(hub: Hub) -> None:
    session, link, _ = connect(hub, "a")
    hub.subscribe(session, [("$aws/#", 0), ("#", 0)])
    publish(hub, "$aws/things/x")
    assert link.sent == [Publish("$aws/things/x", b"1")]


def test_message_of_quality_two_is_passed_on_with_one(hub: Hub) -> None:
    session, link, _ = connect(hub, "a")
    hub.subscribe(session, [("t", 2)])
    publish_of_client(hub, "t", qos=2, packet_id=5)
    assert link.sent == [Publish("t", b"1", qos=1, packet_id=1)]


def test_retained_message_is_sent_to_new_subscriptions_and_removed_by_an_empty_one(
    hub: Hub,
) -> None:
    publish_of_client(hub, "t", retain=True, qos=1, packet_id=1)
    session, link, _ = connect(hub, "a")
    hub.send_retained(session, [("other", 1), ("#", 0)])
    hub.send_retained(session, [("t", 1)])
    assert link.sent == [
        Publish("t", b"1", retain=True),
        Publish("t", b"1", qos=1, packet_id=1, retain=True),
    ]
    hub.subscribe(session, [("t", 0)])
    publish_of_client(hub, "t", retain=True)
    assert not link.sent[-1].retain
    publish_of_client(hub, "t", b"", retain=True)
    assert hub.retained_count == 0
    changes, _ = hub.begin_write()
    assert changes.retained == {"t": Retained("t", b"", 0, NOW)}


def test_retained_messages_are_limited_in_number_and_size(hub: Hub) -> None:
    for topic, size in [("a", 5), ("b", 16), ("c", 5), ("d", 5)]:
        publish_of_client(hub, topic, b"x" * size, retain=True)
    assert sorted(hub._retained) == ["a", "c"]
    publish_of_client(hub, "a", b"x" * 21, retain=True)
    assert sorted(hub._retained) == ["c"]


def test_retained_messages_are_told_page_by_page() -> None:
    hub = Hub()
    hub.restore([], [Retained(topic, b"1", 0, NOW) for topic in ("c", "a", "b")])
    assert [one.topic for one in hub.retained_page("", 2)] == ["a", "b"]
    assert [one.topic for one in hub.retained_page("b", 2)] == ["c"]
    publish_of_client(hub, "a", b"2", retain=True, qos=2, packet_id=1)
    assert hub.retained("a") == Retained("a", b"2", 1, NOW)
    assert hub.retained("z") is None


def test_hub_goes_on_after_a_restart() -> None:
    hub = Hub()
    hub.restore([LoggedSession("a", "bittern", NOW, 7, (("t", 1),))], [Retained("state", b"on", 0)])
    assert publish(hub) == []
    _, link, present = connect(hub, "a", clean_session=False)
    assert present
    assert link.sent == [Publish("t", b"1", qos=1, packet_id=8)]
    assert hub.retained_count == 1


def test_client_connected_for_weeks_is_not_away(hub: Hub) -> None:
    connect(hub, "a", clean_session=False)
    away, link, _ = connect(hub, "b", clean_session=False)
    hub.detach(away, link, NOW, None)
    hub.begin_write()
    hub.seen(Instant(10_000.0))
    hub.expire(Instant(9_000.0))
    changes, _ = hub.begin_write()
    assert changes.sessions == {"a": ("bittern", Instant(10_000.0))}
    assert changes.ended == {"b"}


def test_failed_write_refuses_messages_and_keeps_decisions(hub: Hub) -> None:
    session, link, _ = connect(hub, "a", clean_session=False)
    hub.subscribe(session, [("t", 1)])
    hub.detach(session, link, NOW, None)
    answers = publish(hub)
    changes, writing = hub.begin_write()
    hub.not_written(changes, writing, "disk full")
    assert answers == ["disk full"]
    changes, _ = hub.begin_write()
    assert changes.subscriptions == {("a", "t"): 1}
    assert [list(entries) for _, entries in changes.entries] == []


class Taker:
    """An intake of one topic, which holds messages until it is told to have them."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.done: list[Any] = []

    def wants(self, topic: str) -> bool:
        return topic == "in"

    def take(self, topic: str, payload: bytes, done: Any) -> None:
        self.taken.append(payload)
        self.done.append(done)


def test_a_message_for_an_intake_is_acknowledged_when_it_has_it(hub: Hub) -> None:
    taker = Taker()
    answers: list[str | None] = []
    hub.hand_over_to(taker)
    for topic in ("in", "elsewhere"):
        receipt = Receipt(answers.append)
        hub.publish_of_client(Publish(topic, b"1", 1), receipt, NOW)
        receipt.discharge()
    assert taker.taken == [b"1"]
    assert answers == [None]
    taker.done[0]("no room")
    assert answers == [None, "no room"]


def test_an_intake_is_given_nothing_by_who_may_not_publish(hub: Hub) -> None:
    taker = Taker()
    hub.hand_over_to(taker)
    receipt = Receipt(lambda failure: None)
    nobody = Permissions(publish=("other",), subscribe=())
    assert not hub.publish_of_client(Publish("in", b"1", 1), receipt, NOW, nobody)
    assert taker.taken == []
