"""`kafka`: records of a topic of Apache Kafka, or what speaks its protocol.

Parameters as in AWS IoT Core, "Apache Kafka": `clientProperties` has the names of Kafka's own
configuration, of which those below are known here; `destinationArn` is taken and not used. Secrets
stand in no rule: `passwordFile` or `passwordEnvironment`, beside them, are our own.

A record has arrived when all replicas that are in step have it, and the producer is idempotent: a
record that it sends again is stored once, in its place. Records of a partition keep their order;
the key is the device unless the action says otherwise, so those of a device share one.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from aiokafka.conn import collect_hosts, create_conn  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    InvalidMessageError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)

from bittern.errors import DeliveryError, DeliveryRejected, DeliveryUnavailable
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

START_S = 10.0
PROBE_S = 5.0
"""To learn why there is no connection."""
REQUEST_MS = 10_000
RETRY_MS = 300
RECORD_BYTES = 1024 * 1024
ID_HEADER = "Bittern-Message-Id"
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_REJECTING = (
    InvalidMessageError,
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
_Text = Annotated[str, msgspec.Meta(min_length=1)]

# At a broker that is away it tells each of its attempts, dozens in a second, as an error. Why
# messages are not delivered is told by whoever carries them.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


class ClientForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Properties of Kafka's own clients, as texts, as AWS has them."""

    bootstrap_servers: _Text = msgspec.field(name="bootstrap.servers")
    acks: str = "all"
    security_protocol: str = msgspec.field(name="security.protocol", default="PLAINTEXT")
    sasl_mechanism: str = msgspec.field(name="sasl.mechanism", default="SCRAM-SHA-512")
    sasl_username: str | None = msgspec.field(name="sasl.username", default=None)
    compression_type: str = msgspec.field(name="compression.type", default="none")


class KafkaForm(Form, frozen=True, kw_only=True):
    topic: _Text
    client_properties: ClientForm
    destination_arn: str | None = None
    key: str | None = None
    partition: str | None = None
    headers: Annotated[tuple[HeaderForm, ...], msgspec.Meta(max_length=100)] = ()
    password_file: str | None = None
    password_environment: str | None = None
    tls: TlsForm = TlsForm()


