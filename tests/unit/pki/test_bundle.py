from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest

from bittern.pki.authority import Authority
from bittern.pki.bundle import Bundle
from bittern.pki.issuing import issue_server_certificate
from bittern.types import Instant


@pytest.fixture
def bundle(authority: Authority, now: Instant) -> Bundle:
    issued = issue_server_certificate(authority, ["a"], now)
    return Bundle(issued.private_key_pem() + issued.certificate_pem)


def test_a_context_shows_what_was_never_on_a_disk(bundle: Bundle, tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    bundle.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_system_without_files_in_memory_gets_one_for_a_moment(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    bundle.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_does_not_print(bundle: Bundle) -> None:
    assert f"{bundle!r} {bundle}" == "Bundle(…) Bundle(…)"
