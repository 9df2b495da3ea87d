from __future__ import annotations

import pytest

from bittern.rules.topics import matcher, problem


@pytest.mark.parametrize("good", ["a", "/", "a/+/b", "+", "#", "a/#", "+/+/#", "a b/é", "$aws/x"])
def test_filters_that_are_good(good: str) -> None:
    assert problem(good) == ""


@pytest.mark.parametrize("bad", ["", "#/a", "a#", "##", "a/##", "a+", "++", "a\0b", "é" * 129])
def test_filters_that_are_not(bad: str) -> None:
    assert problem(bad) != ""


@pytest.mark.parametrize(
    ("topic_filter", "topic", "expected"),
    [
        ("topic/subtopic", "topic/subtopic", True),
        ("topic/subtopic", "topic/subtopic-2", False),
        ("topic/#", "topic/subtopic-3/details", True),
        ("topic/#", "topic", True),
        ("topic/#", "topic-2/subtopic-x", False),
        ("topic/+", "topic/subtopic", True),
        ("topic/+", "topic/subtopic-3/details", False),
        ("topic/+", "topic", False),
        ("+/b", "a/b", True),
        ("+/+", "/", True),
        ("#", "a/b", True),
        ("#", "$aws/x", False),
        ("+/x", "$aws/x", False),
        ("$aws/#", "$aws/x", True),
        ("+/b/#", "a/b", True),
        ("+/b/#", "a/c/d", False),
    ],
)
def test_matching(topic_filter: str, topic: str, expected: bool) -> None:
    assert matcher(topic_filter)(topic) is expected
