from __future__ import annotations

from bittern.cli.codec_text import WIDTH, shown
from bittern.errors import CodecError

SCRIPT = "function f() {\n\treturn x.y;\n}\n"


def test_the_place_is_shown_with_a_caret_below() -> None:
    error = CodecError("ReferenceError: x is not defined", kind="script", place=(2, 9))
    assert shown(error, SCRIPT, "meter.js").splitlines() == [
        "meter.js:2:9: ReferenceError: x is not defined",
        "     return x.y;",
        "            ^",
    ]


def test_of_a_long_line_the_part_around_the_place_is_shown() -> None:
    error = CodecError("wrong", kind="script", place=(1, 501))
    _, text, caret = shown(error, "a" * 500 + "!" + "b" * 500, "meter.js").splitlines()
    assert len(text) == 4 + WIDTH
    assert text[caret.index("^")] == "!"


def test_without_a_place_the_reason_stands_alone() -> None:
    assert shown(CodecError("too long", kind="time"), SCRIPT, "meter") == "meter: too long"
    elsewhere = CodecError("odd", kind="script", place=(9, 1))
    assert shown(elsewhere, SCRIPT, "meter") == "meter: odd (line 9, column 1)"
