from __future__ import annotations

import io
import json

import pytest

from bittern.cli import import_rows
from bittern.cli.import_rows import FileFault, Row, rows


def read(text: str, kind: import_rows.Format) -> list[Row]:
    return list(rows(io.StringIO(text, newline=""), kind))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_rows_of_csv_have_the_line_on_which_they_begin(delimiter: str) -> None:
    text = 'DevEui,Name\r\n01,"two\nlines"\r\n\r\n02,b\r\n'.replace(",", delimiter)
    assert read(text, "csv") == [
        Row(2, fields={"DevEui": "01", "Name": "two\nlines"}),
        Row(5, fields={"DevEui": "02", "Name": "b"}),
    ]


def test_a_row_of_csv_that_cannot_be_read_does_not_hide_the_next() -> None:
    faulty, good = read('DevEui,Name\n01,a,b\n02,"c"\n', "csv")
    assert (faulty.line, faulty.fault) == (2, "3 cells under 2 columns")
    assert good.fields == {"DevEui": "02", "Name": "c"}
    (quoted, after) = read('DevEui,Name\n01,"a"b\n02,c\n', "csv")
    assert quoted.fault.startswith("not CSV")
    assert after == Row(3, fields={"DevEui": "02", "Name": "c"})


@pytest.mark.parametrize("text", ["", "\n", "Colour\n", "Name\n"])
def test_csv_without_its_columns_is_no_file(text: str) -> None:
    with pytest.raises(FileFault):
        read(text, "csv")


def test_lines_of_json() -> None:
    assert read('{"Name": "a"}\n\nx\n[1]\n{"Name": "b"}', "jsonl") == [
        Row(1, given={"Name": "a"}),
        Row(3, fault="not JSON"),
        Row(4, fault="not an object"),
        Row(5, given={"Name": "b"}),
    ]


def test_a_line_without_end_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_rows, "LONGEST", 100)
    with pytest.raises(FileFault, match="longer"):
        read("x" * 101, "jsonl")


@pytest.mark.parametrize("chunk", [1, 7, 1 << 16])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_list_is_read_in_pieces(
    monkeypatch: pytest.MonkeyPatch, chunk: int, indent: int | None
) -> None:
    monkeypatch.setattr(import_rows, "CHUNK", chunk)
    devices = [{"Name": "a", "LoRaWAN": {"DevEui": "é"}}, {"Name": "b,]"}, {}]
    found = read(json.dumps(devices, indent=indent), "json")
    assert [row.given for row in found] == devices
    assert [row.line for row in found] == ([1, 1, 1] if indent is None else [2, 8, 11])
    assert read(" [ ] ", "json") == []


@pytest.mark.parametrize(
    ("text", "line", "fault"),
    [
        ('[{"a": 1},\n{"a" 2}, {}]', 2, "not JSON; nothing behind it was read"),
        ('[{"a": 1}\n{"a": 2}]', 2, "neither , nor ] behind a device; nothing more was read"),
        ('[{"a": 1},\n', 2, "not JSON; nothing behind it was read"),
        ('[{"a": 1}', 1, "neither , nor ] behind a device; nothing more was read"),
    ],
)
def test_a_list_ends_where_it_is_no_json(text: str, line: int, fault: str) -> None:
    first, last = read(text, "json")
    assert first.given == {"a": 1}
    assert last == Row(line, fault=fault)


@pytest.mark.parametrize("text", ["", "{}", "x"])
def test_what_is_no_list_is_no_file(text: str) -> None:
    with pytest.raises(FileFault, match="not a list"):
        read(text, "json")


def test_a_file_has_to_be_text() -> None:
    file = io.TextIOWrapper(io.BytesIO(b"DevEui\n\xff\n"), encoding="utf-8")
    with pytest.raises(FileFault, match="UTF-8"):
        list(rows(file, "csv"))
