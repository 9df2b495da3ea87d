from __future__ import annotations

import pytest

from bittern.lorawan.regions import names, plan


def test_regions_are_named_as_aws_names_them() -> None:
    assert {"EU868", "US915"} <= set(names())


def test_every_region_is_found_by_its_name() -> None:
    assert [plan(name).name for name in names()] == list(names())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("EU868", "EU868"),
        ("eu868", "EU868"),
        ("EU863-870", "EU868"),
        ("EU_863_870", "EU868"),
        ("EU863", "EU868"),
        ("US915", "US915"),
        ("US902-928", "US915"),
        ("us902", "US915"),
    ],
)
def test_regions_are_found_as_people_write_them(text: str, name: str) -> None:
    assert plan(text).name == name


@pytest.mark.parametrize("text", ["", "EU", "EU86", "XX999", "868"])
def test_unknown_region_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(ValueError, match=r"unknown region .*; known are .*EU868"):
        plan(text)
