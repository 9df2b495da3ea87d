"""Parameters of actions: JSON from a rule becomes a checked, typed value.

Each kind describes its parameters as a struct with AWS's names. Whoever writes rules is not always
whoever runs the server: files that an action names are below one folder, and variables of the
environment have one prefix, so that a rule carries no other file or variable to the outside.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bittern.config import Secret
from bittern.errors import DeliveryUnavailable
from bittern.outputs.port import Message

T = TypeVar("T")

SECRETS_FOLDER = "secrets"
"""Below the data directory: passwords, tokens, keys and certificates that actions name."""
SECRET_PREFIX = "BITTERN_SECRET_"
"""Variables of the environment that actions may name begin so."""


class Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What all actions have. A kind's own parameters derive from it."""

    role_arn: str | None = None
    """Taken, since AWS demands it, and not used."""


class HeaderForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A header, as `http` and `kafka` have them; the value is a template, and often the key."""

    key: str
    value: str


_MESSAGE = re.compile(r"^(.*?)(?: - at `\$\.?(.*)`)?$", re.DOTALL)


def read(parameters: Mapping[str, Any], form: type[T]) -> T:
    """Raises ValueError that names the parameter: ``headers[0].key: expected str, got int``."""
    try:
        return msgspec.convert(parameters, form, strict=True)
    except msgspec.ValidationError as error:
        what, where = _MESSAGE.match(str(error)).groups()  # type: ignore[union-attr]
        what = what.replace("`", "").strip()
        text = what[:1].lower() + what[1:]
        raise ValueError(f"{where}: {text}" if where else text) from None


def templates(parameters: Mapping[str, Any], *patterns: str) -> Mapping[str, str]:
    """The texts at paths that fit a pattern: ``topic``, ``headers.*.value``."""
    found: dict[str, str] = {}
    for pattern in patterns:
        found.update(_texts(parameters, pattern.split("."), ""))
    return found


def _texts(value: object, steps: Sequence[str], path: str) -> Iterator[tuple[str, str]]:
    if not steps:
        if isinstance(value, str):
            yield path, value
        return
    for name, inner in _members(value):
        if steps[0] in ("*", name):
            yield from _texts(inner, steps[1:], f"{path}.{name}" if path else name)


def _members(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from ((str(place), inner) for place, inner in enumerate(value))


def filled(message: Message, path: str, otherwise: str = "") -> str:
    """A parameter for this message; `otherwise` where it was not given."""
    return message.parameters.get(path, otherwise)


def headers_of(message: Message, path: str, headers: Sequence[HeaderForm]) -> list[tuple[str, str]]:
    """Of headers at `path`, the names and values for this message, in their order."""
    return [
        (
            filled(message, f"{path}.{place}.key", header.key),
            filled(message, f"{path}.{place}.value", header.value),
        )
        for place, header in enumerate(headers)
    ]


def check_file(name: str | None, where: str) -> None:
    """The name of a file in the folder of secrets. Raises ValueError."""
    if name is None:
        return
    path = Path(name)
    if not name or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise ValueError(f"{where}: a path below the folder {SECRETS_FOLDER!r} of the data folder")


def check_variable(name: str | None, where: str) -> None:
    """The name of a variable with a secret. Raises ValueError."""
    if name is not None and not re.fullmatch(rf"{SECRET_PREFIX}[A-Z0-9]+(_[A-Z0-9]+)*", name):
        raise ValueError(f"{where}: a variable whose name begins with {SECRET_PREFIX}")


def secret_file(data_dir: Path, name: str) -> Path:
    """Where `name` is. Raises `DeliveryUnavailable` for one that leads out of the folder."""
    folder = (data_dir / SECRETS_FOLDER).resolve()
    path = (folder / name).resolve()
    if not path.is_relative_to(folder):
        raise DeliveryUnavailable(f"{SECRETS_FOLDER}/{name} leads out of its folder")
    return path


def read_secret(data_dir: Path, file: str | None, variable: str | None) -> Secret | None:
    """The first line of the file, or the variable; None where neither is named.

    Raises `DeliveryUnavailable` when it is not there: an operator can put it there.
    """
    if file is not None:
        try:
            lines = secret_file(data_dir, file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            told = getattr(error, "strerror", None) or "not UTF-8 text"
            raise DeliveryUnavailable(f"{SECRETS_FOLDER}/{file}: {told}") from None
        if not lines or not lines[0]:
            raise DeliveryUnavailable(f"{SECRETS_FOLDER}/{file}: its first line is empty")
        return Secret(lines[0])
    if variable is not None:
        text = os.environ.get(variable)
        if not text:
            raise DeliveryUnavailable(f"the variable {variable} is not set")
        return Secret(text)
    return None


class TlsForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files in the folder of secrets, for TLS. The peer's certificate is always verified."""

    ca: str | None = None
    """PEM file of the authorities that sign the peer's certificate; absent: the system's."""
    certificate: str | None = None
    """PEM file of our certificate, where the peer asks for one. Needs `key`."""
    key: str | None = None
    """PEM file of the key of `certificate`, without a passphrase."""


def check_tls(tls: TlsForm, where: str) -> None:
    """Raises ValueError."""
    if (tls.certificate is None) != (tls.key is None):
        raise ValueError(f"{where}: certificate and key come together")
    for name in ("ca", "certificate", "key"):
        check_file(getattr(tls, name), f"{where}.{name}")


def tls_context(data_dir: Path, tls: TlsForm, *, alpn: str | None = None) -> ssl.SSLContext:
    """Raises `DeliveryUnavailable` that names the file that cannot be used."""
    context = _with_authorities(data_dir, tls.ca)
    if tls.certificate is not None and tls.key is not None:
        certificate, key = (secret_file(data_dir, name) for name in (tls.certificate, tls.key))
        try:
            # A key with a passphrase must not stop the server at a prompt.
            context.load_cert_chain(certificate, key, password="")
        except (OSError, ssl.SSLError) as error:
            told = error.strerror or type(error).__name__
            raise DeliveryUnavailable(f"{SECRETS_FOLDER}/{tls.certificate}: {told}") from None
    if alpn is not None:
        context.set_alpn_protocols([alpn])
    return context


def _with_authorities(data_dir: Path, ca: str | None) -> ssl.SSLContext:
    if ca is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=secret_file(data_dir, ca))
    except (OSError, ssl.SSLError) as error:
        told = error.strerror or type(error).__name__
        raise DeliveryUnavailable(f"{SECRETS_FOLDER}/{ca}: {told}") from None
