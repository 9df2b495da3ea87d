"""Every setting, typed, with its default. The text below a field is its documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta

from bittern.types import NetID

Port = Annotated[int, Meta(ge=0, le=65535)]
Milliseconds = Annotated[int, Meta(ge=0, le=60_000)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Count = Annotated[int, Meta(ge=1, le=10_000_000)]
HOST_NAME = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$"
VERSION = r"^\d+\.\d+\.\d+$"
HostName = Annotated[str, Meta(pattern=HOST_NAME)]
Version = Annotated[str, Meta(pattern=VERSION)]
REGION = r"^[a-z][a-z0-9-]{0,62}$"
ENDPOINT = r"^https?://[^/@?#\s]+(/[^?#\s]*)?$"
Endpoint = Annotated[str, Meta(pattern=ENDPOINT)]
TOPIC = r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$"
FUNCTION = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
FunctionName = Annotated[str, Meta(pattern=FUNCTION)]
JOIN_EUI_RANGE = r"^[0-9A-Fa-f]{16}(-[0-9A-Fa-f]{16})?$"
JoinEuiRange = Annotated[str, Meta(pattern=JOIN_EUI_RANGE)]
JOIN_SERVER = r"^https://[^/@?#\s]+(/[^?#\s]*)?$"
JoinServerUri = Annotated[str, Meta(pattern=JOIN_SERVER)]
PATTERNS = {
    JOIN_EUI_RANGE: "a JoinEUI, or FIRST-LAST of two",
    JOIN_SERVER: "an address like https://HOST:PORT, without a user",
    FUNCTION: "a name of letters, digits, - and _",
    HOST_NAME: "a host name",
    VERSION: "a version like 2.0.6",
    REGION: "a region like eu-west-1",
    TOPIC: "levels of a topic, of letters, digits, _, . and -",
    ENDPOINT: "an address like https://HOST:PORT, without a user",
}
"""How a person is told of each pattern."""

ENVIRONMENT_PREFIX = "BITTERN_"


class Secret:
    """Text that does not print. ``expose`` is for whoever hands it to its receiver."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def expose(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """What all listeners share."""

    bind: str = "127.0.0.1"
    """Address to listen on; ``0.0.0.0`` or ``::`` for every network this machine is in."""
    names: tuple[HostName, ...] = ()
    """Names by which gateways and clients reach this server. They enter its certificate, beside
    ``localhost``, ``127.0.0.1`` and the machine's own name."""
    core_dumps: bool = False
    """Let the system write core dumps and debuggers attach, to look for a fault. Every key that
    the server has in use is in a core dump, in the clear."""


class Api(msgspec.Struct, frozen=True, kw_only=True):
    """The API and the console."""

    host: str | None = None
    """Address to listen on, where it differs from ``server.bind``."""
    port: Port = 8080
    """Port to listen on; 0 takes a free one."""
    tls: bool = False
    """Speak HTTPS, with the server's own certificate, of the authority that `bittern ca show --pem`
    prints. Without it answers, with keys of devices in them, can be read on the way."""
    certificate: Path | None = None
    """PEM file of a certificate to show instead, with what leads from it to its authority. Needs
    ``api.key`` and ``api.tls``; the file is read again every hour."""
    key: Path | None = None
    """PEM file of the key of ``api.certificate``."""
    region: Annotated[str, Meta(pattern=REGION)] = "us-east-1"
    """Of the names that resources have in the AWS API. Clients may sign for any."""
    max_body_bytes: Annotated[int, Meta(ge=65_536, le=16_777_216)] = 1_048_576
    """Longest body of a request."""
    request_timeout_s: Seconds = 30.0
    """A request whose body is not complete by then is refused."""
    requests: Annotated[int, Meta(ge=1, le=10_000)] = 256
    """Requests worked on at the same time; more are told to come again."""
    requests_per_second: Annotated[float, Meta(ge=1, le=100_000)] = 2000.0
    """Of one account, by all its access keys together, in the long run. Five times as many may come
    at once; more are told to come again (``ThrottlingException``)."""
    failures_per_minute: Annotated[float, Meta(gt=0, le=60_000)] = 60.0
    """Requests of one address that may be signed wrongly. After more it is not listened to for a
    while."""


