"""Settings that are each well-formed and yet cannot be used."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from bittern.config.listening import is_loopback
from bittern.config.settings import Api, Configuration, JoinServer, Keys, Mqtt
from bittern.gateway.cups import check_uri
from bittern.lorawan import regions

STATION_URI_LIMIT = 96
"""Basics Station takes 127 characters; the path that discovery adds needs some of them."""


def contradictions(configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Settings that are each well-formed and yet cannot be used, with the reason."""
    yield from _unusable_addresses(configuration)
    yield from _unusable_certificate(configuration.api)
    yield from _unusable_broker(configuration.mqtt)
    yield from _exposed_broker(configuration.mqtt)
    yield from _unusable_keys(configuration.keys)
    if configuration.aws.ca is not None and not configuration.aws.ca.is_file():
        yield "aws.ca", f"file not found: {configuration.aws.ca}"
    yield from _station_uri_flaws(configuration)
    yield from _unusable_join_servers(configuration.join_server)
    if configuration.certificates.renew_before_days >= configuration.certificates.days:
        yield "certificates.renew_before_days", "not less than certificates.days"
    if configuration.network.region not in regions.names():
        yield "network.region", f"no such region; there are {', '.join(regions.names())}"


def _unusable_addresses(configuration: Configuration) -> Iterator[tuple[str, str]]:
    taken: dict[tuple[str, int], str] = {}
    yield from _not_an_address("server.bind", configuration.server.bind)
    for name in ("api", "lns", "cups", "mqtt"):
        listener = getattr(configuration, name)
        if name == "mqtt" and listener.url is not None:
            continue
        if listener.host is not None:
            yield from _not_an_address(f"{name}.host", listener.host)
        for setting in ("port", "tls_port"):
            port: int | None = getattr(listener, setting, None)
            place = (configuration.host_of(listener), port or 0)
            if port and place in taken:
                yield f"{name}.{setting}", f"{port} is already the port of {taken[place]}"
            taken[place] = name


def _not_an_address(where: str, host: str) -> Iterator[tuple[str, str]]:
    try:
        ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        yield where, f"not an IP address of this machine: {host!r}"


def _unusable_certificate(api: Api) -> Iterator[tuple[str, str]]:
    for name in ("certificate", "key"):
        file = getattr(api, name)
        if file is not None and not file.is_file():
            yield f"api.{name}", f"file not found: {file}"
    if (api.certificate is None) != (api.key is None):
        absent = "key" if api.key is None else "certificate"
        yield f"api.{absent}", "absent: api.certificate and api.key need each other"
    elif api.certificate is not None and not api.tls:
        yield "api.tls", "false, though there is api.certificate"


def _unusable_broker(mqtt: Mqtt) -> Iterator[tuple[str, str]]:
    for name in ("ca", "certificate", "key"):
        file = getattr(mqtt, name)
        if file is not None and not file.is_file():
            yield f"mqtt.{name}", f"file not found: {file}"
    if (mqtt.certificate is None) != (mqtt.key is None):
        absent = "key" if mqtt.key is None else "certificate"
        yield f"mqtt.{absent}", "absent: mqtt.certificate and mqtt.key need each other"
    if mqtt.password is not None and mqtt.username is None:
        yield "mqtt.username", "absent, though there is a password"
    if mqtt.url is not None and _split(mqtt.url, {"mqtt", "mqtts"}) is None:
        # Not repeated here: a user's URL may hold a password.
        yield "mqtt.url", "expected mqtt://HOST:PORT or mqtts://HOST:PORT and nothing else"


def _unusable_keys(keys: Keys) -> Iterator[tuple[str, str]]:
    for name in (
        "ca",
        "vault_token_file",
        "vault_role_id_file",
        "vault_secret_id_file",
        "pkcs11_module",
        "pkcs11_pin_file",
    ):
        file = getattr(keys, name)
        if file is not None and not file.is_file():
            yield f"keys.{name}", f"file not found: {file}"
    needed = {
        "aws-kms": ("kms_key",),
        "vault-transit": ("vault_url",),
        "pkcs11": ("pkcs11_module", "pkcs11_token"),
    }
    for name in needed.get(keys.provider, ()):
        if getattr(keys, name) is None:
            yield f"keys.{name}", f"absent: the provider {keys.provider} needs it"
    yield from _unusable_vault(keys)
    yield from _plain_to_elsewhere("keys.vault_url", keys.vault_url)
    yield from _plain_to_elsewhere("keys.kms_endpoint", keys.kms_endpoint)


def _unusable_vault(keys: Keys) -> Iterator[tuple[str, str]]:
    role, secret, token = (
        getattr(keys, f"vault_{name}_file") is not None
        for name in ("role_id", "secret_id", "token")
    )
    if role != secret:
        absent = "secret_id" if role else "role_id"
        yield f"keys.vault_{absent}_file", "absent: an AppRole is two files"
    elif role and token:
        yield "keys.vault_token_file", "a token or an AppRole, not both"
    elif keys.provider == "vault-transit" and not role and not token:
        yield "keys.vault_token_file", "absent: the provider vault-transit needs it, or an AppRole"


def _plain_to_elsewhere(where: str, url: str | None) -> Iterator[tuple[str, str]]:
    """What it is sent are the data keys."""
    parts = urlsplit(url or "")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        yield where, "expected https://, as it is not on this machine"


def _exposed_broker(mqtt: Mqtt) -> Iterator[tuple[str, str]]:
    if mqtt.url is not None or mqtt.host is None or mqtt.allow_plain or mqtt.tls_port is not None:
        return
    if not is_loopback(mqtt.host):
        yield (
            "mqtt.host",
            "without TLS the embedded broker listens on loopback addresses only: set mqtt.tls_port,"
            " or mqtt.allow_plain = true where passwords may be read on the way",
        )


def _station_uri_flaws(configuration: Configuration) -> Iterator[tuple[str, str]]:
    """A station that is told such an address ends, at every start."""
    places: tuple[Literal["lns", "cups"], ...] = ("lns", "cups")
    for place in places:
        uri: str | None = getattr(configuration, place).uri
        if uri is None:
            continue
        try:
            check_uri(uri, place)
        except ValueError as error:
            yield f"{place}.uri", str(error)
        else:
            if len(uri) > STATION_URI_LIMIT:
                yield f"{place}.uri", f"longer than {STATION_URI_LIMIT} characters"


def _unusable_join_servers(join_server: JoinServer) -> Iterator[tuple[str, str]]:
    for name in ("certificate", "key", "trust", "kek_file"):
        file = getattr(join_server, name)
        if file is not None and not file.is_file():
            yield f"join_server.{name}", f"file not found: {file}"
    for row in join_server.uris:
        first, _, last = row.partition("-")
        if last and int(first, 16) > int(last, 16):
            yield "join_server.uris", f"{first} is behind {last}"
    if join_server.host is not None:
        yield from _not_an_address("join_server.host", join_server.host)


def _split(url: str, schemes: set[str]) -> SplitResult | None:
    """``scheme://host[:port]``, or None where it is anything else."""
    try:
        parts = urlsplit(url)
        plain = parts.scheme in schemes and parts.port != 0 and not parts.username
    except ValueError:
        return None
    bare = not parts.path and not parts.query and not parts.fragment
    return parts if plain and bare and parts.hostname else None
