"""`republish`: to a topic of the server's own broker, or of another that the action names.

Through the server's own broker every message has quality of service 1, since an uplink is never
sent on less surely than it came, and no properties: subscribers there speak MQTT 3.1.1. A broker
that the action names gets the quality of service that was asked for, and MQTT 5 when there are
`headers`. That broker may be AWS IoT Core, by its certificate: ``mqtts://…-ats.iot.….com:8883``, or
port 443; it is known by its name, or by ``iotCore`` where it has a domain of one's own, and what is
beyond its limits is rejected here. Files are read for each connection anew: a certificate can be
renewed under way. Parameters as in AWS IoT Core, "Republish"; `broker` is our own.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import msgspec

from bittern.config import Secret
from bittern.errors import DeliveryError, DeliveryRejected, DeliveryUnavailable
from bittern.outputs import iot_core
from bittern.outputs.kinds import Kind, Parameters, Surroundings
from bittern.outputs.mqtt.client import MqttSettings
from bittern.outputs.mqtt.output import MqttOutput
from bittern.outputs.mqtt.packets import LEVEL_3_1_1, LEVEL_5
from bittern.outputs.mqtt.v5 import Properties, no_properties
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
from bittern.outputs.port import NO_FAILURES, Failures, Health, Message, Output
from bittern.outputs.routing import checked_topic

RESERVED = "$aws/"
"""Topics of the server's own broker that only the server itself publishes to."""
LONGEST_EXPIRY_S = 2**32 - 1


class HeadersForm(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"
):
    """Properties of MQTT 5; all are templates."""

    payload_format_indicator: str | None = None
    """UNSPECIFIED_BYTES or UTF8_DATA."""
    content_type: str | None = None
    response_topic: str | None = None
    correlation_data: str | None = None
    """In base64."""
    message_expiry: str | None = None
    """Seconds."""
    user_properties: tuple[HeaderForm, ...] = ()


class BrokerForm(TlsForm, frozen=True, kw_only=True, rename="camel"):
    """A broker. Files are in the folder of secrets."""

    url: str
    """``mqtt://HOST:PORT`` or ``mqtts://HOST:PORT``."""
    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    """Two actions at one broker need two: a broker closes the first when the second comes."""
    username: str | None = None
    password_file: str | None = None
    password_environment: str | None = None
    iot_core: bool = False
    """AWS IoT Core at a domain of one's own; at AWS's it is known by its name."""

    @property
    def is_iot_core(self) -> bool:
        return self.iot_core or iot_core.is_host(urlsplit(self.url).hostname or "")


class RepublishForm(Form, frozen=True, kw_only=True):
    topic: str
    """``$$`` at its beginning is ``$``, as in AWS."""
    qos: Literal[0, 1] = 0
    headers: HeadersForm | None = None
    broker: BrokerForm | None = None


class OwnBrokerOutput:
    """The server's own broker as an `Output`; it is entered and left by the server, not here."""

    def __init__(self, name: str, form: RepublishForm, broker: Output) -> None:
        self.name = name
        self._form = form
        self._broker = broker
        self._delivered = 0
        self._rejected = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def publish(self, messages: Sequence[Message]) -> Failures:
        ready, places, failures = addressed(messages, self._form, own=True)
        if ready:
            for place, failure in (await self._broker.publish(ready)).items():
                failures[places[place]] = failure
        rejected = sum(isinstance(failure, DeliveryRejected) for failure in failures.values())
        self._rejected += rejected
        self._delivered += len(messages) - len(failures)
        return failures or NO_FAILURES

    def health(self) -> Health:
        return self._broker.health()

    def statistics(self) -> dict[str, int]:
        return {"delivered": self._delivered, "rejected": self._rejected}


