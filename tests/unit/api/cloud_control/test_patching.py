from __future__ import annotations

import json
from typing import Any

import pytest

from bittern.api.cloud_control.patching import MAX_STEPS, patched
from bittern.api.errors import ApiError

RFC_6902 = [
    ("A.1", {"foo": "bar"}, [("add", "/baz", "qux")], {"baz": "qux", "foo": "bar"}),
    ("A.2", {"foo": ["a", "b"]}, [("add", "/foo/1", "x")], {"foo": ["a", "x", "b"]}),
    ("A.3", {"baz": "qux", "foo": "bar"}, [("remove", "/baz")], {"foo": "bar"}),
    ("A.4", {"foo": ["a", "x", "b"]}, [("remove", "/foo/1")], {"foo": ["a", "b"]}),
    ("A.5", {"baz": "qux"}, [("replace", "/baz", "boo")], {"baz": "boo"}),
    (
        "A.6",
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [("move", "/qux/thud", "/foo/waldo")],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    (
        "A.7",
        {"foo": ["all", "grass", "cows", "eat"]},
        [("move", "/foo/3", "/foo/1")],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    (
        "A.8",
        {"baz": "qux", "foo": ["a", 2, "c"]},
        [("test", "/baz", "qux"), ("test", "/foo/1", 2)],
        {"baz": "qux", "foo": ["a", 2, "c"]},
    ),
    ("A.10", {"foo": "bar"}, [("add", "/child", {"a": {}})], {"foo": "bar", "child": {"a": {}}}),
    ("A.14", {"/": 9, "~1": 10}, [("test", "/~01", 10)], {"/": 9, "~1": 10}),
    ("A.16", {"foo": ["bar"]}, [("add", "/foo/-", ["a"])], {"foo": ["bar", ["a"]]}),
    ("4.5", {"foo": {"a": 1}}, [("copy", "/bar", "/foo")], {"foo": {"a": 1}, "bar": {"a": 1}}),
    ("whole", {"foo": 1}, [("replace", "", {"bar": 2})], {"bar": 2}),
]
"""The examples of appendix A that succeed, by section, and two more."""


def written(*steps: tuple[Any, ...]) -> str:
    def step(op: str, path: str, *rest: Any) -> dict[str, Any]:
        name = "from" if op in ("move", "copy") else "value"
        return {"op": op, "path": path, **dict.fromkeys([name] * len(rest), rest[0] if rest else 0)}

    return json.dumps([step(*each) for each in steps])


@pytest.mark.parametrize(
    ("before", "steps", "after"), [case[1:] for case in RFC_6902], ids=[c[0] for c in RFC_6902]
)
def test_the_examples_of_the_specification_come_out(
    before: dict[str, Any], steps: list[tuple[Any, ...]], after: dict[str, Any]
) -> None:
    untouched = json.dumps(before)
    assert patched(before, written(*steps)) == after
    assert json.dumps(before) == untouched


@pytest.mark.parametrize(
    "step",
    [
        ("test", "/baz", "bar"),  # A.9
        ("add", "/baz/bat", "qux"),  # A.12
        ("test", "/number", True),
        ("test", "/list", [True]),
        ("test", "/object", {"a": 1, "b": 2}),
        ("remove", "/nothing"),
        ("replace", "/nothing", 1),
        ("remove", "/list/1"),
        ("remove", "/list/-"),
        ("replace", "/list/00", 1),
        ("add", "/list/2", 1),
        ("add", "/list/99999999999999999999", 1),
        ("add", "/list/\u0661", 1),
        ("add", "/foo/0", 1),
        ("move", "/object/a/b", "/object"),
        ("copy", "/x", "/nothing"),
        ("add", "foo", 1),
        ("remove", ""),
        ("replace", "", 5),
    ],
)
def test_what_does_not_fit_the_document_is_refused(step: tuple[Any, ...]) -> None:
    before = {"foo": "bar", "number": 1, "list": [1], "object": {"a": 1}}
    with pytest.raises(ApiError) as refused:
        patched(before, written(step))
    assert refused.value.code == "ValidationException"


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[1]", "[", '[{"op":"spin","path":"/a"}]', '[{"op":"add","path":"/a"}]',
     '[{"op":"move","path":"/a"}]', '[{"op":"add","path":5,"value":1}]', '[{"path":"/a"}]',
     "[" * 100_000],
)  # fmt: skip
def test_what_is_no_patch_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ApiError, match=r"is not a JSON Patch \(RFC 6902\)$"):
        patched({}, text)


def test_members_that_are_unknown_are_ignored() -> None:
    """RFC 6902, A.11."""
    patch = '[{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}]'
    assert patched({"foo": "bar"}, patch) == {"foo": "bar", "baz": "qux"}


def test_a_failed_test_undoes_what_was_before_it() -> None:
    before = {"foo": "bar"}
    with pytest.raises(ApiError, match="Operation 2 of the patch document: /foo is not as tested"):
        patched(before, written(("add", "/foo", "x"), ("test", "/foo", "bar")))
    assert before == {"foo": "bar"}


def test_copies_cannot_grow_without_end() -> None:
    before = {"a": ["x" * 1000]}
    doubling = [("copy", "/a/-", "/a")] * 40
    with pytest.raises(ApiError, match="too large"):
        patched(before, written(*doubling))


def test_copies_cannot_nest_without_end() -> None:
    with pytest.raises(ApiError, match="nests too deeply"):
        patched({"a": 1}, written(*[("copy", "/a", "")] * MAX_STEPS))


def test_a_patch_has_a_bounded_number_of_steps() -> None:
    steps = [("add", "/a", 1)] * (MAX_STEPS + 1)
    with pytest.raises(ApiError, match="more than 1000 operations"):
        patched({}, written(*steps))
    assert patched({}, written(*steps[1:])) == {"a": 1}
