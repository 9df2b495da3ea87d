from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bittern.api.model import SIGNING_NAMES, service
from bittern.api.patterns import compiled

sys.path.insert(0, str(Path(__file__).parent))


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        (r"[^\p{C}]*", ["a é\u20ac", ""], ["a\x00", "\u200b", "\n"]),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", ["Größe 1/2", "日本"], ["a!", "#"]),
        (r"[\p{Graph}\x20]*", ["a b!"], ["é", "\t"]),
        (r"[\p{Upper}\p{Digit}_]+", ["A_1"], ["a", ""]),
        (r"\p{Upper}x", ["Ax"], ["ax", "Upperx"]),
        (r"^\d+$", ["12"], ["12\n", "٣"]),
    ],
)
def test_javas_classes_mean_what_they_mean_there(
    pattern: str, fits: list[str], does_not: list[str]
) -> None:
    expression = compiled(pattern)
    assert expression is not None
    assert all(expression.fullmatch(text) for text in fits)
    assert not any(expression.fullmatch(text) for text in does_not)


def test_one_pattern_of_all_services_is_none_and_is_known() -> None:
    """The model's PEM pattern repeats what is already repeated: no engine takes it."""
    broken = set()
    for name in SIGNING_NAMES.values():
        model = service(name)._model
        for shape in map(model.shape_for, model.shape_names):
            if "pattern" in shape.metadata and compiled(shape.metadata["pattern"]) is None:
                broken.add((name, shape.name))
    assert broken == {("iotwireless", "CertificatePEM")}
