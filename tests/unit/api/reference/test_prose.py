from __future__ import annotations

import pytest

from bittern.api.reference.prose import plain


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            "<p>Makes a <code>thing</code>.</p>\n<p>Twice &amp; more.</p>",
            "Makes a thing. Twice & more.",
        ),
        ("<ul><li>one</li><li>two</li></ul>", "one two"),
        ("", ""),
        ("a < b", "a < b"),
    ],
)
def test_markup_becomes_one_line(html: str, text: str) -> None:
    assert plain(html) == text
