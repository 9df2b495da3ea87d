"""What all TLS listeners share: whom they trust and which certificate they show.

Both change while the server runs: certificates are renewed, one authority gives way to the next,
certificates of outside authorities are registered.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from bittern.pki.bundle import Bundle
from bittern.pki.rotation import Authorities
from bittern.pki.tls import client_listener, gateway_listener, plain_listener, present, trust

logger = logging.getLogger("bittern.servers.transport")


class Identity(NamedTuple):
    """Of the server."""

    authorities: Authorities
    certificate: Path | Bundle
    """The key, the certificate, and what leads from it to the authorities."""


class Transport:
    """The contexts of all listeners, kept up to date."""

    def __init__(self, opened: Callable[[], Identity], changed_at: Callable[[], float]) -> None:
        """``opened`` makes or renews what has to be; ``changed_at`` tells whether another process
        has taken a step in the rotation of authorities."""
        self._opened = opened
        self._changed_at = changed_at
        self._seen = changed_at()
        self._identity = opened()
        self._contexts: list[ssl.SSLContext] = []
        self._for_clients: list[ssl.SSLContext] = []
        self._plain: list[ssl.SSLContext] = []
        self._foreign: dict[str, str] = {}

    @property
    def authorities(self) -> Authorities:
        return self._identity.authorities

    def listener(self) -> ssl.SSLContext:
        """A context for one listener of gateways, which wants a client's certificate."""
        authorities, certificate = self._identity
        context = gateway_listener(certificate, authorities.trusted_pem)
        for pem in self._foreign.values():
            trust(context, pem.encode())
        self._contexts.append(context)
        return context

    def client_listener(self) -> ssl.SSLContext:
        """A context for one listener of programs, which may show a certificate of ours."""
        authorities, certificate = self._identity
        context = client_listener(certificate, authorities.trusted_pem)
        self._for_clients.append(context)
        return context

    def plain_listener(self) -> ssl.SSLContext:
        """A context for one listener of clients that show no certificate."""
        context = plain_listener(self._identity.certificate)
        self._plain.append(context)
        return context

    def trust_certificates(self, certificates: Iterable[tuple[str, str]]) -> None:
        """Let these past the handshake, by fingerprint and PEM, whoever has signed them."""
        for fingerprint, pem in certificates:
            if fingerprint not in self._foreign:
                self._foreign[fingerprint] = pem
                for context in self._contexts:
                    trust(context, pem.encode())

    def follow_rotation(self) -> bool:
        """Whether somebody has taken a step since; then it takes effect."""
        changed_at = self._changed_at()
        if changed_at == self._seen:
            return False
        self._seen = changed_at
        self.renew()
        logger.info("authorities stage=%s", self.authorities.stage)
        return True

    def renew(self) -> None:
        """Take what is there now, renewed where its end is near."""
        self._identity = authorities, certificate = self._opened()
        for context in (*self._contexts, *self._for_clients):
            trust(context, authorities.trusted_pem)
            present(context, certificate)
        for context in self._plain:
            present(context, certificate)
