"""What a transit engine answers, and what becomes of it; integration/test_key_providers.py asks a
genuine one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bittern.config import Keys
from bittern.errors import KeyProviderRefused, KeyProviderUnavailable
from bittern.keys.vault_transit import VaultTransitProvider


class Engine:
    """Binds the associated data, unless it is `careless`."""

    def __init__(self) -> None:
        self.tokens = {"good"}
        self.careless = False
        self.failure: tuple[int, Any] | None = None
        self.seen: list[web.Request] = []
        self.logins = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append(request)
        if self.failure is not None:
            status, body = self.failure
            return web.json_response(body, status=status)
        asked = await request.json()
        if request.path == "/v1/auth/approle/login":
            if asked != {"role_id": "role", "secret_id": "secret"}:
                return _errors(400, "invalid role or secret ID")
            self.logins += 1
            self.tokens = {f"login {self.logins}"}
            return web.json_response({"auth": {"client_token": f"login {self.logins}"}})
        if request.headers.get("X-Vault-Token") not in self.tokens:
            return _errors(403, "permission denied")
        bound = "" if self.careless else asked["associated_data"]
        if request.path.endswith("/encrypt/bittern"):
            return _data(ciphertext=f"vault:v1:{bound}:{asked['plaintext']}")
        head, _, plaintext = asked["ciphertext"].rpartition(":")
        if head != f"vault:v1:{bound}":
            return _errors(400, "cipher: message authentication failed")
        return _data(plaintext=plaintext)


def _data(**data: str) -> web.Response:
    return web.json_response({"data": data})


def _errors(status: int, text: str) -> web.Response:
    return web.json_response({"errors": [text]}, status=status)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
async def url(engine: Engine) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/{path:.*}", engine.answer)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


def file(path: Path, text: str) -> Path:
    path.touch(0o600)
    path.write_text(text)
    return path


@pytest.fixture
async def provider(url: str, tmp_path: Path) -> AsyncIterator[VaultTransitProvider]:
    token = file(tmp_path / "token", "good\n")
    provider = VaultTransitProvider(Keys(vault_url=url, vault_token_file=token, timeout_s=5))
    yield provider
    await provider.close()


async def test_what_is_wrapped_unwraps_under_its_context_alone(
    provider: VaultTransitProvider,
) -> None:
    wrapped = await provider.wrap(b"data key", "c")
    assert wrapped.startswith(b"vault:v1:")
    assert await provider.unwrap(wrapped, "c") == b"data key"
    with pytest.raises(KeyProviderRefused, match="authentication failed; configure the key"):
        await provider.unwrap(wrapped, "d")


async def test_an_engine_that_binds_nothing_is_refused(
    provider: VaultTransitProvider, engine: Engine
) -> None:
    engine.careless = True
    with pytest.raises(KeyProviderRefused, match="make a key of type aes256-gcm96"):
        await provider.wrap(b"data key", "c")


async def test_it_says_where_the_key_is(provider: VaultTransitProvider, url: str) -> None:
    assert (provider.name, provider.describe()) == ("vault-transit", f"transit/bittern at {url}")
    other = VaultTransitProvider(
        Keys(vault_url=url, vault_mount="a/b", vault_key="k", vault_namespace="team")
    )
    assert other.describe() == f"team/a/b/k at {url}"


async def test_the_namespace_goes_along(engine: Engine, url: str, tmp_path: Path) -> None:
    token = file(tmp_path / "token", "good")
    keys = Keys(vault_url=url, vault_token_file=token, vault_namespace="team", vault_mount="a/b")
    provider = VaultTransitProvider(keys)
    await provider.wrap(b"k", "c")
    await provider.close()
    assert engine.seen[0].path == "/v1/a/b/encrypt/bittern"
    assert {request.headers["X-Vault-Namespace"] for request in engine.seen} == {"team"}


async def test_a_token_that_was_renewed_is_read_again(
    provider: VaultTransitProvider, engine: Engine, tmp_path: Path
) -> None:
    wrapped = await provider.wrap(b"data key", "c")
    engine.tokens = {"renewed"}
    with pytest.raises(KeyProviderRefused, match="permission denied; let the token update"):
        await provider.unwrap(wrapped, "c")
    (tmp_path / "token").write_text("renewed")
    assert await provider.unwrap(wrapped, "c") == b"data key"


async def test_a_login_by_app_role_is_renewed_when_it_has_ended(
    engine: Engine, url: str, tmp_path: Path
) -> None:
    role, secret = file(tmp_path / "role", "role"), file(tmp_path / "secret", "secret")
    keys = Keys(vault_url=url, vault_role_id_file=role, vault_secret_id_file=secret)
    provider = VaultTransitProvider(keys)
    wrapped = await provider.wrap(b"data key", "c")
    assert engine.logins == 1
    engine.tokens = set()
    assert await provider.unwrap(wrapped, "c") == b"data key"
    assert engine.logins == 2
    secret.write_text("another")
    engine.tokens = set()
    with pytest.raises(KeyProviderRefused, match="the login by AppRole is refused") as caught:
        await provider.unwrap(wrapped, "c")
    assert "another" not in str(caught.value)
    await provider.close()


@pytest.mark.parametrize(
    ("status", "cure"),
    [(400, "the key that wrapped it"), (403, "transit/decrypt/bittern"), (404, "transit engine")],
)
async def test_what_a_person_must_mend_is_refused(
    provider: VaultTransitProvider, engine: Engine, status: int, cure: str
) -> None:
    engine.failure = (status, {"errors": ["why"]})
    with pytest.raises(KeyProviderRefused, match=f"status {status}: why; .*{cure}"):
        await provider.unwrap(b"vault:v1:", "c")


@pytest.mark.parametrize("status", [307, 429, 472, 500, 503])
async def test_what_may_pass_is_unavailable(
    provider: VaultTransitProvider, engine: Engine, status: int
) -> None:
    engine.failure = (status, "no object")
    with pytest.raises(KeyProviderUnavailable, match=f"status {status}"):
        await provider.unwrap(b"vault:v1:", "c")


@pytest.mark.parametrize("body", [{}, {"data": 1}, {"data": {"plaintext": "no base64!"}}])
async def test_an_answer_of_something_else_is_unavailable(
    provider: VaultTransitProvider, engine: Engine, body: Any
) -> None:
    engine.failure = (200, body)
    with pytest.raises(KeyProviderUnavailable, match="none of a transit engine"):
        await provider.unwrap(b"vault:v1:", "c")


async def test_a_connection_that_is_refused_is_unavailable(tmp_path: Path) -> None:
    token = file(tmp_path / "token", "good")
    keys = Keys(vault_url="http://127.0.0.1:1", vault_token_file=token)
    provider = VaultTransitProvider(keys)
    with pytest.raises(KeyProviderUnavailable, match="see that it can be reached"):
        await provider.wrap(b"k", "c")
    await provider.close()
