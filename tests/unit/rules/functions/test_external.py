from __future__ import annotations

from bittern.rules.functions.external import FUNCTIONS, ROLE


def test_all_are_answered_outside() -> None:
    assert all(one.external for one in FUNCTIONS)


def test_arguments_are_as_many_as_aws_takes() -> None:
    counts = {one.name: [n for n in range(9) if one.takes(n)] for one in FUNCTIONS}
    assert counts == {
        "aws_lambda": [2],
        "get_dynamodb": [4, 6],
        "get_secret": [3, 4],
        "get_thing_shadow": [2, 3],
        "get_registry_data": [3],
        "machinelearning_predict": [3],
    }


def test_a_role_stands_where_the_signature_says() -> None:
    for one in FUNCTIONS:
        if one.name in ROLE:
            assert one.arguments[ROLE[one.name]] == "roleArn"
