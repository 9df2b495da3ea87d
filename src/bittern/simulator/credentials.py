"""The files in a station's home directory, and the TLS that they make.

A genuine station has mbedTLS 2.28: TLS 1.2 at most, and names are matched against dNSName, or CN
without any, even where the URI holds an IP address.
"""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from bittern.errors import BitternError


class BadCredentials(BitternError):
    """The files or the server's certificate cannot be used; ``reason`` says which and why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class Credentials:
    """``tc.uri tc.trust tc.crt tc.key``: an absent and an empty file are the same."""

    uri: str
    trust: bytes = b""
    certificate: bytes = b""
    key: bytes = field(default=b"", repr=False)

    @classmethod
    def read(cls, home: Path, category: str = "tc") -> Credentials:
        """Raises ``BadCredentials`` if there is no URI that a station would take."""
        uri = _content(home / f"{category}.uri").decode().strip()
        parts = urlsplit(uri)
        if parts.scheme not in ("ws", "wss") or parts.port is None or parts.path or len(uri) > 127:
            raise BadCredentials(f"{category}.uri is not ws(s)://host:port: {uri!r}")
        trust, certificate, key = (
            _content(home / f"{category}.{part}") for part in ("trust", "crt", "key")
        )
        return cls(uri, trust, certificate, key)

    def headers(self) -> list[tuple[str, str]]:
        """A key without certificate is a token: HTTP header lines for every request."""
        if self.certificate or not self.key:
            return []
        lines = [line for line in self.key.decode().splitlines() if line.strip()]
        pairs = [line.partition(":") for line in lines]
        return [(name.strip(), value.strip()) for name, _, value in pairs]

    def tls(self) -> ssl.SSLContext:
        """Names are checked by ``check_server_name`` after the handshake."""
        if not self.trust:
            raise BadCredentials("wss without tc.trust")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=_pem_certificates(self.trust))
        if self.certificate:
            _load_identity(context, self.certificate, self.key)
        return context


def check_server_name(certificate: dict[str, Any], host: str) -> None:
    """Raises ``BadCredentials`` with the names that the certificate does carry."""
    names = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"]
    if "subjectAltName" not in certificate:
        subject = certificate.get("subject", ())
        names = [value for rdn in subject for kind, value in rdn if kind == "commonName"]
    if not any(_matches(name, host) for name in names):
        raise BadCredentials(
            f"server certificate is for {', '.join(names) or 'nobody'}, not {host}"
        )


def _matches(name: str, host: str) -> bool:
    if name.startswith("*."):
        return host.partition(".")[2].lower() == name[2:].lower()
    return name.lower() == host.lower()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _is_pem(content: bytes) -> bool:
    return b"-----BEGIN" in content


def _pem_certificates(content: bytes) -> str:
    return content.decode() if _is_pem(content) else ssl.DER_cert_to_PEM_cert(content)


def _pem_key(content: bytes) -> bytes:
    if _is_pem(content):
        return content
    key = load_der_private_key(content, None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _load_identity(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """``ssl`` reads a key from a file only; this one has mode 0600 and lives for a moment."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(_pem_key(key) + b"\n" + _pem_certificates(certificate).encode())
        file.flush()
        try:
            context.load_cert_chain(file.name)
        except ssl.SSLError as error:
            raise BadCredentials(f"tc.crt and tc.key: {error}") from error