class Lns(msgspec.Struct, frozen=True, kw_only=True):
    """The gateways' front end: the LNS protocol of Basics Station over TLS."""

    host: str | None = None
    """Address to listen on, where it differs from ``server.bind``."""
    port: Port = 8887
    """Port to listen on; 0 takes a free one."""
    uri: str | None = None
    """What discovery tells a gateway to connect to, ``wss://NAME:PORT``, where that differs from
    the name and port it came in by: behind a port forwarding or a load balancer."""
    max_message_bytes: Annotated[int, Meta(ge=1024, le=16_777_216)] = 65_536
    """Longest message taken from a gateway. A longer one ends the connection."""
    malformed_per_minute: Annotated[int, Meta(ge=1, le=60_000)] = 60
    """Malformed messages that a gateway may send within a minute before it is disconnected."""
    handshake_timeout_s: Seconds = 10.0
    """A connection that is not an established websocket by then is closed."""
    handshakes: Annotated[int, Meta(ge=1, le=10_000)] = 128
    """TLS handshakes under way at the same time, half of them by one address. Who comes meanwhile
    waits its turn: when thousands of gateways come back at once, none of them is too late."""
    messages_per_second: Annotated[float, Meta(ge=1, le=100_000)] = 1000.0
    """How fast the server reads from one gateway. Ten times as much may come at once; what comes
    faster waits at the gateway."""
    ping_interval_s: Seconds = 30.0
    """Pause between pings: the gateway itself never pings."""
    ping_timeout_s: Seconds = 20.0
    """A ping not answered by then means that the gateway is gone."""
    minimum_station: Version = "2.0.4"
    """Oldest version of Basics Station that may connect."""


class Cups(msgspec.Struct, frozen=True, kw_only=True):
    """The gateways' configuration and update server (CUPS) of Basics Station."""

    host: str | None = None
    """Address to listen on, where it differs from ``server.bind``."""
    port: Port = 8443
    """Port to listen on; 0 takes a free one."""
    uri: str | None = None
    """How gateways reach it, ``https://NAME:PORT``, where that differs from the first of
    ``server.names`` with ``cups.port``."""
    request_timeout_s: Seconds = 30.0
    """A request that is not complete by then is dropped."""
    requests_per_minute: Annotated[float, Meta(gt=0, le=60_000)] = 30.0
    """Of one gateway; more are refused."""


class Certificates(msgspec.Struct, frozen=True, kw_only=True):
    """What CUPS gives to gateways."""

    key_type: Literal["ec-p256", "rsa-2048"] = "ec-p256"
    """Of the certificates of gateways."""
    days: Annotated[int, Meta(ge=1, le=3650)] = 365
    """How long a certificate that CUPS has issued is valid. A gateway asks once a day. Those that a
    person carries to a gateway last as long as the authority."""
    renew_before_days: Annotated[int, Meta(ge=0, le=3650)] = 90
    """CUPS renews a certificate so many days before its end."""


class Firmware(msgspec.Struct, frozen=True, kw_only=True):
    """Updates of gateways, which CUPS serves."""

    images: Path | None = None
    """Folder of images; absent: ``firmware`` in the data directory."""
    s3_endpoint: str | None = None
    """An S3-compatible store for images named ``s3://BUCKET/KEY``; absent: AWS's own. Credentials
    are found as by every AWS client: environment, profile, instance."""
    max_image_bytes: Annotated[int, Meta(ge=1, le=2_147_483_647)] = 268_435_456
    """The longest image that is served."""


