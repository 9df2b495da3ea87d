"""Lines are read back by a parser of its own; with a server: tests/integration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bittern.config import Configuration
from bittern.errors import DeliveryRejected, DeliveryUnavailable, RuleError
from bittern.outputs.influxdb import KIND, InfluxdbForm, line_of, write_url
from bittern.outputs.kinds import Surroundings, checked
from bittern.outputs.parameters import read
from bittern.outputs.port import Message, Output

BASE: dict[str, Any] = {
    "url": "http://127.0.0.1:1",
    "bucket": "lake",
    "measurement": "up",
    "fields": {"n": "${n}"},
}


def form(**more: Any) -> InfluxdbForm:
    return read({**BASE, **more}, InfluxdbForm)


def parsed(line: str) -> tuple[str, dict[str, str], dict[str, object], int | None]:
    """Character by character, as the protocol is described."""

    def until(at: int, stops: str) -> tuple[str, int]:
        text = ""
        while at < len(line) and line[at] not in stops:
            if line[at] == "\\" and at + 1 < len(line) and line[at + 1] in ",= ":
                at += 1
            text += line[at]
            at += 1
        return text, at

    tags: dict[str, str] = {}
    fields: dict[str, object] = {}
    name, at = until(0, ", ")
    while line[at] == ",":
        key, at = until(at + 1, "=")
        tags[key], at = until(at + 1, ", ")
    assert line[at] == " "
    while at < len(line) and (line[at] == "," or not fields):
        key, at = until(at + 1, "=")
        at += 1
        if line[at] == '"':
            text, at = "", at + 1
            while line[at] != '"':
                at += line[at] == "\\"
                text += line[at]
                at += 1
            fields[key], at = text, at + 1
        else:
            text, at = until(at, ", ")
            fields[key] = {"true": True, "false": False}.get(text) if text[0] in "tf" else (
                int(text[:-1]) if text[-1] in "iu" else float(text)
            )  # fmt: skip
    return name, tags, fields, int(line[at + 1 :]) if at < len(line) else None


WORDS = st.text(
    st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"]), min_size=1, max_size=8
).filter(lambda text: text[-1] != "\\" and text[0] not in "_#")


@given(WORDS, st.dictionaries(WORDS, WORDS, max_size=3), st.dictionaries(WORDS, st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=3),
    st.integers(-(2**63), 2**63 - 1))  # fmt: skip
def test_whatever_the_texts_are_they_are_read_back(
    name: str, tags: dict[str, str], fields: dict[str, str], at: int
) -> None:
    # A backslash before a character that is escaped is one that the protocol cannot write.
    for text in (name, *tags, *tags.values(), *fields):
        if any(pair in text for pair in ("\\,", "\\=", "\\ ")):
            return
    made = form(
        measurement=name,
        tags=tags,
        fields=fields,
        fieldTypes=dict.fromkeys(fields, "string"),
        timestamp=str(at),
    )
    line = line_of(Message("", b""), made).decode()
    assert parsed(line) == (name, tags, fields, at)


@pytest.mark.parametrize(
    ("text", "kind", "written"),
    [
        ("1", None, "1.0"),
        ("-1.5e3", None, "-1500.0"),
        ("true", None, "true"),
        ("True", None, '"True"'),
        ('a "b" \\', None, '"a \\"b\\" \\\\"'),
        ("1", "integer", "1i"),
        ("-9223372036854775808", "integer", "-9223372036854775808i"),
        ("18446744073709551615", "unsigned", None),
        ("9223372036854775808", "unsigned", "9223372036854775808u"),
        ("1", "string", '"1"'),
        ("1.5", "integer", None),
        ("9223372036854775808", "integer", None),
        ("-1", "unsigned", None),
        ("1e999", None, None),
        ("nan", "float", None),
        ("1", "boolean", None),
    ],
)
def test_field_is_what_its_type_says(text: str, kind: str | None, written: str | None) -> None:
    types = {} if kind is None else {"n": kind}
    message = Message("", b"", "m", {"fields.n": text})
    if written is None:
        with pytest.raises(DeliveryRejected, match="field n"):
            line_of(message, form(fieldTypes=types))
    else:
        assert line_of(message, form(fieldTypes=types)) == f"up n={written}".encode()


@pytest.mark.parametrize(
    "filled",
    [
        {"fields.n": ""},
        {"fields.n": "1", "measurement": ""},
        {"fields.n": "1", "measurement": "a\nb n=1"},
        {"fields.n": "1", "tags.t": "x\\"},
        {"fields.n": "1", "timestamp": "now"},
    ],
)
def test_what_is_no_point_is_rejected(filled: dict[str, str]) -> None:
    made = form(tags={"t": "${t}"}, timestamp="1")
    with pytest.raises(DeliveryRejected):
        line_of(Message("", b"", "m", filled), made)


def test_each_version_has_its_path() -> None:
    assert write_url(form(org="o p")) == (
        "http://127.0.0.1:1/api/v2/write?bucket=lake&precision=ns&org=o+p"
    )
    assert write_url(form(version=1, bucket="a/b", precision="us")) == (
        "http://127.0.0.1:1/write?db=a&precision=u&rp=b"
    )


class Influx:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.logins: list[str | None] = []
        self.status = 204

    async def write(self, request: web.Request) -> web.Response:
        self.logins.append(request.headers.get("Authorization"))
        lines = (await request.text()).split("\n")
        if self.status != 204 or any("bad" in line for line in lines):
            return web.Response(status=self.status if self.status != 204 else 400, text="no")
        self.lines += lines
        return web.Response(status=204)


@pytest.fixture
async def influx() -> AsyncIterator[tuple[Influx, str]]:
    influx, app = Influx(), web.Application()
    app.router.add_post("/api/v2/write", influx.write)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield influx, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
def world(output: Output, tmp_path: Path) -> Surroundings:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/token").write_text("hush\n")
    return Surroundings(
        configuration=Configuration(), data_dir=tmp_path, broker=output, chance=lambda: 0.0
    )


def points(*texts: str) -> list[Message]:
    return [Message("", b"", f"m{n}", {"fields.n": text}) for n, text in enumerate(texts)]


async def test_line_that_is_not_taken_is_rejected_alone(
    influx: tuple[Influx, str], world: Surroundings
) -> None:
    parameters = {**BASE, "url": influx[1], "tokenFile": "token"}
    async with KIND.make("r/0", parameters, world) as output:
        failures = await output.publish(points("1", "bad", "2", "", "3"))
    assert sorted(failures) == [1, 3]
    assert set(influx[0].lines) == {"up n=1.0", "up n=2.0", "up n=3.0"}
    assert set(influx[0].logins) == {"Token hush"}


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_server_in_trouble_is_unavailable(
    influx: tuple[Influx, str], world: Surroundings, status: int
) -> None:
    influx[0].status = status
    async with KIND.make("r/0", {**BASE, "url": influx[1]}, world) as output:
        with pytest.raises(DeliveryUnavailable, match=f"status {status}"):
            await output.publish(points("1"))


async def test_refused_login_and_nobody_there(
    influx: tuple[Influx, str], world: Surroundings
) -> None:
    influx[0].status = 401
    async with (
        KIND.make("r/0", {**BASE, "url": influx[1]}, world) as refused,
        KIND.make("r/1", BASE, world) as nowhere,
    ):
        failures = await refused.publish(points("1", "2"))
        assert [type(failure) for failure in failures.values()] == [DeliveryRejected] * 2
        with pytest.raises(DeliveryUnavailable):
            await nowhere.publish(points("1"))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"url": "x"}, "url: http"),
        ({"fields": {}}, "at least one"),
        ({"fieldTypes": {"x": "float"}}, "no field 'x'"),
        ({"tags": {"time": "x"}}, "cannot be a tag"),
        ({"tags": {"a\n": "x"}}, "line protocol"),
        ({"version": 4}, "version"),
        ({"tokenFile": "/x"}, "tokenFile"),
    ],
)
def test_what_cannot_work_is_refused_when_the_rule_is_made(more: dict[str, Any], told: str) -> None:
    with pytest.raises(RuleError, match=told):
        checked({"influxdb": {**BASE, **more}})