class KafkaOutput(ServiceOutput):
    def __init__(self, name: str, form: KafkaForm, world: Surroundings) -> None:
        super().__init__(name)
        self._form = form
        self._world = world
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()
        self._connections = 0

    def statistics(self) -> Mapping[str, int]:
        return {**super().statistics(), "connections": self._connections}

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)

    async def send(self, messages: Sequence[Message]) -> Failures:
        producer = await self._connected()
        failures: dict[int, DeliveryError] = {}
        under_way: dict[int, asyncio.Future[Any]] = {}
        try:
            for place, message in enumerate(messages):
                try:
                    under_way[place] = await producer.send(**self._record(message))
                except DeliveryRejected as rejection:
                    failures[place] = rejection
                except _REJECTING as error:
                    failures[place] = DeliveryRejected(_told(error))
                except AssertionError as error:
                    # aiokafka's word for a partition that the topic has not.
                    failures[place] = DeliveryRejected(str(error) or "no such partition")
            if under_way:
                await asyncio.wait(under_way.values())
        except KafkaError as error:
            raise DeliveryUnavailable(_told(error)) from None
        for place, future in under_way.items():
            if (cause := future.exception()) is not None:
                failures[place] = failure_of(cause)
        await self._begin_again(producer, failures)
        return failures

    async def _begin_again(
        self, producer: AIOKafkaProducer, failures: Mapping[int, DeliveryError]
    ) -> None:
        """After a record that came to nothing an idempotent producer may go on with none."""
        if any(isinstance(failure, DeliveryUnavailable) for failure in failures.values()):
            async with self._connecting:
                if self._producer is producer:
                    self._producer = None
                    await _stop(producer)

    def _record(self, message: Message) -> dict[str, Any]:
        form = self._form
        topic = filled(message, "topic", form.topic)
        if not _TOPIC.fullmatch(topic) or topic in (".", ".."):
            raise DeliveryRejected(f"{topic[:100]!r} is no topic")
        key: str | None = str(message.device) if message.device is not None else None
        if form.key is not None:
            key = filled(message, "key", form.key)
        headers = [(ID_HEADER, message.message_id), *headers_of(message, "headers", form.headers)]
        return {
            "topic": topic,
            "value": message.payload,
            "key": None if key is None else key.encode(),
            "partition": None
            if form.partition is None
            else _partition(filled(message, "partition", form.partition)),
            "headers": [(name, value.encode()) for name, value in headers],
        }

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                producer = self._make()
                try:
                    async with asyncio.timeout(START_S):
                        await producer.start()
                except (KafkaError, OSError, TimeoutError) as error:
                    await _stop(producer)
                    raise DeliveryUnavailable(await self._why(error)) from None
                self._producer = producer
                self._connections += 1
            return self._producer

    async def _why(self, error: BaseException) -> str:
        """aiokafka says that it found no broker, and keeps to itself what each of them said."""
        servers = self._form.client_properties.bootstrap_servers.split(",")
        host, port, _ = collect_hosts(servers, randomize=False)[0]
        try:
            async with asyncio.timeout(PROBE_S):
                connection = await create_conn(
                    host, port, request_timeout_ms=REQUEST_MS, **self._way()
                )
                connection.close()
        except TimeoutError:
            pass
        except (KafkaError, OSError) as cause:
            return _told(cause)
        return _told(error)

    def _make(self) -> AIOKafkaProducer:
        client = self._form.client_properties
        return AIOKafkaProducer(
            bootstrap_servers=client.bootstrap_servers.split(","),
            client_id="bittern",
            acks="all",
            enable_idempotence=True,
            compression_type=None if client.compression_type == "none" else client.compression_type,
            linger_ms=0,
            request_timeout_ms=REQUEST_MS,
            retry_backoff_ms=RETRY_MS,
            max_request_size=RECORD_BYTES,
            **self._way(),
        )

    def _way(self) -> dict[str, Any]:
        """How a broker is reached; secrets are read each time."""
        form, data_dir = self._form, self._world.data_dir
        client = form.client_properties
        password = read_secret(data_dir, form.password_file, form.password_environment)
        context: ssl.SSLContext | None = None
        if client.security_protocol.endswith("SSL"):
            context = tls_context(data_dir, form.tls)
        login: dict[str, Any] = {}
        if client.security_protocol.startswith("SASL") and password is not None:
            login = {
                "sasl_mechanism": client.sasl_mechanism,
                "sasl_plain_username": client.sasl_username,
                "sasl_plain_password": password.expose(),
            }
        return {"security_protocol": client.security_protocol, "ssl_context": context, **login}


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(START_S):
            await producer.stop()
    except (KafkaError, OSError, TimeoutError) as error:
        logging.getLogger(__name__).debug("kafka producer did not stop: %s", error)


def _partition(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise DeliveryRejected(f"{text[:40]!r} is no partition")
    return int(text)


def failure_of(error: BaseException) -> DeliveryError:
    if isinstance(error, _REJECTING):
        return DeliveryRejected(_told(error))
    return DeliveryUnavailable(_told(error))


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]


def check(parameters: Parameters) -> None:
    form = read(parameters, KafkaForm)
    client = form.client_properties
    if "${" not in form.topic and not _TOPIC.fullmatch(form.topic):
        raise ValueError("topic: letters, digits, '.', '_' and '-'")
    for server in client.bootstrap_servers.split(","):
        if not re.fullmatch(r"[^\s:/]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}", server):
            raise ValueError("clientProperties.bootstrap.servers: HOST:PORT,HOST:PORT")
    if client.acks not in ("all", "-1"):
        raise ValueError("clientProperties.acks: all; with less, messages could be lost")
    if client.security_protocol not in PROTOCOLS:
        raise ValueError(f"clientProperties.security.protocol: one of {', '.join(PROTOCOLS)}")
    if client.sasl_mechanism not in MECHANISMS:
        raise ValueError(f"clientProperties.sasl.mechanism: one of {', '.join(MECHANISMS)}")
    if client.compression_type not in ("none", "gzip"):
        raise ValueError("clientProperties.compression.type: none or gzip")
    _check_login(form)


def _check_login(form: KafkaForm) -> None:
    has_password = form.password_file is not None or form.password_environment is not None
    with_sasl = form.client_properties.security_protocol.startswith("SASL")
    complete = has_password and form.client_properties.sasl_username is not None
    if with_sasl != complete:
        raise ValueError("SASL needs sasl.username and passwordFile or passwordEnvironment")
    check_file(form.password_file, "passwordFile")
    check_variable(form.password_environment, "passwordEnvironment")
    check_tls(form.tls, "tls")


KIND = Kind(
    name="kafka",
    check=check,
    templates=lambda parameters: templates(
        parameters, "topic", "key", "partition", "headers.*.key", "headers.*.value"
    ),
    make=lambda name, parameters, world: KafkaOutput(name, read(parameters, KafkaForm), world),
)
