"""An installation with a secret in every kind of place, made without a server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bittern.config import Configuration
from bittern.config.layout import Layout
from bittern.installation import opened_keychain, opened_store
from bittern.keys.keychain import Keychain
from bittern.store.ports.sessions import Deliver
from bittern.store.records import OtaaActivation
from bittern.testing import examples
from bittern.types import AppKey, Instant
from bittern.upkeep.backup import Source

NOW = Instant(1_700_000_000.0)
APP_KEY = bytes.fromhex("deadbeef00112233deadbeef44556677")
ACTIVATION = OtaaActivation(join_eui=examples.JOIN_EUI, app_key=AppKey(APP_KEY))
PAYLOAD = b"a payload that nobody else shall read"


@dataclass
class Site:
    configuration: Configuration
    keychain: Keychain

    @property
    def layout(self) -> Layout:
        return Layout(self.configuration.data_dir)

    @property
    def source(self) -> Source:
        return Source(
            self.layout,
            self.keychain.provider,
            self.keychain.ring,
            lambda: self.keychain.keys,
            self.layout.data_key,
        )


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    configuration = Configuration(data_dir=tmp_path / "data")
    async with opened_keychain(configuration, NOW) as keychain:
        async with opened_store(configuration, NOW, keychain) as store:
            await store.add_device_profile(examples.DEVICE_PROFILE)
            await store.add_service_profile(examples.SERVICE_PROFILE)
            await store.add_destination(examples.DESTINATION)
            await store.add_device(examples.device(activation=ACTIVATION))
            session = examples.session(generation=1, fcnt_up=10, nfcnt_down=20)
            await store.activate(None, examples.join_state(), session)
            await store.advance(
                session,
                examples.next_session(session),
                Deliver(examples.delivery(document=PAYLOAD)),
            )
        pki = configuration.data_dir / "pki"
        pki.mkdir(mode=0o700, exist_ok=True)
        (pki / "ca.key").write_bytes(b"-----BEGIN PRIVATE KEY----- of the authority")
        yield Site(configuration, keychain)
