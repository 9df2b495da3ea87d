from __future__ import annotations

import pytest

from bittern.rules.context import Context
from bittern.rules.functions import FAMILIES, FUNCTIONS
from bittern.rules.functions.registry import (
    Function,
    function,
    of_context,
    of_number,
    of_text,
    of_texts,
)
from bittern.rules.values import UNDEFINED


@pytest.mark.parametrize(
    ("made", "signature", "counts"),
    [
        (function("f", "", abs), "f()", [0]),
        (function("f", "a b", abs), "f(a, b)", [2]),
        (function("f", "a ? b", abs), "f(a[, b])", [1, 2]),
        (function("f", "? a", abs), "f([a])", [0, 1]),
        (function("f", "? a", abs, repeats=True), "f([a], …)", [0, 1, 2, 3, 4, 5]),
        (Function("f", ("a",), 1, abs, counts=frozenset({1, 3}), usage="f(a…)"), "f(a…)", [1, 3]),
    ],
)
def test_signatures(made: Function, signature: str, counts: list[int]) -> None:
    assert made.signature == signature
    assert [count for count in range(6) if made.takes(count)] == counts


def test_conversion_of_arguments() -> None:
    assert of_text(len)(1.5) == 3
    assert of_text(len)(None) is UNDEFINED
    assert of_texts(str.startswith)(True, "t") is True
    assert of_texts(str.startswith)("t", UNDEFINED) is UNDEFINED
    assert of_number(abs)("-5") == 5
    assert of_number(abs)(True) is UNDEFINED
    assert of_context(lambda context: context.principal)(Context()) is UNDEFINED


def test_no_name_is_taken_twice() -> None:
    names = [one.name.lower() for family in FAMILIES for one in family.FUNCTIONS]
    assert len(names) == len(set(names)) == len(FUNCTIONS)


def test_every_function_of_aws_is_there() -> None:
    """The list of the AWS IoT Core developer guide, "Functions", but for the compiler's two."""
    names = (
        "abs accountid acos asin atan atan2 aws_lambda bitand bitor bitxor bitnot ceil chr"
        " clientid concat cos cosh decode encode endswith exp floor get get_dynamodb"
        " get_mqtt_property get_registry_data get_secret get_thing_shadow get_user_properties"
        " md2 md5 sha1 sha224 sha256 sha384 sha512 indexof isnull isundefined length ln log lower"
        " lpad ltrim machinelearning_predict mod nanvl newuuid numbytes parse_time power principal"
        " rand regexp_matches regexp_replace regexp_substr remainder replace round rpad rtrim sign"
        " sin sinh sourceip sqrt startswith substring tan tanh time_to_epoch timestamp topic"
        " traceid transform trim trunc upper"
    )
    assert set(names.split()) == set(FUNCTIONS)