class Mqtt(msgspec.Struct, frozen=True, kw_only=True):
    """Where uplinks are published: the embedded broker, or one of yours."""

    host: str | None = None
    """Address the embedded broker listens on, where it differs from ``server.bind``. Without TLS
    it listens on loopback addresses only; see ``mqtt.allow_plain``."""
    port: Port = 1883
    """Port of the embedded broker, without TLS; 0 takes a free one."""
    tls_port: Port | None = None
    """Port of the embedded broker with TLS, 8883 by custom; 0 takes a free one. Absent: no TLS. The
    certificate is the server's own, of the authority that `bittern ca show --pem` prints."""
    allow_plain: bool = False
    """Listen without TLS on networks, too: passwords and messages can be read on the way."""
    connections: Count = 1000
    """Clients connected to the embedded broker; more are closed at once."""
    connections_per_user: Count = 250
    """Of one user of the embedded broker."""
    login_timeout_s: Seconds = 10.0
    """A connection to the embedded broker that has not logged in by then is closed."""
    max_message_bytes: Annotated[int, Meta(ge=1024, le=268_435_455)] = 1_048_576
    """Longest packet the embedded broker takes, and sends. A longer one ends the connection."""
    subscriptions_per_session: Count = 1000
    """Topic filters of one client of the embedded broker; more are not granted."""
    inflight_messages: Annotated[int, Meta(ge=1, le=65_535)] = 1000
    """Messages sent to one client of the embedded broker and not acknowledged by it."""
    queued_messages: Count = 100_000
    """Messages that the embedded broker keeps for one client that is away; the oldest go first.
    For one that is connected with a clean session, at most a fifth of them: it is disconnected."""
    queued_bytes: Annotated[int, Meta(ge=65_536, le=1_099_511_627_776)] = 268_435_456
    """The same in bytes, on the disk; of a clean session an eighth, in memory."""
    session_expiry_days: Annotated[float, Meta(gt=0, le=3650)] = 7.0
    """A durable session whose client stays away from the embedded broker for so long ends."""
    url: str | None = None
    """A broker of yours, ``mqtt://HOST:PORT`` or ``mqtts://HOST:PORT``. The embedded broker is
    then not started."""
    ca: Path | None = None
    """PEM file of the authorities that sign the broker's certificate; absent: the system's."""
    certificate: Path | None = None
    """PEM file of our certificate for the broker. Needs ``mqtt.key``."""
    key: Path | None = None
    """PEM file of the key of ``mqtt.certificate``."""
    username: str | None = None
    """Name to log in by at the broker."""
    password_file: Path | None = None
    """File whose first line is the password for the broker."""
    password: Secret | None = None
    """Password for the broker. Only from the environment; in a file of its own it is
    ``mqtt.password_file``."""
    connection_events: bool = True
    """Publish it when a gateway connects or disconnects, on
    ``$aws/iotwireless/events/connection_status/...``. Of accounts that have decided it by the API
    that decision counts; likewise for joins."""
    join_events: bool = False
    """Publish it when a device asks to join and when it is let in, on
    ``$aws/iotwireless/events/join/...``."""
    delivery_events: bool = False
    """Publish what becomes of every message to a device, on
    ``$aws/iotwireless/events/message_delivery_status/...``. Of single devices the API decides
    it, too."""
    downlinks: bool | None = None
    """Take messages to devices that are published on ``PREFIX/NAME/down``. Absent: the embedded
    broker's users may, as far as they may publish there; of a broker of yours nothing is taken, for
    whoever can publish there could send to every device."""
    downlink_prefix: Annotated[str, Meta(pattern=TOPIC)] = "bittern/devices"
    """PREFIX of the topics of messages to devices."""
    client_id: Annotated[str, Meta(min_length=1, max_length=64)] = "bittern"
    """Client identifier at the broker. Two servers at one broker need two."""


AwsService = Literal[
    "dynamodb", "firehose", "kinesis", "lambda", "logs", "s3", "sns", "sqs", "timestream-write"
]  # fmt: skip


class Aws(msgspec.Struct, frozen=True, kw_only=True):
    """Services of AWS, or others that speak like them, for the actions of rules. Credentials are
    found as by every AWS client: environment, profile, instance."""

    region: str | None = None
    """Region of the services; absent: that of the environment or the profile."""
    profile: str | None = None
    """Profile of AWS's configuration files; absent: that of the environment."""
    endpoint_url: Endpoint | None = None
    """Where all services are, instead of AWS's own: a store or an emulator of yours."""
    endpoints: Mapping[AwsService, Endpoint] = MappingProxyType({})
    """Where single services are: ``{ sqs = "http://HOST:PORT", ... }``. In the environment:
    ``sqs=http://HOST:PORT,...``."""
    ca: Path | None = None
    """PEM file of the authorities that sign the certificates of the services; absent: those that
    every AWS client trusts."""
    connect_timeout_s: Seconds = 5.0
    """A service that cannot be connected to by then is tried again later."""
    read_timeout_s: Seconds = 15.0
    """A service that has not answered by then is tried again later."""
    calls: Annotated[int, Meta(ge=1, le=256)] = 8
    """Calls under way at once of each action of a rule. Each takes a thread."""


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """The LoRaWAN network."""

    net_id: NetID = NetID(bytes(3))
    """Identifier of the network, six hexadecimal digits. 000000 and 000001 are for private and
    experimental networks; any other is assigned by the LoRa Alliance."""
    region: str = "EU868"
    """Region of a gateway or device that is added without one."""
    deduplication_window_ms: Milliseconds = 200
    """How long copies of a frame from other gateways are waited for."""
    summary_days: Annotated[float, Meta(ge=1, le=3650)] = 90.0
    """How long summary metrics are kept, of accounts that have them enabled. A device that is heard
    every hour takes about two kilobytes a day."""


