"""The authorities of one installation, and how one gives way to the next without losing a gateway.

    settled    --introduce--> introduced   what gateways are given is the next authority's; the
                                           server still shows a certificate of the old one
    introduced --present-->   presented    the server's certificate is the next authority's
    presented  --retire-->    settled      the next authority is the only one; the old key is gone

A station that CUPS has configured trusts one authority only: there is place for one certificate
(`cups_credentials`). While some gateways trust the old authority and some the next, the server
shows its old certificate together with the old authority's as signed by the next: either leads to
what a gateway trusts. So nobody is locked out by ``introduce``; by ``present`` those are who still
trust the old authority alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from bittern.errors import AuthorityUnusable, Conflict
from bittern.keys.ring import Vault
from bittern.pki import files
from bittern.pki.authority import Authority, open_authority
from bittern.pki.fingerprints import certificate_id
from bittern.types import Instant

FIRST = "ca"
STATE_FILE = "authorities.json"

Stage = Literal["settled", "introduced", "presented"]


class _State(msgspec.Struct, frozen=True, omit_defaults=True):
    """The stems of the files: ``ca`` is ``ca.key`` and ``ca.crt``."""

    current: str = FIRST
    following: str | None = None
    stage: Stage = "settled"


@dataclass(frozen=True, slots=True)
class Authorities:
    """Who signs, and who is trusted."""

    stage: Stage
    first: str
    """Fingerprint of the very first authority: certificates that name none are its."""
    current: Authority
    following: Authority | None = None
    bridge: x509.Certificate | None = None
    """The current authority as signed by the following one."""

    @property
    def issuing(self) -> Authority:
        """Signs the certificates of gateways; it is the one that they are to trust."""
        return self.following or self.current

    @property
    def presenting(self) -> Authority:
        """Signs the server's certificate."""
        if self.stage == "presented" and self.following is not None:
            return self.following
        return self.current

    @property
    def chain(self) -> Sequence[x509.Certificate]:
        """What the server shows beside its own certificate."""
        return (self.bridge,) if self.stage == "introduced" and self.bridge is not None else ()

    @property
    def trusted_pem(self) -> bytes:
        """Whose certificates let a gateway in."""
        return self.current.pem + (self.following.pem if self.following is not None else b"")

    def trusts(self, fingerprint: str) -> bool:
        """Whether an authority of this fingerprint is one of them."""
        known = {self.current.fingerprint, self.issuing.fingerprint}
        return fingerprint in known


def open_authorities(folder: Path, now: Instant, vault: Vault | None = None) -> Authorities:
    """Those kept in ``folder``; a first one, where there is none. Raises as `open_authority`."""
    state = _read(folder)
    current = open_authority(folder, now, state.current, vault)
    first = current.fingerprint if state.current == FIRST else _fingerprint(folder / f"{FIRST}.crt")
    if state.following is None:
        return Authorities("settled", first, current)
    following = open_authority(folder, now, state.following, vault)
    return Authorities(state.stage, first, current, following, _bridge(folder, state.following))


def introduce(folder: Path, now: Instant, vault: Vault | None = None) -> Authorities:
    """Make the next authority: from now on it signs what gateways get.

    Raises Conflict while another rotation is under way.
    """
    state = _read(folder)
    if state.following is not None:
        raise Conflict("rotation", state.following, "is under way")
    current = open_authority(folder, now, state.current, vault)
    stem = _next_stem(folder)
    following = open_authority(folder, now, stem, vault)
    bridge = following.cross_signed(current.certificate, now)
    files.replace(_bridge_path(folder, stem), bridge.public_bytes(serialization.Encoding.PEM))
    _write(folder, _State(state.current, stem, "introduced"))
    return open_authorities(folder, now, vault)


def present(folder: Path, now: Instant, vault: Vault | None = None) -> Authorities:
    """Let the server show a certificate of the next authority. Raises Conflict out of turn."""
    state = _required(folder, "introduced")
    _write(folder, msgspec.structs.replace(state, stage="presented"))
    return open_authorities(folder, now, vault)


def retire(folder: Path, now: Instant, vault: Vault | None = None) -> Authorities:
    """End the old authority: its key is deleted, its certificate kept. Raises Conflict out of
    turn."""
    state = _required(folder, "presented")
    assert state.following is not None
    _write(folder, _State(state.following))
    (folder / f"{state.current}.key").unlink(missing_ok=True)
    _bridge_path(folder, state.following).unlink(missing_ok=True)
    return open_authorities(folder, now, vault)


def state_changed_at(folder: Path) -> float:
    """When the last step was taken, by the file's time; 0 before the first."""
    try:
        return (folder / STATE_FILE).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _required(folder: Path, stage: Stage) -> _State:
    state = _read(folder)
    if state.stage != stage or state.following is None:
        raise Conflict("authority", state.current, f"is {state.stage}, not {stage}")
    return state


def _next_stem(folder: Path) -> str:
    """A certificate is never removed, so its number is never used again."""
    number = 2
    while (folder / f"{FIRST}-{number}.crt").exists():
        number += 1
    return f"{FIRST}-{number}"


def _bridge_path(folder: Path, stem: str) -> Path:
    return folder / f"{stem}-bridge.crt"


def _bridge(folder: Path, stem: str) -> x509.Certificate:
    return _certificate(_bridge_path(folder, stem))


def _fingerprint(path: Path) -> str:
    return certificate_id(_certificate(path).public_bytes(serialization.Encoding.DER))


def _certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        raise AuthorityUnusable(str(path), "missing or not what bittern wrote there") from None


def _read(folder: Path) -> _State:
    path = folder / STATE_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=_State)
    except FileNotFoundError:
        return _State()
    except msgspec.DecodeError:
        raise AuthorityUnusable(str(path), "not what bittern wrote there") from None


def _write(folder: Path, state: _State) -> None:
    files.replace(folder / STATE_FILE, msgspec.json.encode(state) + b"\n")
