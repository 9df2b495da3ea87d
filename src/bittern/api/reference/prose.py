"""What the model says of its parts, which is HTML, as plain text."""

from __future__ import annotations

from html.parser import HTMLParser

_BREAKS = frozenset({"p", "li", "br", "ul", "ol", "note", "dt", "dd", "h3"})


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in _BREAKS:
            self.parts.append(" ")


def plain(html: str) -> str:
    """One line, whatever the markup was."""
    parser = _Text()
    parser.feed(html or "")
    parser.close()
    return " ".join("".join(parser.parts).split())
