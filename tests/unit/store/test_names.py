from __future__ import annotations

import pytest

from bittern.store.names import checked_destination, checked_name


def test_names_are_for_people() -> None:
    for text in ("", "Pumpe 1 (Süd)", "x" * 256):
        assert checked_name(text) == text


@pytest.mark.parametrize("text", ["a<b", "a>b", "a^b", "a#b", "a~b", "a$b", "x" * 257])
def test_some_characters_and_long_names_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        checked_name(text)


def test_destinations_have_names_that_stand_in_an_arn() -> None:
    assert checked_destination("plant-1_up") == "plant-1_up"
    for text in ("", "a b", "a/b", "ä", "x" * 129):
        with pytest.raises(ValueError, match="letters"):
            checked_destination(text)
