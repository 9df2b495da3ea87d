from __future__ import annotations

import pytest

from bittern.lorawan.regions import names, plan


def test_regions_are_named_as_aws_names_them() -> None:
    """Its SupportedRfRegion, and behind these the other plans of CN470."""
    assert names() == (
        *("EU868", "US915", "AU915", "AS923-1", "AS923-2", "AS923-3", "AS923-4"),
        *("EU433", "CN470", "CN779", "RU864", "KR920", "IN865"),
        *("CN470-20B", "CN470-26A", "CN470-26B", "CN470-96"),
    )


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
        ("AU915-928", "AU915"),
        ("AU_915_928", "AU915"),
        ("AS923", "AS923-1"),
        ("AS923-1", "AS923-1"),
        ("AS_923_1", "AS923-1"),
        ("as923_1", "AS923-1"),
        ("AS923JP", "AS923-1"),
        ("AS_923_2", "AS923-2"),
        ("AS923 3", "AS923-3"),
        ("As923-4", "AS923-4"),
        ("EU_433", "EU433"),
        ("CN470-510", "CN470"),
        ("CN_470_510", "CN470"),
        ("CN_470_510_20_A", "CN470"),
        ("CN_470_510_20_B", "CN470-20B"),
        ("CN_470_510_26_A", "CN470-26A"),
        ("CN470-26B", "CN470-26B"),
        ("cn470_96", "CN470-96"),
        ("CN779-787", "CN779"),
        ("RU_864_870", "RU864"),
        ("KR920-923", "KR920"),
        ("IN_865_867", "IN865"),
    ],
)
def test_regions_are_found_as_people_write_them(text: str, name: str) -> None:
    assert plan(text).name == name


@pytest.mark.parametrize(
    "text", ["", "EU", "EU86", "XX999", "868", "AS923-5", "CN470-20C", "IL915"]
)
def test_unknown_region_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(ValueError, match=r"unknown region .*; known are .*EU868"):
        plan(text)
