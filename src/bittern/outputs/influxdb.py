"""`influxdb`: points in line protocol, to InfluxDB 1, 2 or 3 and what understands it. Our own.

Measurement, tags, fields and time are templates. A field is what `fieldTypes` says, else a number
where its text is one (a float, so that 1 and 1.5 are of one type), a boolean for ``true`` and
``false``, and a string otherwise. An empty tag or field is left out. With `timestamp` a second copy
is the same point; without it, it is a point of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlencode, urlsplit

import aiohttp
import msgspec

from bittern.errors import DeliveryError, DeliveryRejected, DeliveryUnavailable
from bittern.outputs.kinds import Kind, Parameters, Surroundings
from bittern.outputs.parameters import (
    Form,
    TlsForm,
    check_file,
    check_tls,
    check_variable,
    filled,
    read,
    read_secret,
    templates,
    tls_context,
)
from bittern.outputs.port import Failures, Message
from bittern.outputs.service import ServiceOutput

FieldType = Literal["float", "integer", "unsigned", "boolean", "string"]
CALL_S = aiohttp.ClientTimeout(total=10, connect=5)
ANSWER_BYTES = 64 * 1024
BATCH_BYTES = 1024 * 1024
STRING_BYTES = 65_536
_FLOAT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_INTEGER = re.compile(r"[+-]?\d{1,19}")
_PRECISION = {"ns": "ns", "us": "us", "ms": "ms", "s": "s"}
_PRECISION_1 = {"ns": "n", "us": "u", "ms": "ms", "s": "s"}
_PER_LINE = frozenset({400, 413, 422})
"""Answers to a batch that may be about one of its lines."""


class InfluxdbForm(Form, frozen=True, kw_only=True):
    url: str
    """``http://HOST:PORT`` or ``https://HOST:PORT``, with the path before ``/write`` if any."""
    version: Literal[1, 2, 3] = 2
    """1: ``/write``; 2 and 3: ``/api/v2/write``."""
    bucket: Annotated[str, msgspec.Meta(min_length=1)]
    """Of version 1 and 3: the database; ``DATABASE/POLICY`` names a retention policy of 1."""
    org: str | None = None
    token_file: str | None = None
    token_environment: str | None = None
    username: str | None = None
    """Version 1: with passwordFile or passwordEnvironment."""
    password_file: str | None = None
    password_environment: str | None = None
    measurement: str
    tags: Mapping[str, str] = {}
    fields: Mapping[str, str]
    field_types: Mapping[str, FieldType] = {}
    timestamp: str | None = None
    precision: Literal["ns", "us", "ms", "s"] = "ns"
    tls: TlsForm = TlsForm()


class _Line(NamedTuple):
    place: int
    text: bytes


class InfluxdbOutput(ServiceOutput):
    def __init__(self, name: str, form: InfluxdbForm, world: Surroundings) -> None:
        super().__init__(name)
        self._form = form
        self._world = world
        self._url = write_url(form)
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, messages: Sequence[Message]) -> Failures:
        failures: dict[int, DeliveryError] = {}
        lines: list[_Line] = []
        for place, message in enumerate(messages):
            try:
                lines.append(_Line(place, line_of(message, self._form)))
            except DeliveryRejected as rejection:
                failures[place] = rejection
        headers = self._login()
        for batch in _batches(lines):
            await self._write(batch, headers, failures)
        return failures

    async def _write(
        self,
        lines: Sequence[_Line],
        headers: Mapping[str, str],
        failures: dict[int, DeliveryError],
    ) -> None:
        """A batch of which a line is not taken is halved until that line is alone: the others are
        written, some of them twice, which makes the same point."""
        status, said = await self._post(b"\n".join(line.text for line in lines), headers)
        if 200 <= status < 300:
            return
        told = f"status {status}: {said}" if said else f"status {status}"
        if status in (408, 429) or status >= 500:
            raise DeliveryUnavailable(told)
        if status in _PER_LINE and len(lines) > 1:
            half = len(lines) // 2
            await self._write(lines[:half], headers, failures)
            await self._write(lines[half:], headers, failures)
            return
        failures.update(dict.fromkeys([line.place for line in lines], DeliveryRejected(told)))

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        try:
            async with self._connected().post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                said = await answer.content.read(ANSWER_BYTES)
                return answer.status, " ".join(said[:200].decode(errors="replace").split())
        except TimeoutError:
            raise DeliveryUnavailable("no answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise DeliveryUnavailable(str(error) or type(error).__name__) from None

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    ssl=tls_context(self._world.data_dir, self._form.tls)
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=CALL_S,
                auto_decompress=False,
            )
        return self._session

    def _login(self) -> dict[str, str]:
        form, data_dir = self._form, self._world.data_dir
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        token = read_secret(data_dir, form.token_file, form.token_environment)
        password = read_secret(data_dir, form.password_file, form.password_environment)
        if token is not None:
            headers["Authorization"] = f"Token {token.expose()}"
        elif form.username is not None and password is not None:
            login = aiohttp.BasicAuth(form.username, password.expose(), encoding="utf-8")
            headers["Authorization"] = login.encode()
        return headers


