"""The server's own certificate: kept in one file, made anew when it no longer serves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from bittern.keys.ring import Vault
from bittern.pki import files
from bittern.pki.authority import Authority, moment
from bittern.pki.bundle import Bundle
from bittern.pki.issuing import alternative_names, issue_server_certificate
from bittern.types import Instant

PLACE = "pki.server.key"
"""Of the server's key, where it is sealed."""
_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
RENEWED_BEFORE_END = timedelta(days=60)


def server_identity(
    folder: Path,
    authority: Authority,
    names: Iterable[str],
    now: Instant,
    chain: Sequence[x509.Certificate] = (),
    *,
    vault: Vault | None = None,
) -> Path:
    """The file with the server's key, its certificate for exactly ``names``, and the ``chain``, in
    PEM form; the key is sealed by ``vault``, if there is one: `shown` is for TLS then.

    Made or renewed where it must be; certificate and key share a file so that both change at once.
    Safe to call again while the server runs: a changed file is for ``tls.present``.
    """
    names = list(names)
    path = folder / "server.pem"
    if vault is not None:
        _take_over(path, vault)
    if not _serves(path, authority, names, now, chain):
        issued = issue_server_certificate(authority, names, now)
        above = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain)
        files.make_folder(folder)
        key = issued.private_key_pem()
        if vault is not None:
            key = files.sealed_line(key, vault, PLACE)
        files.replace(path, key + issued.certificate_pem + above)
    return path


def shown(path: Path, vault: Vault) -> Bundle:
    """What `server_identity` keeps sealed in ``path``. Raises SealBroken."""
    content = files.read_secret(path)
    key = files.opened_key(content, vault, PLACE)
    return Bundle(content if key is None else key + content.partition(b"\n")[2])


def _take_over(path: Path, vault: Vault) -> None:
    """An earlier version kept the key in the clear, in front of the certificates."""
    try:
        content = files.read_secret(path)
    except FileNotFoundError:
        return
    before, mark, rest = content.partition(_CERTIFICATE)
    if mark and b"PRIVATE KEY" in before:
        files.replace_secret(path, files.sealed_line(before, vault, PLACE) + mark + rest)


def _serves(
    path: Path,
    authority: Authority,
    names: list[str],
    now: Instant,
    chain: Sequence[x509.Certificate],
) -> bool:
    try:
        certificate, *above = x509.load_pem_x509_certificates(files.read_secret(path))
        called = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (FileNotFoundError, ValueError, x509.ExtensionNotFound):
        return False
    renewal = certificate.not_valid_after_utc - RENEWED_BEFORE_END
    return (
        above == list(chain)
        and called.value == alternative_names(names)
        and certificate.not_valid_before_utc <= moment(now) < renewal
        and authority.has_signed(certificate)
    )