class NamedBrokerOutput:
    """A broker that the action names. Its files are read when the output is entered, and again
    before each batch until they can be: a server starts without them."""

    def __init__(self, name: str, form: RepublishForm, world: Surroundings) -> None:
        self.name = name
        self._form = form
        self._world = world
        self._mqtt: MqttOutput | None = None
        self._reason = "not connected yet"
        self._rejected = 0

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except DeliveryUnavailable as unavailable:
            self._reason = unavailable.reason
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._mqtt is not None:
            await self._mqtt.__aexit__(kind, error, trace)

    async def publish(self, messages: Sequence[Message]) -> Failures:
        mqtt = self._mqtt or await self._start()
        ready, places, failures = addressed(messages, self._form, own=False)
        if ready:
            for place, failure in (await mqtt.publish(ready)).items():
                failures[places[place]] = failure
        self._rejected += sum(isinstance(why, DeliveryRejected) for why in failures.values())
        return failures or NO_FAILURES

    def health(self) -> Health:
        return Health(False, self._reason) if self._mqtt is None else self._mqtt.health()

    def statistics(self) -> dict[str, int]:
        counts = dict(self._mqtt.statistics()) if self._mqtt else {}
        return counts | {"rejected": self._rejected}

    async def _start(self) -> MqttOutput:
        renewed = partial(broker_settings, self._form, self._world)
        output = MqttOutput(renewed(), self._world.chance, self.name, renewed=renewed)
        await output.__aenter__()
        self._mqtt = output
        return output


def addressed(
    messages: Sequence[Message], form: RepublishForm, *, own: bool
) -> tuple[list[Message], list[int], dict[int, DeliveryError]]:
    """Those that have a topic to go to, their positions, and what is wrong with the others."""
    ready: list[Message] = []
    places: list[int] = []
    failures: dict[int, DeliveryError] = {}
    for place, message in enumerate(messages):
        try:
            topic = topic_of(filled(message, "topic", form.topic), own=own)
            if form.broker is not None and form.broker.is_iot_core:
                iot_core.check_topic(topic)
                iot_core.check_payload(message.payload)
            if form.headers is not None:
                properties_of(message, form.headers)
        except DeliveryRejected as rejection:
            failures[place] = rejection
        else:
            places.append(place)
            ready.append(msgspec.structs.replace(message, topic=topic))
    return ready, places, failures


def topic_of(text: str, *, own: bool) -> str:
    """Raises `DeliveryRejected` for what is no topic, or one of the server's own."""
    topic = checked_topic(text.removeprefix("$") if text.startswith("$$") else text)
    if own and topic.startswith(RESERVED):
        raise DeliveryRejected(f"topic {topic!r} is reserved; a rule does not publish to it")
    return topic


def properties_of(message: Message, headers: HeadersForm) -> bytes:
    """Encoded. Raises `DeliveryRejected` for what cannot be."""

    def text(name: str, given: str | None) -> str | None:
        return None if given is None else filled(message, f"headers.{name}", given)

    try:
        return Properties(
            utf8=_utf8(text("payloadFormatIndicator", headers.payload_format_indicator)),
            expiry_s=_expiry(text("messageExpiry", headers.message_expiry)),
            content_type=text("contentType", headers.content_type),
            response_topic=text("responseTopic", headers.response_topic),
            correlation=_correlation(text("correlationData", headers.correlation_data)),
            user=(
                *headers_of(message, "headers.userProperties", headers.user_properties),
                ("Bittern-Message-Id", message.message_id),
            ),
        ).encode()
    except ValueError as error:
        raise DeliveryRejected(f"headers: {error}") from None


def _utf8(text: str | None) -> bool | None:
    if text is None:
        return None
    if text not in ("UNSPECIFIED_BYTES", "UTF8_DATA"):
        raise ValueError("payloadFormatIndicator is UNSPECIFIED_BYTES or UTF8_DATA")
    return text == "UTF8_DATA"


def _expiry(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:11]) <= LONGEST_EXPIRY_S):
        raise ValueError(f"messageExpiry is a number of seconds up to {LONGEST_EXPIRY_S}")
    return int(text)


