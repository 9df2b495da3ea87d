from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bittern.api.convert import Unfit
from bittern.api.forms import form_converter
from bittern.api.router import decoded_fields

sys.path.insert(0, str(Path(__file__).parent))
from oracle import operation_of

ASSUME = operation_of("AssumeRole", "sts")


def read(form: str) -> dict[str, object]:
    return form_converter(ASSUME.input)(decoded_fields(form))


def test_names_with_dots_are_structures_and_lists() -> None:
    form = (
        "Action=AssumeRole&RoleArn=arn&DurationSeconds=900&Unknown.x=1"
        "&Tags.member.1.Key=a&Tags.member.1.Value=b&Tags.member.2.Key=c&PolicyArns="
    )
    assert read(form) == {
        "RoleArn": "arn",
        "DurationSeconds": 900,
        "Tags": [{"Key": "a", "Value": "b"}, {"Key": "c"}],
        "PolicyArns": [],
    }


def test_a_list_ends_at_a_gap_and_of_equal_names_the_first_counts() -> None:
    assert read("Tags.member.1.Key=a&Tags.member.3.Key=c&Tags.member.1.Key=z") == {
        "Tags": [{"Key": "a"}]
    }


@pytest.mark.parametrize(
    "form",
    ["DurationSeconds=x", "RoleArn.x=1", "Tags.member=1", "Tags=x", "RoleArn=1&RoleArn.x=2",
     "Tags.member.1=x"],
)  # fmt: skip
def test_names_that_do_not_fit_are_told(form: str) -> None:
    with pytest.raises(Unfit):
        read(form)


def test_a_deep_name_costs_nothing() -> None:
    assert read("a" + ".b" * 50_000 + "=1") == {}
