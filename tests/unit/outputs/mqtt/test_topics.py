from __future__ import annotations

import pytest

from bittern.outputs.mqtt import topics as module
from bittern.outputs.mqtt.topics import Subscriptions, is_filter, is_topic, matches


@pytest.mark.parametrize(
    ("topic_filter", "topic"),
    [
        # The examples of MQTT 3.1.1, 4.7.1.2, 4.7.1.3 and 4.7.2.
        ("sport/tennis/player1/#", "sport/tennis/player1"),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking"),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"),
        ("sport/#", "sport"),
        ("#", "sport/tennis"),
        ("sport/tennis/+", "sport/tennis/player1"),
        ("sport/+", "sport/"),
        ("+/+", "/finance"),
        ("/+", "/finance"),
        ("$SYS/#", "$SYS/uptime"),
        ("$SYS/monitor/+", "$SYS/monitor/Clients"),
        ("a/b", "a/b"),
        ("+/b/#", "a/b"),
    ],
)
def test_filter_matches(topic_filter: str, topic: str) -> None:
    assert matches(topic_filter, topic)


@pytest.mark.parametrize(
    ("topic_filter", "topic"),
    [
        ("sport/tennis/+", "sport/tennis/player1/ranking"),
        ("sport/+", "sport"),
        ("+", "/finance"),
        ("#", "$SYS/uptime"),
        ("+/monitor/Clients", "$SYS/monitor/Clients"),
        ("ACCOUNTS", "Accounts"),
        ("a/b", "a/b/"),
        ("a/#", "b/a"),
    ],
)
def test_filter_does_not_match(topic_filter: str, topic: str) -> None:
    assert not matches(topic_filter, topic)


@pytest.mark.parametrize("text", ["#", "+", "a/+/b", "a/#", "/", "+/+/#", "$SYS/#"])
def test_well_formed_filter_is_taken(text: str) -> None:
    assert is_filter(text)


@pytest.mark.parametrize("text", ["", "a#", "a/#/b", "a+", "a/b+/c", "##", "\0", "a" * 65_536])
def test_malformed_filter_is_refused(text: str) -> None:
    assert not is_filter(text)


@pytest.mark.parametrize("text", ["", "a/+", "#", "a\0"])
def test_wildcards_are_no_topic(text: str) -> None:
    assert not is_topic(text)


def test_client_with_several_filters_gets_a_message_once_and_best() -> None:
    subscriptions = Subscriptions()
    subscriptions.add("a", "x/#", 0)
    subscriptions.add("a", "x/y", 1)
    subscriptions.add("b", "+/y", 0)
    subscriptions.add("c", "z", 1)
    assert sorted(subscriptions.subscribers("x/y")) == [("a", 1), ("b", 0)]


def test_what_was_looked_up_follows_every_change() -> None:
    subscriptions = Subscriptions()
    assert subscriptions.subscribers("x") == []
    subscriptions.add("a", "x", 0)
    assert subscriptions.subscribers("x") == [("a", 0)]
    subscriptions.add("a", "x", 1)
    assert subscriptions.subscribers("x") == [("a", 1)]
    assert len(subscriptions) == 1
    subscriptions.remove("a", ["x", "never"])
    assert subscriptions.subscribers("x") == []
    assert len(subscriptions) == 0
    subscriptions.add("a", "#", 1)
    assert subscriptions.subscribers("x") == [("a", 1)]
    subscriptions.forget("a")
    assert subscriptions.subscribers("x") == []
    assert subscriptions.of("a") == {}


def test_remembered_topics_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED_TOPICS", 10)
    subscriptions = Subscriptions()
    subscriptions.add("a", "#", 0)
    for number in range(100):
        assert subscriptions.subscribers(f"t{number}") == [("a", 0)]
    assert len(subscriptions._remembered) <= 10
