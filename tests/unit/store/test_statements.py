from __future__ import annotations

from pathlib import Path

import pytest

from bittern.store.statements import load_statements, parse_statements

TEXT = """-- What stands before the first name is for readers.

-- owed_count --
-- How many messages wait,
-- of all devices.
SELECT count(*)
FROM outbox -- all of it

-- last --
-- The newest.
SELECT max(sequence) FROM change
"""


def test_statements_are_read_by_name() -> None:
    assert parse_statements(TEXT) == {
        "owed_count": "SELECT count(*)\nFROM outbox -- all of it",
        "last": "SELECT max(sequence) FROM change",
    }


def test_a_name_stands_there_once() -> None:
    with pytest.raises(ValueError, match="last stands there twice"):
        parse_statements(TEXT + "\n-- last --\n-- Again.\nSELECT 1\n")


@pytest.mark.parametrize("body", ["SELECT 1", "-- Only a sentence.", ""])
def test_a_statement_has_a_sentence_and_sql(body: str) -> None:
    with pytest.raises(ValueError, match="new has no sentence or no SQL"):
        parse_statements(f"{TEXT}\n-- new --\n{body}\n")


def test_statements_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "queries.sql").write_text(TEXT)
    assert len(load_statements(tmp_path / "queries.sql")) == 2
