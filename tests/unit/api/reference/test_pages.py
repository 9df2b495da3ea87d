from __future__ import annotations

from html.parser import HTMLParser

import pytest

from bittern.api.coverage import coverage
from bittern.api.reference import pages


class Anchors(HTMLParser):
    """The targets and the links of a page, and whether it asks for anything from elsewhere."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        found = dict(attrs)
        self.ids.add(found.get("id") or "")
        self.links.add(found.get("href") or "")


@pytest.mark.parametrize("name", sorted(coverage()))
def test_every_operation_is_on_its_page(name: str) -> None:
    text = pages.page(name, "1.2.3")
    found = Anchors(text)
    for one in coverage()[name]:
        if one.state == "offered":
            assert one.operation in found.ids
            assert f"#{one.operation}" in found.links
        else:
            assert one.operation in text
            assert one.reason.replace("'", "&#39;") in text
    assert not {"script", "img", "link", "iframe"} & found.tags


def test_the_index_leads_to_every_page() -> None:
    found = Anchors(pages.index("1.2.3"))
    for name, operations in coverage().items():
        assert f"docs/{name}" in found.links
        assert f"docs/{name}/openapi.json" in found.links
        offered = [one.operation for one in operations if one.state == "offered"]
        assert {f"docs/{name}#{one}" for one in offered} <= found.links


def test_members_are_told_with_those_that_hold_them() -> None:
    text = pages.page("iotwireless", "1")
    assert "<code>LoRaWAN.OtaaV1_0_x.AppKey</code>" in text
    assert "<code>Tags[].Key</code>" in text


def test_a_service_that_is_not_there_has_no_page() -> None:
    with pytest.raises(KeyError):
        pages.page("s3", "1")
