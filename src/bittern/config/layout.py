"""Where everything lies in the data directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one installation. All of them are for their owner alone."""

    data_dir: Path

    @property
    def database(self) -> Path:
        return self.data_dir / "bittern.db"

    @property
    def audit_head(self) -> Path:
        """The newest entry of the audit log, kept apart from it."""
        return self.data_dir / "audit.head"

    @property
    def data_key(self) -> Path:
        """The key that seals every secret in the database. Without it they are lost."""
        return self.data_dir / "data.key"

    @property
    def pki(self) -> Path:
        """Folder of the certificate authority and of the server's certificate."""
        return self.data_dir / "pki"

    @property
    def join_server(self) -> Path:
        """Folder of what a network needs to ask its join server, unless the configuration names
        other files: ``client.crt``, ``client.key``, ``ca.crt``, ``kek``."""
        return self.data_dir / "join-server"

    @property
    def firmware(self) -> Path:
        """Images of updates for gateways, unless the configuration names another folder."""
        return self.data_dir / "firmware"

    @property
    def firmware_keys(self) -> Path:
        """Public keys by which images are checked before a gateway is given one."""
        return self.firmware / "keys"

    @property
    def mqtt_password(self) -> Path:
        """One line: the password of the embedded broker's users."""
        return self.data_dir / "mqtt.password"

    @property
    def mqtt_users(self) -> Path:
        """What the embedded broker checks passwords against."""
        return self.data_dir / "mqtt.users"

    @property
    def mqtt_sessions(self) -> Path:
        """What the embedded broker owes to subscribers that are away."""
        return self.data_dir / "mqtt.db"

    @property
    def server_lock(self) -> Path:
        """Held by the server that runs on this directory."""
        return self.data_dir / "run" / "server.lock"

    @property
    def feed_socket(self) -> Path:
        """What `bittern tail` reads, while a server runs."""
        return self.data_dir / "run" / "feed.sock"

    @property
    def control_socket(self) -> Path:
        """By which `bittern gateway run` and `bittern gateway shell` reach a running server."""
        return self.data_dir / "run" / "control.sock"