def write_url(form: InfluxdbForm) -> str:
    base = form.url.rstrip("/")
    if form.version == 1:
        database, _, policy = form.bucket.partition("/")
        query = {"db": database, "precision": _PRECISION_1[form.precision]}
        return f"{base}/write?{urlencode(query | ({'rp': policy} if policy else {}))}"
    query = {"bucket": form.bucket, "precision": _PRECISION[form.precision]}
    return f"{base}/api/v2/write?{urlencode(query | ({'org': form.org} if form.org else {}))}"


def _batches(lines: Sequence[_Line]) -> list[list[_Line]]:
    batches: list[list[_Line]] = []
    size = BATCH_BYTES
    for line in lines:
        if size + len(line.text) > BATCH_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(line)
        size += len(line.text) + 1
    return batches


def line_of(message: Message, form: InfluxdbForm) -> bytes:
    """InfluxDB, "Line protocol": ``measurement,tag=… field=… time``.

    Raises `DeliveryRejected` for what is no point.
    """
    name = filled(message, "measurement", form.measurement)
    if not name or name.startswith(("_", "#")):
        raise DeliveryRejected(f"{name!r} is no measurement")
    tags = sorted(
        (key, value)
        for key, text in form.tags.items()
        if (value := filled(message, f"tags.{key}", text))
    )
    fields = [
        f"{_escaped(key, ',= ')}={field_of(value, form.field_types.get(key), key)}"
        for key, text in form.fields.items()
        if (value := filled(message, f"fields.{key}", text))
    ]
    if not fields:
        raise DeliveryRejected("a point without a field")
    line = _escaped(name, ", ")
    line += "".join(f",{_escaped(key, ',= ')}={_escaped(value, ',= ')}" for key, value in tags)
    line += " " + ",".join(fields)
    if form.timestamp is not None:
        at = filled(message, "timestamp", form.timestamp)
        if not _INTEGER.fullmatch(at) or not -(2**63) <= int(at) < 2**63:
            raise DeliveryRejected(f"{at[:40]!r} is no timestamp")
        line += f" {int(at)}"
    return line.encode()


def field_of(text: str, kind: FieldType | None, key: str) -> str:
    """The value of a field. Raises `DeliveryRejected` for what is not of its type."""
    if kind is None:
        kind = "float" if _FLOAT.fullmatch(text) else "string"
        kind = "boolean" if text in ("true", "false") else kind
    if kind == "string":
        if len(text.encode()) > STRING_BYTES:
            raise DeliveryRejected(f"field {key}: longer than {STRING_BYTES} bytes")
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if kind == "boolean" and text in ("true", "false"):
        return text
    if kind == "float" and _FLOAT.fullmatch(text) and abs(float(text)) < float("inf"):
        return repr(float(text))
    if kind in ("integer", "unsigned") and _INTEGER.fullmatch(text):
        least, beyond = (0, 2**64) if kind == "unsigned" else (-(2**63), 2**63)
        if least <= int(text) < beyond:
            return f"{int(text)}{'u' if kind == 'unsigned' else 'i'}"
    raise DeliveryRejected(f"field {key}: {text[:40]!r} is no {kind}")


def _escaped(text: str, special: str) -> str:
    """A measurement, a tag or the key of a field. A line break would end the line, and a backslash
    at the end would escape what follows: there is no way to write either."""
    if "\n" in text or "\r" in text or text.endswith("\\"):
        raise DeliveryRejected(f"{text[:40]!r} cannot be written in line protocol")
    return "".join("\\" + character if character in special else character for character in text)


def check(parameters: Parameters) -> None:
    form = read(parameters, InfluxdbForm)
    url = urlsplit(form.url)
    if url.scheme not in ("http", "https") or not url.hostname or url.query or url.username:
        raise ValueError("url: http://HOST:PORT or https://HOST:PORT")
    if not form.fields:
        raise ValueError("fields: at least one")
    if unknown := set(form.field_types) - set(form.fields):
        raise ValueError(f"fieldTypes: no field {sorted(unknown)[0]!r}")
    for key in (*form.tags, *form.fields):
        if not key or key.startswith("_") or key == "time":
            raise ValueError(f"{key!r} cannot be a tag or a field")
        try:
            _escaped(key, "")
        except DeliveryRejected as rejection:
            raise ValueError(rejection.reason) from None
    check_file(form.token_file, "tokenFile")
    check_variable(form.token_environment, "tokenEnvironment")
    check_file(form.password_file, "passwordFile")
    check_variable(form.password_environment, "passwordEnvironment")
    check_tls(form.tls, "tls")


KIND = Kind(
    name="influxdb",
    check=check,
    templates=lambda parameters: templates(
        parameters, "measurement", "tags.*", "fields.*", "timestamp"
    ),
    make=lambda name, parameters, world: InfluxdbOutput(
        name, read(parameters, InfluxdbForm), world
    ),
)
