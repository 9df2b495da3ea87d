"""Where others are told to reach this server: by its first name, and the port that listens there.

An address that the configuration gives goes before. A port of 0 is not known before the server
listens: then the caller has to say which one it has got.
"""

from __future__ import annotations

from bittern.config.settings import Configuration

UNNAMED = "localhost"
"""Where nobody has chosen a name."""


def server_name(configuration: Configuration) -> str:
    """By which the server is reached, where nothing else is known."""
    return next(iter(configuration.server.names), UNNAMED)


def lns_uri(configuration: Configuration, port: int = 0) -> str | None:
    """``wss://NAME:PORT`` of the LNS. None while the port is not known."""
    lns = configuration.lns
    return lns.uri or _uri("wss", server_name(configuration), lns.port or port)


def cups_uri(configuration: Configuration, port: int = 0) -> str | None:
    """``https://NAME:PORT`` of CUPS. None while the port is not known."""
    cups = configuration.cups
    return cups.uri or _uri("https", server_name(configuration), cups.port or port)


def api_uri(configuration: Configuration, port: int = 0) -> str | None:
    """``http://NAME:PORT``, or ``https:``, of the API. None while the port is not known."""
    api = configuration.api
    scheme = "https" if api.tls else "http"
    return _uri(scheme, server_name(configuration), api.port or port)


def _uri(scheme: str, name: str, port: int) -> str | None:
    return f"{scheme}://{name}:{port}" if port else None
