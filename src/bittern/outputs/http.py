"""`http`: a POST of each message, or of several as a JSON array, to a URL.

Parameters as in AWS IoT Core, "HTTP action". There a URL is used when its owner has confirmed it;
here whoever writes rules is trusted with that, private addresses are allowed (the receiver usually
is next door), and a `url` that is a template must begin with `confirmationUrl` when it is filled
in, so that no message chooses its own receiver. Redirects are not followed. Our own: `auth.bearer`,
and `tls` with authorities and a certificate.

Messages of a device go one after the other, those of several side by side. Batches are made of what
is owed at the time: `maxBatchOpenMs` and `batchAcrossTopics` are taken and change nothing.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.session import Session
from yarl import URL

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.aws_errors import Unreachable
from bittern.outputs.in_order import one_by_one
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

AT_ONCE = 16
ANSWER_BYTES = 64 * 1024
"""Of an answer no more is read; nothing is wanted of it but a word when it refuses."""
CALL_S = aiohttp.ClientTimeout(total=15, connect=5)
LATER = frozenset({408, 425, 429})
ID_HEADER = "Bittern-Message-Id"
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "authorization"})


class _Struct(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"
):
    pass


class Sigv4Form(_Struct, frozen=True, kw_only=True):
    signing_region: str
    service_name: str
    role_arn: str | None = None


class BearerForm(_Struct, frozen=True, kw_only=True):
    """One of both; read for each batch, so that a token can be replaced."""

    token_file: str | None = None
    token_environment: str | None = None


class AuthForm(_Struct, frozen=True, kw_only=True):
    sigv4: Sigv4Form | None = None
    bearer: BearerForm | None = None


class BatchForm(_Struct, frozen=True, kw_only=True):
    max_batch_open_ms: Annotated[int, msgspec.Meta(ge=5, le=200)] = 20
    max_batch_size: Annotated[int, msgspec.Meta(ge=2, le=10)] = 10
    max_batch_size_bytes: Annotated[int, msgspec.Meta(ge=100, le=131_072)] = 5120
    batch_across_topics: bool = False


class HttpForm(Form, frozen=True, kw_only=True):
    url: Annotated[str, msgspec.Meta(max_length=2000)]
    confirmation_url: Annotated[str, msgspec.Meta(max_length=2000)] | None = None
    headers: Annotated[tuple[HeaderForm, ...], msgspec.Meta(max_length=100)] = ()
    auth: AuthForm = AuthForm()
    enable_batching: bool = False
    batch_config: BatchForm = BatchForm()
    tls: TlsForm = TlsForm()


class _Request(NamedTuple):
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    is_json: bool
    message_id: str


class HttpOutput(ServiceOutput):
    def __init__(self, name: str, form: HttpForm, world: Surroundings) -> None:
        super().__init__(name)
        self._form = form
        self._world = world
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, messages: Sequence[Message]) -> Failures:
        session = self._connected()
        authorize = await self._authorization()
        if self._form.enable_batching:
            return await self._send_batches(messages, session, authorize)

        async def send(place: int) -> None:
            await self._post(session, authorize(request_of(messages[place], self._form)))

        return await one_by_one(messages, send, AT_ONCE)

    async def _send_batches(
        self, messages: Sequence[Message], session: aiohttp.ClientSession, authorize: Authorize
    ) -> Failures:
        """Messages of a device are within a batch, or in batches one behind the other."""
        failures: dict[int, DeliveryRejected | DeliveryUnavailable] = {}
        requests: dict[int, _Request] = {}
        for place, message in enumerate(messages):
            try:
                requests[place] = request_of(message, self._form)
            except DeliveryRejected as rejection:
                failures[place] = rejection
        down: DeliveryUnavailable | None = None
        for places in grouped(requests, self._form.batch_config):
            try:
                if down is not None:
                    raise down
                joined = join([requests[place] for place in places])
                await self._post(session, authorize(joined))
            except DeliveryRejected as rejection:
                failures.update(dict.fromkeys(places, rejection))
            except DeliveryUnavailable as unavailable:
                down = unavailable
                failures.update(dict.fromkeys(places, unavailable))
        return failures

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            context: ssl.SSLContext = tls_context(self._world.data_dir, self._form.tls)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context, limit=AT_ONCE * 4),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=CALL_S,
                auto_decompress=False,
            )
        return self._session

    async def _authorization(self) -> Authorize:
        auth = self._form.auth
        if auth.sigv4 is not None:
            profile = self._world.configuration.aws.profile
            return await asyncio.to_thread(_signer, auth.sigv4, profile)
        if auth.bearer is not None:
            bearer = auth.bearer
            data_dir = self._world.data_dir
            token = read_secret(data_dir, bearer.token_file, bearer.token_environment)
            assert token is not None
            return Authorize(bearer=token.expose())
        return Authorize()

    async def _post(self, session: aiohttp.ClientSession, request: _Request) -> None:
        """Raises what became of it."""
        try:
            async with session.post(
                URL(request.url, encoded=True),
                data=request.body,
                headers=request.headers,
                allow_redirects=False,
            ) as answer:
                said = await answer.content.read(ANSWER_BYTES)
                judge(answer.status, said)
        except TimeoutError:
            raise DeliveryUnavailable("no answer in time") from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise Unreachable(str(error.certificate_error)) from None
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(str(error.os_error) or "cannot connect") from None
        except (aiohttp.InvalidURL, ValueError) as error:
            raise DeliveryRejected(f"no request can be made of it: {error}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise DeliveryUnavailable(str(error) or type(error).__name__) from None


class Authorize:
    """Adds to a request what proves who asks. Does not print."""

    def __init__(self, *, bearer: str | None = None, signer: SigV4Auth | None = None) -> None:
        self._bearer = bearer
        self._signer = signer

    def __call__(self, request: _Request) -> _Request:
        if self._bearer is not None:
            header = ("Authorization", f"Bearer {self._bearer}")
            return request._replace(headers=(*request.headers, header))
        if self._signer is None:
            return request
        signed = AWSRequest("POST", request.url, dict(request.headers), request.body)
        self._signer.add_auth(signed)
        return request._replace(headers=tuple(signed.headers.items()))


def _signer(form: Sigv4Form, profile: str | None) -> Authorize:
    """In a thread: credentials may come from an instance's metadata."""
    try:
        found = Session(profile=profile).get_credentials()
        credentials = None if found is None else found.get_frozen_credentials()
    except BotoCoreError as error:
        raise DeliveryUnavailable(f"no credentials of AWS: {error}") from None
    if credentials is None:
        raise DeliveryUnavailable("no credentials of AWS: environment, profile, instance")
    return Authorize(signer=SigV4Auth(credentials, form.service_name, form.signing_region))


