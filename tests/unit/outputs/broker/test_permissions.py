from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bittern.outputs.broker.permissions import (
    EVERYTHING,
    Permissions,
    covers,
    flaw,
    permissions_of,
)
from bittern.outputs.mqtt.topics import is_filter, matches

NAMES = st.sampled_from(["a", "b", "$aws", ""])
TOPICS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
FILTERS = st.builds(
    lambda levels, last: "/".join([*levels, *last]),
    st.lists(NAMES | st.just("+"), min_size=1, max_size=4),
    st.sampled_from([[], ["#"]]),
) | st.just("#")


def test_default_is_everything_but_what_is_the_servers() -> None:
    assert EVERYTHING.may_publish("a/b")
    assert not EVERYTHING.may_publish("$aws/things/x")
    assert EVERYTHING.may_subscribe("#")
    assert EVERYTHING.may_subscribe("$aws/#")


def test_empty_list_is_nothing() -> None:
    nothing = Permissions(publish=(), subscribe=())
    assert not nothing.may_publish("a")
    assert not nothing.may_subscribe("a")


def test_name_of_the_user_stands_in_its_patterns() -> None:
    own = permissions_of("lake", ["in/%u/+"], ["out/%u/#"])
    assert own.may_publish("in/lake/x")
    assert not own.may_publish("in/sea/x")
    assert own.may_subscribe("out/lake")
    assert not own.may_subscribe("out/+/x")
    assert permissions_of("lake", None, None) == EVERYTHING


def test_no_pattern_lets_a_client_publish_what_is_the_servers() -> None:
    assert not Permissions(publish=("$aws/#", "#")).may_publish("$aws/x")


@pytest.mark.parametrize(
    ("pattern", "wanted", "covered"),
    [
        ("#", "#", True),
        ("#", "a/+/#", True),
        ("#", "$aws/x", False),
        ("+/x", "$aws/x", False),
        ("$aws/#", "$aws/#", True),
        ("$aws/#", "$aws", True),
        ("$aws/+/x", "$aws/#", False),
        ("a/#", "a", True),
        ("a/#", "a/b/#", True),
        ("a/#", "#", False),
        ("a/#", "+/b", False),
        ("a/+", "a/+", True),
        ("a/+", "a/b", True),
        ("a/+", "a/#", False),
        ("a/+", "a", False),
        ("a/+", "a/b/c", False),
        ("a/b", "a/+", False),
    ],
)
def test_filter_is_covered_by_a_pattern(pattern: str, wanted: str, covered: bool) -> None:
    assert covers(pattern, wanted) is covered


@given(FILTERS, FILTERS, TOPICS)
def test_no_topic_gets_past_the_pattern(pattern: str, wanted: str, topic: str) -> None:
    assume(is_filter(pattern) and is_filter(wanted) and covers(pattern, wanted))
    assert not matches(wanted, topic) or matches(pattern, topic)


@pytest.mark.parametrize(
    ("pattern", "to_publish", "word"),
    [("a#", False, "whole levels"), ("", True, "whole levels"), ("$aws/#", True, "server's")],
)
def test_pattern_that_cannot_be_used_is_told(pattern: str, to_publish: bool, word: str) -> None:
    assert word in (flaw(pattern, to_publish=to_publish) or "")


def test_usual_patterns_have_no_flaw() -> None:
    assert flaw("$aws/#", to_publish=False) is None
    assert flaw("in/%u/+", to_publish=True) is None
