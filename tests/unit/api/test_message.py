from __future__ import annotations

from bittern.api.message import Request, Response


def test_a_target_is_split_at_the_first_question_mark_and_not_decoded() -> None:
    request = Request.of("GET", "/tags/a%2Fb?x=1?2&y=%20", [])
    assert (request.path, request.query) == ("/tags/a%2Fb", "x=1?2&y=%20")


def test_header_names_are_lower_case_and_repeated_headers_are_one() -> None:
    request = Request.of("GET", "/", [("Host", "a"), ("X-Thing", "1"), ("x-thing", "2")])
    assert request.headers == {"host": "a", "x-thing": "1,2"}


def test_a_body_does_not_print() -> None:
    assert "secret" not in repr(Request.of("POST", "/", [], b"secret"))
    assert "secret" not in repr(Response(200, {}, b"secret"))
