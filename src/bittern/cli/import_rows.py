"""The rows of a file of devices, one by one: however long it is, little of it is held."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from bittern.cli.import_columns import Columns, Fields, RowFault

Format = Literal["csv", "json", "jsonl"]
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}

CHUNK = 1 << 16
LONGEST = 1 << 20
"""Characters of one device in JSON: whatever is longer is no device."""
DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Row:
    """One device of a file."""

    line: int
    """Where it begins, counted from 1."""
    fields: Fields | None = None
    """Of a CSV file."""
    given: Any = None
    """Of a JSON file: the input of CreateWirelessDevice."""
    fault: str = ""
    """Why it is no device; then it is nothing else."""


class FileFault(ValueError):
    """The file cannot be read at all."""


def rows(file: io.TextIOBase, kind: Format) -> Iterator[Row]:
    """Raises `FileFault`; a row that cannot be read has its fault."""
    readers: dict[Format, Callable[[io.TextIOBase], Iterator[Row]]] = {
        "csv": _csv_rows,
        "json": _json_rows,
        "jsonl": _json_lines,
    }
    try:
        yield from readers[kind](file)
    except UnicodeDecodeError:
        raise FileFault("not text in UTF-8") from None


def _csv_rows(file: io.TextIOBase) -> Iterator[Row]:
    first = file.readline()
    if not first.strip():
        raise FileFault("the first line has to name the columns")
    delimiter = max(DELIMITERS, key=first.count)
    try:
        columns = Columns.of(next(csv.reader([first], delimiter=delimiter)))
    except (ValueError, csv.Error) as error:
        raise FileFault(str(error)) from None
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 2
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(line, fault=f"not CSV: {error}")
            continue
        if any(cells):
            yield _csv_row(line, columns, cells)


def _csv_row(line: int, columns: Columns, cells: list[str]) -> Row:
    try:
        return Row(line, fields=columns.fields(cells))
    except RowFault as fault:
        return Row(line, fault=str(fault))


def _json_lines(file: io.TextIOBase) -> Iterator[Row]:
    line = 0
    while text := file.readline(LONGEST):
        line += 1
        if len(text) == LONGEST and not text.endswith("\n"):
            raise FileFault(f"line {line} is longer than any device")
        if text.strip():
            try:
                yield _json_row(line, json.loads(text))
            except (ValueError, RecursionError):
                yield Row(line, fault="not JSON")


def _json_row(line: int, value: object) -> Row:
    return Row(line, given=value) if isinstance(value, dict) else Row(line, fault="not an object")


def _json_rows(file: io.TextIOBase) -> Iterator[Row]:
    """Of a list. Behind what is no JSON nothing can be found again, so it ends there."""
    text = _Text(file)
    if text.next() != "[":
        raise FileFault("not a list of devices in JSON")
    text.skip()
    if text.next() == "]":
        return
    while True:
        text.next()
        line = text.line
        try:
            value = text.value()
        except (ValueError, RecursionError):
            yield Row(line, fault="not JSON; nothing behind it was read")
            return
        yield _json_row(line, value)
        separator = text.next()
        text.skip()
        if separator == "]":
            return
        if separator != ",":
            yield Row(text.line, fault="neither , nor ] behind a device; nothing more was read")
            return


class _Text:
    """A window on a file that moves on."""

    def __init__(self, file: io.TextIOBase) -> None:
        self._file = file
        self._decoder = json.JSONDecoder()
        self._window = ""
        self._at = 0
        self.line = 1

    def next(self) -> str:
        """The first character that is not blank, which is not taken; empty: there is none."""
        while True:
            while self._at < len(self._window) and self._window[self._at] in " \t\r\n":
                self.skip()
            if self._at < len(self._window):
                return self._window[self._at]
            if not self._more():
                return ""

    def skip(self) -> None:
        if self._window[self._at : self._at + 1] == "\n":
            self.line += 1
        self._at += 1

    def value(self) -> object:
        """Raises ValueError."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._window, self._at)
            except ValueError:
                if len(self._window) - self._at > LONGEST or not self._more():
                    raise
                continue
            self.line += self._window.count("\n", self._at, end)
            self._at = end
            return value

    def _more(self) -> bool:
        more = self._file.read(CHUNK)
        self._window = self._window[self._at :] + more
        self._at = 0
        return bool(more)
