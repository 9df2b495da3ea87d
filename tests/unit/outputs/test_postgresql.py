"""What needs no server; with one: tests/integration/test_output_postgresql.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bittern.config import Configuration
from bittern.errors import DeliveryUnavailable, RuleError
from bittern.outputs.kinds import Surroundings, checked
from bittern.outputs.parameters import read
from bittern.outputs.port import Message, Output
from bittern.outputs.postgresql import KIND, PostgresqlForm, row_of, statement

BASE = {"url": "postgresql://127.0.0.1:1/lake", "username": "lns", "table": "up"}


def form(**more: Any) -> PostgresqlForm:
    return read({**BASE, **more}, PostgresqlForm)


def test_names_are_quoted_and_never_become_sql() -> None:
    text = statement(form(table='up"; DROP TABLE x; --', columns={'a"b': "${a}"}, idColumn="id"))
    assert text == (
        'INSERT INTO "public"."up""; DROP TABLE x; --" ("a""b", "id")'
        ' SELECT "a""b", "id" FROM jsonb_populate_recordset('
        'NULL::"public"."up""; DROP TABLE x; --", $1::text::jsonb) ON CONFLICT DO NOTHING'
    )


@pytest.mark.parametrize(
    ("payload", "document"), [(b'{"x": 1}', {"x": 1}), (b"\xff", "/w=="), (b"", "")]
)
def test_row_has_columns_id_and_document(payload: bytes, document: object) -> None:
    columns = {"a": "${a}", "b": "${b}"}
    row = row_of(
        Message("", payload, "m1", {"columns.a": "5", "columns.b": ""}),
        form(columns=columns, idColumn="id", documentColumn="doc"),
    )
    assert json.loads(row) == {"a": "5", "b": None, "id": "m1", "doc": document}


def test_row_may_be_a_document_alone() -> None:
    assert row_of(Message("", b"1"), form(documentColumn="doc")) == '{"doc":1}'


async def test_nobody_there_is_unavailable(output: Output, tmp_path: Path) -> None:
    world = Surroundings(
        configuration=Configuration(), data_dir=tmp_path, broker=output, chance=lambda: 0.0
    )
    async with KIND.make("r/0", {**BASE, "documentColumn": "d"}, world) as postgresql:
        with pytest.raises(DeliveryUnavailable):
            await postgresql.publish([Message("", b"1", "m1")])
        assert not postgresql.health().working


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "at least one"),
        ({"url": "mysql://x/y", "documentColumn": "d"}, "url: postgresql"),
        ({"url": "postgresql://u:p@x/y", "documentColumn": "d"}, "url: postgresql"),
        ({"url": "postgresql://x", "documentColumn": "d"}, "url: postgresql"),
        ({"url": "postgresql://x:y/z", "documentColumn": "d"}, "url: postgresql"),
        ({"columns": {"d": ""}, "documentColumn": "d"}, "are others"),
        ({"documentColumn": "d" * 64}, "documentColumn"),
        ({"documentColumn": "d\0"}, "no name"),
        ({"documentColumn": "d", "passwordFile": "../x"}, "passwordFile"),
    ],
)
def test_what_cannot_work_is_refused_when_the_rule_is_made(more: dict[str, Any], told: str) -> None:
    with pytest.raises(RuleError, match=told):
        checked({"postgresql": {**BASE, **more}})


def test_columns_are_templates() -> None:
    assert KIND.templates({**BASE, "columns": {"a": "${a}"}}) == {"columns.a": "${a}"}