class JoinServer(msgspec.Struct, frozen=True, kw_only=True):
    """Join servers, which hold root keys: where those elsewhere are, and how our own listens, which
    `bittern join-server serve` runs in a process and on a data directory of its own."""

    uri: JoinServerUri | None = None
    """Where the join server is of devices that were added with ``--join-server``:
    ``https://HOST:PORT``. Other devices join by the root keys that are here."""
    uris: Mapping[JoinEuiRange, JoinServerUri] = MappingProxyType({})
    """Where those of single JoinEUIs are: ``{ "FIRST-LAST" = "https://HOST:PORT", ... }``, or one
    JoinEUI. In the environment: ``FIRST-LAST=https://HOST:PORT,...``."""
    certificate: Path | None = None
    """PEM file of our certificate for join servers; absent: ``join-server/client.crt`` in the data
    directory, likewise the next three. `bittern join-server network add` writes all of them."""
    key: Path | None = None
    """PEM file of the key of ``join_server.certificate``; absent: ``client.key``."""
    trust: Path | None = None
    """PEM file of the authorities that sign the join servers' certificates; absent: ``ca.crt``."""
    kek_file: Path | None = None
    """File of the keys that join servers wrap session keys by, a label and hexadecimal digits on
    each line; absent: ``kek``, where that is there."""
    host: str | None = None
    """Address that our own join server listens on, where it differs from ``server.bind``."""
    port: Port = 8444
    """Port that our own join server listens on; 0 takes a free one."""


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """The database."""

    group_commit_ms: Annotated[float, Meta(ge=0, le=1000)] = 2.0
    """Calls that arrive within this time share a transaction. Longer: fewer writes to the disk;
    shorter: each answer comes sooner. What was answered is durable either way."""


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """Who keeps the keys that everything secret is sealed by."""

    provider: Literal["file", "environment", "credential", "aws-kms", "vault-transit", "pkcs11"] = (
        "file"
    )
    """``file``: a file that only its owner can read. ``environment``: a variable. ``credential``:
    what systemd hands to the service. ``aws-kms``: AWS KMS, or what speaks like it.
    ``vault-transit``: the transit engine of HashiCorp Vault or OpenBao. ``pkcs11``: a hardware
    security module. Another one is moved to by `bittern keys provider`."""
    path: Path | None = None
    """Key file of the provider ``file``; absent: ``data.key`` in the data directory."""
    secret: Secret | None = None
    """Key of the provider ``environment``, 64 hexadecimal digits. Only from the environment."""
    credential: Annotated[str, Meta(pattern=FUNCTION)] = "bittern-key"
    """Name of the credential of the provider ``credential``, in ``$CREDENTIALS_DIRECTORY``."""
    ca: Path | None = None
    """PEM file of the authorities that sign the certificate of KMS or Vault; absent: those of
    the system."""
    timeout_s: Annotated[float, Meta(gt=0, le=600)] = 10.0
    """KMS or Vault that has not answered by then is away."""
    kms_key: str | None = None
    """Key of the provider ``aws-kms``: its identifier, ARN or alias. Credentials are found as by
    every AWS client: environment, profile, instance."""
    kms_region: Annotated[str, Meta(pattern=REGION)] | None = None
    """Region of KMS; absent: that of the key's ARN, of the environment or of the profile."""
    kms_profile: str | None = None
    """Profile of AWS's configuration files; absent: that of the environment."""
    kms_endpoint: Endpoint | None = None
    """Where KMS is, instead of AWS's own."""
    vault_url: Endpoint | None = None
    """Where Vault or OpenBao is, for the provider ``vault-transit``: ``https://HOST:8200``. Without
    TLS only on this machine."""
    vault_key: Annotated[str, Meta(pattern=FUNCTION)] = "bittern"
    """Name of the key in the transit engine, of type aes256-gcm96 or chacha20-poly1305."""
    vault_mount: Annotated[str, Meta(pattern=TOPIC)] = "transit"
    """Path that the transit engine is mounted at."""
    vault_namespace: str | None = None
    """Namespace of the transit engine and of the login."""
    vault_token_file: Path | None = None
    """File with a token, such as an agent of Vault keeps fresh. It is read again when the token is
    refused."""
    vault_role_id_file: Path | None = None
    """File with the role of an AppRole, instead of a token. Needs ``keys.vault_secret_id_file``."""
    vault_secret_id_file: Path | None = None
    """File with the secret of the AppRole."""
    vault_login_mount: Annotated[str, Meta(pattern=TOPIC)] = "approle"
    """Path that the AppRole login is mounted at."""
    pkcs11_module: Path | None = None
    """Shared library of the token's maker, for the provider ``pkcs11`` and for root keys of devices
    that are in the token."""
    pkcs11_token: str | None = None
    """Label of the token."""
    pkcs11_pin_file: Path | None = None
    """File with the user's PIN. It must not be readable by everybody."""
    pkcs11_pin: Secret | None = None
    """The user's PIN. Only from the environment."""
    pkcs11_key: str = "bittern"
    """Label of the AES key that wraps, made by `bittern token init`."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What destinations and the actions of rules are owed."""

    give_up_hours: Annotated[float, Meta(gt=0, le=8760)] = 72.0
    """A message that is older and still cannot be delivered goes to its rule's error action, or
    becomes a dead letter."""
    dead_letter_days: Annotated[float, Meta(ge=0, le=3650)] = 30.0
    """Older dead letters are dropped."""
    dead_letter_mib: Annotated[int, Meta(ge=0, le=1_048_576)] = 256
    """Of more dead letters than that the oldest are dropped."""
    disk_budget_mib: Annotated[int, Meta(ge=16, le=1_048_576)] = 10_240
    """What the database may take. When it is reached dead letters are dropped, the oldest first;
    then messages of devices are refused, and confirmed ones not acknowledged, until outputs have
    taken what is owed."""


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """Who changed what."""

    days: Annotated[float, Meta(ge=1, le=36_500)] = 730.0
    """Older entries are removed."""


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """The log, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is written."""
    format: Literal["auto", "text", "json"] = "auto"
    """One line of text or one JSON object for each event; ``auto`` is text in a terminal and JSON
    elsewhere."""
    aws_file: Path | None = None
    """Where the log is written, besides, that AWS IoT Core for LoRaWAN writes: one JSON object for
    each event of devices and gateways, at the log levels that accounts set over the API. Without it
    those levels have no effect. The file may be moved away at any time."""


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the whole server. Paths in the file are relative to the file."""

    data_dir: Path = Path("data")
    """Folder of everything bittern keeps: database, keys, certificates. Only its owner may read
    it. Made at the first start."""
    server: Server = Server()
    """What all listeners share."""
    api: Api = Api()
    """The API and the console."""
    lns: Lns = Lns()
    """The gateways' front end."""
    cups: Cups = Cups()
    """The gateways' configuration and update server."""
    certificates: Certificates = Certificates()
    """What CUPS gives to gateways."""
    firmware: Firmware = Firmware()
    """Updates of gateways."""
    mqtt: Mqtt = Mqtt()
    """Where uplinks are published."""
    aws: Aws = Aws()
    """Services of AWS for the actions of rules."""
    network: Network = Network()
    """The LoRaWAN network."""
    join_server: JoinServer = JoinServer()
    """Who holds root keys."""
    store: Store = Store()
    """The database."""
    keys: Keys = Keys()
    """Who keeps the keys that everything secret is sealed by."""
    delivery: Delivery = Delivery()
    """What destinations and the actions of rules are owed."""
    audit: Audit = Audit()
    """Who changed what."""
    log: Log = Log()
    """The log."""
    functions: Mapping[FunctionName, Endpoint] = MappingProxyType({})
    """HTTP endpoints that rules ask by ``aws_lambda("NAME", ...)``: ``NAME = "https://HOST/PATH"``
    each. The event is posted as JSON; the answer is JSON, within 2 seconds. In the environment:
    ``NAME=https://HOST/PATH,...``."""

    def host_of(self, listener: Api | Lns | Cups | Mqtt | JoinServer) -> str:
        """The address that ``listener`` listens on."""
        return listener.host or self.server.bind


SECTIONS: Mapping[str, type[msgspec.Struct]] = {
    field.name: type(field.default)
    for field in msgspec.structs.fields(Configuration)
    if isinstance(field.default, msgspec.Struct)
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set: ``path`` is ``lns.port``."""

    path: str
    type: Any
    default: Any

    @property
    def variable(self) -> str:
        """``lns.port`` is overridden by ``BITTERN_LNS__PORT``."""
        return ENVIRONMENT_PREFIX + self.path.replace(".", "__").upper()

    @property
    def is_secret(self) -> bool:
        return bool(self.type == Secret | None)


def settings() -> dict[str, Setting]:
    """Every setting by its path."""
    kinds: list[tuple[str, type[msgspec.Struct]]] = [("", Configuration)]
    kinds += [(f"{name}.", kind) for name, kind in SECTIONS.items()]
    found = [
        Setting(prefix + field.name, types[field.name], field.default)
        for prefix, kind in kinds
        for types in [get_type_hints(kind, include_extras=True)]
        for field in msgspec.structs.fields(kind)
        if prefix + field.name not in SECTIONS
    ]
    return {setting.path: setting for setting in found}
