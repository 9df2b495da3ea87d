from __future__ import annotations

import pytest

from bittern.errors import ExternalCallFailed, RuleError
from bittern.rules.context import Context, ExternalCall


def test_a_call_is_known_by_its_function_and_arguments() -> None:
    call = ExternalCall("aws_lambda", ("decoder", {"a": [1, None]}))
    assert call.key == 'aws_lambda["decoder",{"a":[1,null]}]'
    assert call.key != ExternalCall("aws_lambda", ("decoder", {"a": [1]})).key


def test_without_anybody_to_answer_a_call_fails() -> None:
    with pytest.raises(ExternalCallFailed, match="get_secret is not available here"):
        Context().resolve(ExternalCall("get_secret", ()))


def test_without_a_source_of_randomness_there_is_none() -> None:
    with pytest.raises(RuleError, match="randomness"):
        Context().random_bytes(8)


@pytest.mark.parametrize(
    ("topic", "visible"),
    [
        ("a/b", "a/b"),
        ("$aws/rules/name/a/b", "a/b"),
        ("$aws/rules/name", ""),
        ("$aws/things/x", "$aws/things/x"),
    ],
)
def test_the_prefix_of_basic_ingest_is_hidden(topic: str, visible: str) -> None:
    assert Context(topic=topic).visible_topic == visible
