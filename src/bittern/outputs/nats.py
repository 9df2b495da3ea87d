"""`nats`: to a subject of a NATS server, or a stream of JetStream. Our own.

Without JetStream a message has arrived when the server has it (it answers a ping behind it); NATS
then gives it to who is subscribed, and to nobody else. With JetStream it has arrived when its
stream has stored it; `Nats-Msg-Id` lets the stream drop a second copy. Messages go out in their
order on one connection; to a stream, the next of a device goes when the one before it is stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.errors import Error

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.in_order import Fates, in_waves
from bittern.outputs.jetstream import Sending, Streams, not_allowed
from bittern.outputs.kinds import Kind, Parameters, Surroundings
from bittern.outputs.parameters import (
    Form,
    HeaderForm,
    TlsForm,
    check_file,
    check_tls,
    check_variable,
    filled,
    headers_of,
    read,
    read_secret,
    templates,
    tls_context,
)
from bittern.outputs.port import Failures, Message
from bittern.outputs.service import ServiceOutput

CONNECT_S = 5
ANSWER_S = 20.0
"""For a batch to a stream, or for a ping."""
CLOSE_S = 1.0
SUBJECT_BYTES = 4096 - 512
"""A line of the protocol has at most 4096 bytes."""
ID_HEADER = "Nats-Msg-Id"
EXPECTED_HEADER = "Nats-Expected-Stream"
HEADER_ROOM = 256
"""Bytes of headers that the library adds: the server counts them."""
_SUBJECT = re.compile(r"[^\s.*>$\x00-\x1f][^\s.*>\x00-\x1f]*(\.[^\s.*>\x00-\x1f]+)*")
_HEADER = re.compile(r"[!-9;-~]{1,256}")
_DENIED = re.compile(r'permissions violation for publish to "([^"]*)"', re.IGNORECASE)
_REMEMBERED = 1000


class NatsForm(Form, frozen=True, kw_only=True):
    servers: tuple[str, ...]
    """``nats://HOST:PORT`` or ``tls://HOST:PORT``; any of a cluster."""
    subject: str
    """A template."""
    jet_stream: bool = False
    stream: str | None = None
    """With `jetStream`: a message that another stream would take is refused."""
    headers: tuple[HeaderForm, ...] = ()
    username: str | None = None
    password_file: str | None = None
    password_environment: str | None = None
    token_file: str | None = None
    token_environment: str | None = None
    tls: TlsForm | None = None


class NatsOutput(ServiceOutput):
    def __init__(self, name: str, form: NatsForm, world: Surroundings) -> None:
        super().__init__(name)
        self._form = form
        self._world = world
        self._client: Client | None = None
        self._streams: Streams | None = None
        self._lost = asyncio.Event()
        self._connecting = asyncio.Lock()
        self._denied: dict[str, None] = {}
        self._connections = 0

    def statistics(self) -> dict[str, int]:
        return {**super().statistics(), "connections": self._connections}

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            self._lost.set()
            await _let_go(client)

    async def send(self, messages: Sequence[Message]) -> Failures:
        client = await self._connected()
        try:
            if self._streams is not None:
                return await self._store(client, self._streams, messages)
            return await self._say(client, messages)
        except (Error, OSError, TimeoutError) as error:
            # A connection that is not sound is not used again.
            if self._client is client:
                await self.close()
            raise DeliveryUnavailable(_told(error)) from None

    async def _say(self, client: Client, messages: Sequence[Message]) -> Failures:
        failures: Fates = {}
        lost = self._lost
        subjects: dict[int, str] = {}
        for place, message in enumerate(messages):
            try:
                subject, headers = self._addressed(message, client)
                await client.publish(subject, message.payload, headers=headers or None)
                subjects[place] = subject
            except DeliveryRejected as rejection:
                failures[place] = rejection
        await _taken(client, lost)
        # The server complains of a message before it answers a ping behind it.
        for place, subject in subjects.items():
            if subject.casefold() in self._denied:
                failures[place] = not_allowed(subject)
        return failures

    async def _store(
        self, client: Client, streams: Streams, messages: Sequence[Message]
    ) -> Failures:
        """Each of a device when the one before it is stored."""
        until = _now() + ANSWER_S

        async def wave(places: Sequence[int]) -> Fates:
            fates: Fates = {}
            sendings: dict[int, Sending] = {}
            for place in places:
                try:
                    subject, headers = self._addressed(messages[place], client)
                    if self._form.stream is not None:
                        headers[EXPECTED_HEADER] = self._form.stream
                    sendings[place] = Sending(subject, messages[place].payload, headers)
                except DeliveryRejected as rejection:
                    fates[place] = rejection
            return fates | await streams.store(sendings, max(until - _now(), 0.0))

        return await in_waves(messages, wave)

    def _addressed(self, message: Message, client: Client) -> tuple[str, dict[str, str]]:
        """Subject and headers. Raises `DeliveryRejected`."""
        subject = checked_subject(filled(message, "subject", self._form.subject))
        headers = {ID_HEADER: message.message_id} if message.message_id else {}
        for key, value in headers_of(message, "headers", self._form.headers):
            _check_header(key, value)
            headers[key] = value
        size = len(message.payload) + HEADER_ROOM
        size += sum(len(key) + len(value.encode()) + 4 for key, value in headers.items())
        if size > client.max_payload:
            told = f"larger than the {client.max_payload} bytes that the server takes"
            raise DeliveryRejected(told)
        return subject, headers

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._client is None or not self._client.is_connected:
                await self.close()
                self._denied.clear()
                self._lost = asyncio.Event()
                self._client = await self._connect(self._lost)
                self._connections += 1
            return self._client

    async def _connect(self, lost: asyncio.Event) -> Client:
        form = self._form
        options: dict[str, Any] = {}
        data_dir = self._world.data_dir
        password = read_secret(data_dir, form.password_file, form.password_environment)
        token = read_secret(data_dir, form.token_file, form.token_environment)
        if form.username is not None and password is not None:
            options |= {"user": form.username, "password": password.expose()}
        if token is not None:
            options["token"] = token.expose()
        if _wants_tls(form):
            options["tls"] = tls_context(data_dir, form.tls or TlsForm())

        async def closed() -> None:
            lost.set()

        client = Client()
        try:
            async with asyncio.timeout(CONNECT_S * 2):
                await client.connect(
                    list(form.servers),
                    name="bittern",
                    allow_reconnect=False,
                    reconnect_time_wait=0,
                    max_reconnect_attempts=1,
                    connect_timeout=CONNECT_S,
                    error_cb=self._complained,
                    closed_cb=closed,
                    disconnected_cb=closed,
                    **options,
                )
                if form.jet_stream:
                    self._streams = await Streams(client, lost, self._denied).listen()
            return client
        except (Error, OSError, TimeoutError) as error:
            await _let_go(client)
            raise DeliveryUnavailable(_told(error)) from None

    async def _complained(self, error: Exception) -> None:
        """What the server says on its own account."""
        if found := _DENIED.search(str(error)):
            if len(self._denied) >= _REMEMBERED:
                self._denied.clear()
            subject = found[1].casefold()
            self._denied[subject] = None
            if self._streams is not None:
                self._streams.refuse(subject)