def _correlation(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("correlationData is not base64") from None


def broker_settings(form: RepublishForm, world: Surroundings) -> MqttSettings:
    """Of the broker that the action names. Raises `DeliveryUnavailable` for files it lacks."""
    broker, headers = form.broker, form.headers
    assert broker is not None
    url = urlsplit(broker.url)
    secure, host = url.scheme == "mqtts", url.hostname or ""
    port = url.port or (8883 if secure else 1883)
    password = read_secret(world.data_dir, broker.password_file, broker.password_environment)
    alpn = iot_core.ALPN if port == iot_core.ALPN_PORT else None
    return MqttSettings(
        host=host,
        port=port,
        client_id=broker.client_id,
        username=broker.username,
        password=_encoded(password),
        tls=tls_context(world.data_dir, broker, alpn=alpn) if secure else None,
        level=LEVEL_3_1_1 if headers is None else LEVEL_5,
        qos=form.qos,
        properties=no_properties
        if headers is None
        else lambda message: properties_of(message, headers),
        under_way=iot_core.UNDER_WAY if broker.is_iot_core else 1000,
        per_s=iot_core.PER_S if broker.is_iot_core else 0,
    )


def _encoded(secret: Secret | None) -> bytes | None:
    return None if secret is None else secret.expose().encode()


def check(parameters: Parameters) -> None:
    form = read(parameters, RepublishForm)
    if "${" not in form.topic:
        try:
            topic = topic_of(form.topic, own=form.broker is None)
            if form.broker is not None and form.broker.is_iot_core:
                iot_core.check_topic(topic)
        except DeliveryRejected as rejection:
            raise ValueError(f"topic: {rejection.reason}") from None
    if form.headers is not None:
        _check_headers(parameters, form.headers)
    if form.broker is not None:
        check_broker(form.broker)


def _check_headers(parameters: Parameters, headers: HeadersForm) -> None:
    """What is no template can be judged now."""
    given = templates(parameters, *_HEADERS)
    if any("${" in text for text in given.values()):
        return
    try:
        properties_of(Message("", b""), headers)
    except DeliveryRejected as rejection:
        raise ValueError(rejection.reason) from None


def check_broker(broker: BrokerForm) -> None:
    """Raises ValueError."""
    url = urlsplit(broker.url)
    if url.scheme not in ("mqtt", "mqtts") or not url.hostname or url.path not in ("", "/"):
        raise ValueError("broker.url: mqtt://HOST:PORT or mqtts://HOST:PORT")
    if url.username or url.password:
        raise ValueError("broker.url: no name or password in it; there is passwordFile")
    try:
        url.port  # noqa: B018 - it judges when it is read
    except ValueError:
        raise ValueError("broker.url: the port is a number up to 65535") from None
    has_password = broker.password_file or broker.password_environment
    if has_password and broker.username is None:
        raise ValueError("broker.username: a password needs a name")
    if broker.is_iot_core and url.scheme == "mqtt":
        raise ValueError("broker.url: AWS IoT Core speaks mqtts:// only")
    if broker.is_iot_core and len(broker.client_id.encode()) > iot_core.CLIENT_ID_BYTES:
        raise ValueError(f"broker.clientId: at most {iot_core.CLIENT_ID_BYTES} bytes")
    if broker.certificate and url.scheme == "mqtt":
        raise ValueError("broker.certificate: only with mqtts://")
    check_tls(broker, "broker")
    check_file(broker.password_file, "broker.passwordFile")
    check_variable(broker.password_environment, "broker.passwordEnvironment")


_HEADERS = (
    "headers.payloadFormatIndicator",
    "headers.contentType",
    "headers.responseTopic",
    "headers.correlationData",
    "headers.messageExpiry",
    "headers.userProperties.*.key",
    "headers.userProperties.*.value",
)


def make(name: str, parameters: Parameters, world: Surroundings) -> Output:
    form = read(parameters, RepublishForm)
    if form.broker is None:
        return OwnBrokerOutput(name, form, world.broker)
    return NamedBrokerOutput(name, form, world)


KIND = Kind(
    name="republish",
    check=check,
    templates=lambda parameters: templates(parameters, "topic", *_HEADERS),
    make=make,
)
