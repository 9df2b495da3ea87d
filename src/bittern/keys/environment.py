"""The key in the environment of the process, or in a credential that systemd hands to it
(systemd.exec, "CREDENTIALS"): nothing of it is in the data directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bittern.config import Secret
from bittern.errors import ConfigurationError, KeyProviderUnavailable
from bittern.keys.local import LocalProvider, kept_key

VARIABLE = "BITTERN_KEYS__SECRET"
FOLDER = "CREDENTIALS_DIRECTORY"
_FORM = "not a key: it must be 64 hexadecimal digits, such as `openssl rand -hex 32` prints"


def environment_provider(secret: Secret | None) -> LocalProvider:
    """Raises `KeyProviderUnavailable` without a secret, `ConfigurationError` if it is no key."""
    where = f"variable {VARIABLE}"
    if secret is None:
        raise KeyProviderUnavailable("environment", where, "is not set", f"set {VARIABLE}")
    kept = kept_key(secret.expose().encode())
    if kept is None:
        raise ConfigurationError([f"{VARIABLE}: {_FORM}"])
    return LocalProvider("environment", where, kept, f"set {VARIABLE} to the key that wrapped it")


def credential_provider(name: str, environment: Mapping[str, str]) -> LocalProvider:
    """`name` in the folder that the service manager names. Raises as `environment_provider`."""
    folder = environment.get(FOLDER)
    cure = f"let the unit have LoadCredentialEncrypted={name}:FILE"
    if not folder:
        raise KeyProviderUnavailable("credential", name, f"{FOLDER} is not set", cure)
    path = Path(folder) / name
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise KeyProviderUnavailable("credential", str(path), reason, cure) from None
    kept = kept_key(content)
    if kept is None:
        raise ConfigurationError([f"{path}: {_FORM}"])
    return LocalProvider(
        "credential", f"credential {path}", kept, "hand over the credential that wrapped it"
    )