async def _let_go(client: Client) -> None:
    """A server that went away amid TLS says no farewell; it is not waited for."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_S):
            await client.close()


async def _taken(client: Client, lost: asyncio.Event) -> None:
    """Until the server has everything. Raises `DeliveryUnavailable`."""
    flushed = asyncio.ensure_future(_flushed(client))
    # The library goes on waiting for the answer of a connection that has ended.
    end = asyncio.ensure_future(lost.wait())
    try:
        await asyncio.wait((flushed, end), return_when=asyncio.FIRST_COMPLETED)
        if not flushed.done():
            raise DeliveryUnavailable("the connection ended before the server's answer")
        flushed.result()
    finally:
        for task in (flushed, end):
            task.cancel()
        await asyncio.gather(flushed, end, return_exceptions=True)


async def _flushed(client: Client) -> None:
    """A ping overtakes what still waits to be written."""
    await client.flush(int(ANSWER_S))
    while client.pending_data_size:
        await client.flush(int(ANSWER_S))
    await client.flush(int(ANSWER_S))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _told(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def checked_subject(text: str) -> str:
    """One that a message can be published to, and no command to the server (``$JS…``, ``$SYS…``).

    Raises `DeliveryRejected`.
    """
    if not _SUBJECT.fullmatch(text) or len(text.encode()) > SUBJECT_BYTES:
        raise DeliveryRejected(f"{text[:100]!r} is no subject to publish to")
    return text


def _check_header(key: str, value: str) -> None:
    if not _HEADER.fullmatch(key) or key == ID_HEADER or not value.isprintable():
        raise DeliveryRejected(f"headers: {key!r} cannot be set so")


def _wants_tls(form: NatsForm) -> bool:
    return form.tls is not None or any(url.startswith("tls:") for url in form.servers)


def check(parameters: Parameters) -> None:
    form = read(parameters, NatsForm)
    if not form.servers:
        raise ValueError("servers: at least one")
    for server in form.servers:
        url = urlsplit(server)
        if url.scheme not in ("nats", "tls") or not url.hostname or url.username is not None:
            raise ValueError("servers: nats://HOST:PORT or tls://HOST:PORT")
    try:
        if "${" not in form.subject:
            checked_subject(form.subject)
        for header in form.headers:
            if "${" not in header.key + header.value:
                _check_header(header.key, header.value)
    except DeliveryRejected as rejection:
        raise ValueError(rejection.reason) from None
    if form.stream is not None and not form.jet_stream:
        raise ValueError("stream: only with jetStream")
    _check_login(form)


def _check_login(form: NatsForm) -> None:
    has_password = form.password_file is not None or form.password_environment is not None
    if has_password != (form.username is not None):
        raise ValueError("username: it comes with passwordFile or passwordEnvironment")
    check_file(form.password_file, "passwordFile")
    check_variable(form.password_environment, "passwordEnvironment")
    check_file(form.token_file, "tokenFile")
    check_variable(form.token_environment, "tokenEnvironment")
    if form.tls is not None:
        check_tls(form.tls, "tls")


KIND = Kind(
    name="nats",
    check=check,
    templates=lambda parameters: templates(
        parameters, "subject", "headers.*.key", "headers.*.value"
    ),
    make=lambda name, parameters, world: NatsOutput(name, read(parameters, NatsForm), world),
)
