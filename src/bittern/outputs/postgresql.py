"""`postgresql`: rows of a table of PostgreSQL, or of TimescaleDB, which is the same to us. Our own.

Values are templates; the server makes of each text what its column is, and an empty text is NULL.
A batch is one statement and so one transaction; when one of its rows is not taken, each is tried
alone, in their order. With `idColumn`, which needs a unique index, a second copy changes nothing.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import asyncpg
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
from bittern.outputs.port import NO_FAILURES, Failures, Message
from bittern.outputs.service import ServiceOutput

CONNECT_S = 5.0
STATEMENT_S = 20.0
CONNECTIONS = 4
NAME_BYTES = 63
"""PostgreSQL, 4.1.1: longer names would be cut."""
_NEVER = ("0A", "42")
"""Classes of errors that the whole statement has (PostgreSQL, appendix A): no such table or column,
not permitted. Trying its rows alone helps nobody."""
_ROW = ("21", "22", "23", "44", "P0")
"""Classes of errors that a row has: a value that is none of its column, a constraint, a trigger."""

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_BYTES)]


class PostgresqlForm(Form, frozen=True, kw_only=True):
    url: str
    """``postgresql://HOST:PORT/DATABASE``"""
    username: str
    password_file: str | None = None
    password_environment: str | None = None
    schema: Name = "public"
    table: Name
    columns: Mapping[Name, str] = {}
    """Templates by columns."""
    document_column: Name | None = None
    """Of type jsonb or json: gets the whole message; one that is no JSON as base64, in a string."""
    id_column: Name | None = None
    """Gets the id of the message."""
    tls: TlsForm | None = None


class PostgresqlOutput(ServiceOutput):
    def __init__(self, name: str, form: PostgresqlForm, world: Surroundings) -> None:
        super().__init__(name)
        self._form = form
        self._world = world
        self._statement = statement(form)
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._connecting = asyncio.Lock()

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()

    async def send(self, messages: Sequence[Message]) -> Failures:
        rows = [row_of(message, self._form) for message in messages]
        try:
            pool = await self._connected()
            async with pool.acquire(timeout=CONNECT_S) as connection:
                try:
                    return await self._insert(connection, rows)
                except asyncpg.InternalClientError:
                    # The library, cut off in the middle of a statement, has lost its thread.
                    connection.terminate()
                    raise
        except DeliveryUnavailable:
            raise
        except _AWAY as error:
            raise DeliveryUnavailable(_told(error)) from None

    async def _insert(self, connection: Any, rows: Sequence[str]) -> Failures:
        try:
            await connection.execute(self._statement, f"[{','.join(rows)}]", timeout=STATEMENT_S)
            return NO_FAILURES
        except asyncpg.PostgresError as error:
            state = error.sqlstate or ""
            if state.startswith(_NEVER):
                return dict.fromkeys(range(len(rows)), DeliveryRejected(_told(error)))
            if not state.startswith(_ROW):
                raise
        return await self._insert_alone(connection, rows)

    async def _insert_alone(self, connection: Any, rows: Sequence[str]) -> Failures:
        failures: dict[int, DeliveryError] = {}
        for place, row in enumerate(rows):
            try:
                await connection.execute(self._statement, f"[{row}]", timeout=STATEMENT_S)
            except asyncpg.PostgresError as error:
                if not (error.sqlstate or "").startswith(_ROW + _NEVER):
                    raise
                failures[place] = DeliveryRejected(_told(error))
        return failures

    def _password(self) -> str:
        """Read for each connection, so that it can be replaced."""
        form = self._form
        secret = read_secret(self._world.data_dir, form.password_file, form.password_environment)
        assert secret is not None
        return secret.expose()

    async def _connected(self) -> asyncpg.Pool[asyncpg.Record]:
        async with self._connecting:
            if self._pool is None:
                form, data_dir = self._form, self._world.data_dir
                url = urlsplit(form.url)
                self._pool = await asyncpg.create_pool(
                    host=url.hostname,
                    port=url.port or 5432,
                    database=unquote(url.path.removeprefix("/")),
                    user=form.username,
                    password=self._password if _has_password(form) else None,
                    ssl=tls_context(data_dir, form.tls) if form.tls is not None else False,
                    timeout=CONNECT_S,
                    command_timeout=STATEMENT_S,
                    min_size=0,
                    max_size=CONNECTIONS,
                    max_inactive_connection_lifetime=60.0,
                    statement_cache_size=0,  # poolers between us and the server know none
                    server_settings={"application_name": "bittern"},
                )
            return self._pool


def _has_password(form: PostgresqlForm) -> bool:
    return form.password_file is not None or form.password_environment is not None


def statement(form: PostgresqlForm) -> str:
    """The server reads the values by the types of the table's columns, rows in their order."""
    names = list(form.columns)
    names += [name for name in (form.document_column, form.id_column) if name is not None]
    columns = ", ".join(quoted(name) for name in names)
    table = f"{quoted(form.schema)}.{quoted(form.table)}"
    # Of quoted identifiers.
    text = (
        f"INSERT INTO {table} ({columns})"  # nosec B608
        f" SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, $1::text::jsonb)"
    )
    if form.id_column is not None:
        text += " ON CONFLICT DO NOTHING"
    return text


def quoted(name: str) -> str:
    """An identifier (PostgreSQL, 4.1.1)."""
    return '"' + name.replace('"', '""') + '"'


def row_of(message: Message, form: PostgresqlForm) -> str:
    """JSON, by the names of columns."""
    row: dict[str, Any] = {
        column: filled(message, f"columns.{column}", text) or None
        for column, text in form.columns.items()
    }
    if form.id_column is not None:
        row[form.id_column] = message.message_id
    text = json.dumps(row)
    if form.document_column is not None:
        document = f"{json.dumps(form.document_column)}:{_document(message.payload)}}}"
        text = text[:-1] + (", " if row else "") + document
    return text


def _document(payload: bytes) -> str:
    try:
        msgspec.json.decode(payload, type=msgspec.Raw)
        return payload.decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return json.dumps(base64.b64encode(payload).decode())


def _told(error: BaseException) -> str:
    """The first line alone: others may quote the row."""
    text = str(error).partition("\n")[0][:200]
    state = getattr(error, "sqlstate", None)
    return f"{text} ({state})" if state else text or type(error).__name__


def check(parameters: Parameters) -> None:
    form = read(parameters, PostgresqlForm)
    url = urlsplit(form.url)
    try:
        fits = url.scheme in ("postgresql", "postgres") and url.hostname and url.port != 0
    except ValueError:
        fits = False
    if not fits or url.username is not None or url.query or len(url.path) < 2:
        raise ValueError("url: postgresql://HOST:PORT/DATABASE")
    names = [*form.columns, form.document_column, form.id_column]
    given = [name for name in names if name is not None]
    if not given:
        raise ValueError("columns: at least one, or documentColumn")
    if len(set(given)) < len(given):
        raise ValueError("columns: documentColumn and idColumn are others")
    for name in (form.schema, form.table, *given):
        if "\0" in name or len(name.encode()) > NAME_BYTES:
            raise ValueError(f"{name!r} is no name of a table or column")
    check_file(form.password_file, "passwordFile")
    check_variable(form.password_environment, "passwordEnvironment")
    if form.tls is not None:
        check_tls(form.tls, "tls")


KIND = Kind(
    name="postgresql",
    check=check,
    templates=lambda parameters: templates(parameters, "columns.*"),
    make=lambda name, parameters, world: PostgresqlOutput(
        name, read(parameters, PostgresqlForm), world
    ),
)
