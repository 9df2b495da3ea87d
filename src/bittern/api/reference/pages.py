"""The reference as pages of HTML: an index, and one page for each service.

They hold no script and ask for nothing from elsewhere: they work where there is no internet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from bittern.api.coverage import Coverage, coverage
from bittern.api.model import Operation, Shape, service, wire_name
from bittern.api.reference.openapi import path_of
from bittern.api.reference.prose import plain
from bittern.api.reference.samples import boto3_text, cli_text

MOST_NESTED = 6
"""Shapes that hold themselves would never end."""


@dataclass(frozen=True, slots=True)
class Member:
    """One line of a table of members."""

    path: str
    """With those that hold it: ``LoRaWAN.DevEui``."""
    kind: str
    required: bool
    limits: str
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation on a page."""

    name: str
    method: str
    path: str
    status: int
    action: str
    text: str
    members: Sequence[Member]
    answer: Sequence[Member]
    errors: Sequence[tuple[int, str]]
    boto3: str
    cli: str


def index(version: str) -> str:
    return str(_template("index.html").render(version=version, services=coverage()))


def page(name: str, version: str) -> str:
    """KeyError for a service that nothing is offered of."""
    states = coverage()[name]
    it = service(name)
    entries = [_entry(it.operation(one.operation)) for one in states if one.state == "offered"]
    made = _template("service.html").render(
        version=version, service=name, entries=entries, absent=_absent(states)
    )
    return str(made)


def _absent(states: Sequence[Coverage]) -> Mapping[str, list[str]]:
    """By reason."""
    found: dict[str, list[str]] = {}
    for one in states:
        if one.state != "offered":
            found.setdefault(one.reason, []).append(one.operation)
    return found


def _entry(operation: Operation) -> Entry:
    return Entry(
        name=operation.name,
        method=operation.method,
        path=path_of(operation),
        status=operation.status,
        action=operation.action,
        text=plain(operation.documentation),
        members=list(_members(operation.input)),
        answer=list(_members(operation.output)),
        errors=sorted((one.status, one.code) for one in operation.errors.values()),
        boto3=boto3_text(operation),
        cli=cli_text(operation),
    )


def _members(shape: Shape | None, path: str = "", seen: tuple[str, ...] = ()) -> Iterator[Member]:
    if shape is None or shape.name in seen or len(seen) > MOST_NESTED:
        return
    for name, member in shape.members.items():
        where = f"{path}{wire_name(name, member)}"
        required = name in shape.required_members
        yield Member(where, _kind(member), required, _limits(member), plain(member.documentation))
        inner, step = _inside(member)
        if inner is not None:
            yield from _members(inner, f"{where}{step}.", (*seen, shape.name))


def _inside(shape: Shape) -> tuple[Shape | None, str]:
    """The structure that it is or holds, and how that is written."""
    match shape.type_name:
        case "structure":
            return shape, ""
        case "list":
            inner, step = _inside(shape.member)
            return inner, f"[]{step}"
        case "map":
            inner, step = _inside(shape.value)
            return inner, f".*{step}"
        case _:
            return None, ""


def _kind(shape: Shape) -> str:
    match shape.type_name:
        case "list":
            return f"list of {_kind(shape.member)}"
        case "map":
            return f"map to {_kind(shape.value)}"
        case other:
            return str(other)


def _limits(shape: Shape) -> str:
    facts: dict[str, Any] = shape.metadata
    parts = []
    if getattr(shape, "enum", None):
        parts.append(" | ".join(shape.enum))
    if "min" in facts or "max" in facts:
        parts.append(f"{facts.get('min', '')}..{facts.get('max', '')}")
    if facts.get("pattern"):
        parts.append(facts["pattern"])
    return ", ".join(parts)


@cache
def _template(name: str) -> Any:
    """Jinja is imported when a page is first asked for, which most servers never are."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("bittern.api.reference", "templates")
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template(name)