def request_of(message: Message, form: HttpForm) -> _Request:
    """Raises `DeliveryRejected` for what no request can be made of."""
    url = filled(message, "url", form.url)
    if form.confirmation_url is not None and not url.startswith(form.confirmation_url):
        raise DeliveryRejected("url does not begin with confirmationUrl")
    headers = headers_of(message, "headers", form.headers)
    try:
        url = str(URL(_checked_url(url)))
        for key, value in headers:
            _check_header(key, value)
    except ValueError as error:
        raise DeliveryRejected(str(error)) from None
    is_json = _is_json(message.payload)
    if not any(key.lower() == "content-type" for key, _ in headers):
        headers.append(("Content-Type", _content_type(is_json=is_json)))
    headers.append((ID_HEADER, message.message_id))
    return _Request(url, tuple(headers), message.payload, is_json, message.message_id)


def grouped(requests: Mapping[int, _Request], limits: BatchForm) -> Iterator[list[int]]:
    """Positions of requests that go together: in a row, alike but for their body and id."""
    batch: list[int] = []
    size = 2
    for place, request in requests.items():
        more = len(request.body) + 1
        if batch and (
            len(batch) == limits.max_batch_size
            or size + more > limits.max_batch_size_bytes
            or not _alike(requests[batch[0]], request)
        ):
            yield batch
            batch, size = [], 2
        batch.append(place)
        size += more
    if batch:
        yield batch


def _alike(one: _Request, other: _Request) -> bool:
    ids = {ID_HEADER}
    return (
        one.is_json
        and other.is_json
        and one.url == other.url
        and [h for h in one.headers if h[0] not in ids]
        == [h for h in other.headers if h[0] not in ids]
    )


def join(requests: Sequence[_Request]) -> _Request:
    """A JSON array, of one message too; what is no JSON goes as it is."""
    first = requests[0]
    if not first.is_json:
        return first
    headers = [(key, value) for key, value in first.headers if key != ID_HEADER]
    headers.append((ID_HEADER, ",".join(request.message_id for request in requests)))
    body = b"[" + b",".join(request.body for request in requests) + b"]"
    return first._replace(headers=tuple(headers), body=body)


def judge(status: int, said: bytes) -> None:
    """Raises what an answer means, with the beginning of what it says."""
    if 200 <= status < 300:
        return
    words = " ".join(said[:200].decode(errors="replace").split())
    told = f"status {status}: {words}" if words else f"status {status}"
    if status in LATER or status >= 500:
        raise DeliveryUnavailable(told)
    if 300 <= status < 400:
        raise DeliveryRejected(f"status {status}: redirects are not followed")
    raise DeliveryRejected(told)


def _is_json(payload: bytes) -> bool:
    try:
        msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _content_type(*, is_json: bool) -> str:
    """As AWS has it."""
    return "application/json" if is_json else "application/octet-stream"


def _checked_url(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError("url: http://HOST/... or https://HOST/...")
    if url.username is not None or url.password is not None:
        raise ValueError("url: no name or password in it; there is auth")
    return text


def _check_header(key: str, value: str) -> None:
    if not _TOKEN.fullmatch(key) or key.lower() in _OURS:
        raise ValueError(f"headers: {key!r} is no header that can be set here")
    if any(character < " " and character != "\t" for character in value) or "\x7f" in value:
        raise ValueError(f"headers: the value of {key} has a control character")


def check(parameters: Parameters) -> None:
    form = read(parameters, HttpForm)
    fixed = form.url.partition("${")[0]
    if form.confirmation_url is not None and not fixed.startswith(form.confirmation_url):
        raise ValueError("url: does not begin with confirmationUrl")
    if fixed == form.url:
        _checked_url(form.url)
    for header in form.headers:
        if "${" not in header.key:
            _check_header(header.key, "" if "${" in header.value else header.value)
    if form.auth.sigv4 is not None and form.auth.bearer is not None:
        raise ValueError("auth: one of sigv4 and bearer")
    if form.auth.bearer is not None:
        _check_bearer(form.auth.bearer)
    check_tls(form.tls, "tls")


def _check_bearer(bearer: BearerForm) -> None:
    if (bearer.token_file is None) == (bearer.token_environment is None):
        raise ValueError("auth.bearer: one of tokenFile and tokenEnvironment")
    check_file(bearer.token_file, "auth.bearer.tokenFile")
    check_variable(bearer.token_environment, "auth.bearer.tokenEnvironment")


KIND = Kind(
    name="http",
    check=check,
    templates=lambda parameters: templates(parameters, "url", "headers.*.key", "headers.*.value"),
    make=lambda name, parameters, world: HttpOutput(name, read(parameters, HttpForm), world),
)
