"""The key provider that the configuration names."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from bittern.config import Keys
from bittern.keys.aws_kms import AwsKmsProvider
from bittern.keys.environment import credential_provider, environment_provider
from bittern.keys.file import file_provider
from bittern.keys.pkcs11 import Pkcs11Provider
from bittern.keys.provider import KeyProvider
from bittern.keys.vault_transit import VaultTransitProvider

_CHOICES: Mapping[str, Callable[[Keys, Path], KeyProvider]] = {
    "file": lambda keys, default: file_provider(keys.path or default),
    "environment": lambda keys, _: environment_provider(keys.secret),
    "credential": lambda keys, _: credential_provider(keys.credential, os.environ),
    "aws-kms": lambda keys, _: AwsKmsProvider(keys),
    "vault-transit": lambda keys, _: VaultTransitProvider(keys),
    "pkcs11": lambda keys, _: Pkcs11Provider(keys),
}


def provider_of(keys: Keys, key_file: Path) -> KeyProvider:
    """`key_file` is that of the data directory, where the configuration names none.

    Raises `KeyFileExposed`, `ConfigurationError`, `KeyProviderError` or `OSError`, as the chosen
    one does.
    """
    return _CHOICES[keys.provider](keys, key_file)
