"""Data keys wrapped by services: moto's server, which serves disabled keys too, and a genuine
OpenBao or Vault.

Where the latter's program is, is said by ``BITTERN_OPENBAO_BIN``.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import trustme

sys.path.insert(0, str(Path(__file__).parent))
from aws_services import MISSING, OWN, REASON, REGION, Moto
from output_chaos import Program, free_port

from bittern.config import Keys
from bittern.errors import KeyProviderRefused, KeyProviderUnavailable
from bittern.keys.aws_kms import AwsKmsProvider
from bittern.keys.vault_transit import VaultTransitProvider
from bittern.testing import program as bittern

DATA_KEY = bytes(range(32))
OPENBAO = os.environ.get("BITTERN_OPENBAO_BIN", "")

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
moto_needed = pytest.mark.skipif(bool(MISSING), reason=REASON)
openbao_needed = pytest.mark.skipif(
    not OPENBAO, reason="BITTERN_OPENBAO_BIN names no program of OpenBao or Vault"
)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in OWN.items():
        monkeypatch.setenv(name, value)


# KMS


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def moto() -> AsyncIterator[Moto]:
    async with Moto(free_port()) as running:
        yield running


def kms(moto: Moto, key: str) -> AwsKmsProvider:
    return AwsKmsProvider(
        Keys(
            provider="aws-kms",
            kms_key=key,
            kms_region=REGION,
            kms_endpoint=moto.url,
            timeout_s=5,
        )
    )


def new_key(moto: Moto) -> str:
    client = moto.client("kms")
    try:
        return str(client.create_key()["KeyMetadata"]["Arn"])
    finally:
        client.close()


@moto_needed
async def test_kms_unwraps_under_the_context_alone(moto: Moto) -> None:
    provider = kms(moto, await asyncio.to_thread(new_key, moto))
    wrapped = await provider.wrap(DATA_KEY, "bittern data key 1")
    assert DATA_KEY not in wrapped
    assert await provider.unwrap(wrapped, "bittern data key 1") == DATA_KEY
    with pytest.raises(KeyProviderRefused):
        await provider.unwrap(wrapped, "bittern data key 2")
    with pytest.raises(KeyProviderRefused):
        await provider.unwrap(wrapped[:-1] + bytes([wrapped[-1] ^ 1]), "bittern data key 1")
    await provider.close()


@moto_needed
async def test_another_key_of_kms_is_refused(moto: Moto) -> None:
    one, other = [kms(moto, await asyncio.to_thread(new_key, moto)) for _ in range(2)]
    wrapped = await one.wrap(DATA_KEY, "c")
    with pytest.raises(KeyProviderRefused):
        await other.unwrap(wrapped, "c")
    absent = kms(
        moto, f"arn:aws:kms:{REGION}:123456789012:key/00000000-0000-0000-0000-000000000000"
    )
    with pytest.raises(KeyProviderRefused, match="NotFoundException"):
        await absent.wrap(DATA_KEY, "c")
    for provider in (one, other, absent):
        await provider.close()


@moto_needed
async def test_credentials_that_may_not_are_refused() -> None:
    port = free_port()
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1"]
    strict = {**os.environ, **OWN, "INITIAL_NO_AUTH_ACTION_COUNT": "0"}
    async with Program([*command, "-p", str(port)], port, env=strict):
        keys = Keys(kms_key="alias/a", kms_region=REGION, kms_endpoint=f"http://127.0.0.1:{port}")
        provider = AwsKmsProvider(keys)
        with pytest.raises(KeyProviderRefused, match="let these credentials"):
            await provider.wrap(DATA_KEY, "c")
        await provider.close()


@moto_needed
async def test_kms_that_is_away_is_unavailable() -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    keys = Keys(kms_key="alias/a", kms_region=REGION, kms_endpoint=endpoint, timeout_s=1)
    provider = AwsKmsProvider(keys)
    with pytest.raises(KeyProviderUnavailable, match="connect"):
        await provider.wrap(DATA_KEY, "c")
    await provider.close()


# OpenBao


class Bao:
    """A server for development, with TLS, that keeps all in memory."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        authority = trustme.CA()
        leaf = authority.issue_cert("127.0.0.1")
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca)
        leaf.private_key_pem.write_to_path(folder / "key.pem")
        for blob in leaf.cert_chain_pems:
            blob.write_to_path(folder / "cert.pem", append=True)
        self.url = f"https://127.0.0.1:{self.port}"
        configuration = folder / "server.json"
        listener = {
            "address": f"127.0.0.1:{self.port}",
            "tls_cert_file": str(folder / "cert.pem"),
            "tls_key_file": str(folder / "key.pem"),
        }
        configuration.write_text(
            json.dumps(
                {
                    "storage": {"inmem": {}},
                    "listener": {"tcp": listener},
                    "disable_mlock": True,
                    "api_addr": self.url,
                }
            )
        )
        command = [OPENBAO, "server", f"-config={configuration}"]
        self.program = Program(command, self.port, env={**os.environ, "HOME": str(folder)})
        self.folder = folder
        self.token = ""
        self.unsealing = ""

    async def ask(self, method: str, path: str, body: Any = None, namespace: str = "") -> Any:
        import ssl

        context = ssl.create_default_context(cafile=str(self.ca))
        headers = {"X-Vault-Token": self.token} if self.token else {}
        if namespace:
            headers["X-Vault-Namespace"] = namespace
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method, f"{self.url}/v1/{path}", json=body, headers=headers, ssl=context
            ) as answer,
        ):
            text = await answer.text()
            assert answer.status < 300, f"{path}: {text}"
            return json.loads(text) if text else {}

    async def begin(self) -> None:
        made = await self.ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self.token, self.unsealing = made["root_token"], made["keys"][0]
        await self.unseal()
        await self.ask("POST", "sys/mounts/transit", {"type": "transit"})
        await self.ask("POST", "transit/keys/bittern", {"type": "aes256-gcm96"})

    async def unseal(self) -> None:
        await self.ask("PUT", "sys/unseal", {"key": self.unsealing})
        for _ in range(100):
            if not (await self.ask("GET", "sys/seal-status"))["sealed"]:
                break
            await asyncio.sleep(0.05)
        for _ in range(100):  # then it becomes active
            try:
                await self.ask("GET", "sys/leader")
                await self.ask("GET", "sys/mounts")
                return
            except AssertionError:
                await asyncio.sleep(0.05)
        raise AssertionError("it does not become active")

    def provider(self, token: str = "", **settings: Any) -> VaultTransitProvider:
        path = self.folder / f"token-{abs(hash(token))}"
        path.touch(0o600)
        path.write_text(token or self.token)
        login = {} if "vault_role_id_file" in settings else {"vault_token_file": path}
        given = {"vault_url": self.url, "ca": self.ca, "timeout_s": 10, **login, **settings}
        return VaultTransitProvider(Keys(provider="vault-transit", **given))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bao(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bao]:
    server = Bao(tmp_path_factory.mktemp("bao"))
    async with server.program:
        await server.begin()
        yield server


@openbao_needed
async def test_openbao_unwraps_under_the_context_alone(bao: Bao) -> None:
    provider = bao.provider()
    wrapped = await provider.wrap(DATA_KEY, "bittern data key 1")
    assert wrapped.startswith(b"vault:v1:")
    assert await provider.unwrap(wrapped, "bittern data key 1") == DATA_KEY
    with pytest.raises(KeyProviderRefused, match="status 400"):
        await provider.unwrap(wrapped, "bittern data key 2")
    for place in (12, len(wrapped) - 5):
        changed = bytearray(wrapped)
        changed[place] = ord("A") if changed[place] != ord("A") else ord("B")
        with pytest.raises(KeyProviderRefused):
            await provider.unwrap(bytes(changed), "bittern data key 1")
    await provider.close()


@openbao_needed
@pytest.mark.parametrize("kind", ["aes128-gcm96", "chacha20-poly1305"])
@pytest.mark.parametrize("derived", [False, True])
async def test_every_kind_of_key_binds_the_context(bao: Bao, kind: str, derived: bool) -> None:
    name = f"{kind}-{derived}".lower()
    await bao.ask("POST", f"transit/keys/{name}", {"type": kind, "derived": derived})
    provider = bao.provider(vault_key=name)
    wrapped = await provider.wrap(DATA_KEY, "c")
    assert await provider.unwrap(wrapped, "c") == DATA_KEY
    with pytest.raises(KeyProviderRefused):
        await provider.unwrap(wrapped, "d")
    await provider.close()


@openbao_needed
async def test_versions_of_a_rotated_key_unwrap_until_they_are_forbidden(bao: Bao) -> None:
    await bao.ask("POST", "transit/keys/turning", {"type": "aes256-gcm96"})
    provider = bao.provider(vault_key="turning")
    old = await provider.wrap(DATA_KEY, "c")
    await bao.ask("POST", "transit/keys/turning/rotate", {})
    new = await provider.wrap(DATA_KEY, "c")
    assert (old[:9], new[:9]) == (b"vault:v1:", b"vault:v2:")
    assert await provider.unwrap(old, "c") == await provider.unwrap(new, "c") == DATA_KEY
    await bao.ask("POST", "transit/keys/turning/config", {"min_decryption_version": 2})
    with pytest.raises(KeyProviderRefused, match="version is disallowed"):
        await provider.unwrap(old, "c")
    assert await provider.unwrap(new, "c") == DATA_KEY
    await provider.close()


@openbao_needed
async def test_another_key_of_openbao_is_refused(bao: Bao) -> None:
    await bao.ask("POST", "transit/keys/another", {"type": "aes256-gcm96"})
    one, other = bao.provider(), bao.provider(vault_key="another")
    wrapped = await one.wrap(DATA_KEY, "c")
    with pytest.raises(KeyProviderRefused, match="the key that wrapped it"):
        await other.unwrap(wrapped, "c")
    absent = bao.provider(vault_mount="nowhere")
    with pytest.raises(KeyProviderRefused, match="enable the transit engine at nowhere"):
        await absent.wrap(DATA_KEY, "c")
    for provider in (one, other, absent):
        await provider.close()


POLICY = "".join(
    f'path "transit/{verb}/bittern" {{ capabilities = ["update"] }}\n'
    for verb in ("encrypt", "decrypt")
)


@openbao_needed
async def test_an_app_role_has_the_policy_of_the_documentation(bao: Bao, tmp_path: Path) -> None:
    await bao.ask("PUT", "sys/policies/acl/bittern", {"policy": POLICY})
    await bao.ask("POST", "sys/auth/approle", {"type": "approle"})
    role = {"token_policies": "bittern", "token_ttl": "1s", "token_max_ttl": "1s"}
    await bao.ask("POST", "auth/approle/role/bittern", role)
    role_id = (await bao.ask("GET", "auth/approle/role/bittern/role-id"))["data"]["role_id"]
    secret = await bao.ask("POST", "auth/approle/role/bittern/secret-id", {})
    files = {"vault_role_id_file": role_id, "vault_secret_id_file": secret["data"]["secret_id"]}
    for name, text in files.items():
        (tmp_path / name).touch(0o600)
        (tmp_path / name).write_text(text)
    provider = bao.provider(**{name: tmp_path / name for name in files})
    wrapped = await provider.wrap(DATA_KEY, "c")
    await asyncio.sleep(1.5)  # the token ends
    assert await provider.unwrap(wrapped, "c") == DATA_KEY
    await provider.close()
    (tmp_path / "vault_secret_id_file").write_text("00000000-0000-0000-0000-000000000000")
    stranger = bao.provider(**{name: tmp_path / name for name in files})
    with pytest.raises(KeyProviderRefused, match="login by AppRole is refused"):
        await stranger.unwrap(wrapped, "c")
    await stranger.close()


@openbao_needed
async def test_a_token_that_may_not_is_refused(bao: Bao) -> None:
    made = await bao.ask("POST", "auth/token/create", {"policies": ["default"]})
    provider = bao.provider(made["auth"]["client_token"])
    with pytest.raises(KeyProviderRefused, match="let the token update transit/encrypt/bittern"):
        await provider.wrap(DATA_KEY, "c")
    await provider.close()


@openbao_needed
async def test_a_namespace_has_keys_of_its_own(bao: Bao) -> None:
    try:
        await bao.ask("POST", "sys/namespaces/team", {})
    except AssertionError:
        pytest.skip("this server has no namespaces")
    await bao.ask("POST", "sys/mounts/transit", {"type": "transit"}, "team")
    await bao.ask("POST", "transit/keys/bittern", {"type": "aes256-gcm96"}, "team")
    inside, outside = bao.provider(vault_namespace="team"), bao.provider()
    wrapped = await inside.wrap(DATA_KEY, "c")
    assert await inside.unwrap(wrapped, "c") == DATA_KEY
    with pytest.raises(KeyProviderRefused):
        await outside.unwrap(wrapped, "c")
    await inside.close()
    await outside.close()


@openbao_needed
async def test_a_certificate_of_an_unknown_authority_is_unavailable(bao: Bao) -> None:
    provider = bao.provider(ca=None)
    with pytest.raises(KeyProviderUnavailable, match=r"CERTIFICATE_VERIFY_FAILED.*keys\.ca"):
        await provider.wrap(DATA_KEY, "c")
    await provider.close()


@openbao_needed
async def test_an_installation_moves_to_openbao_and_follows_its_rotation(
    bao: Bao, tmp_path: Path
) -> None:
    await bao.ask("POST", "transit/keys/moved-to", {"type": "aes256-gcm96"})
    (tmp_path / "token").touch(0o600)
    (tmp_path / "token").write_text(bao.token)
    after = tmp_path / "after.toml"
    after.write_text(
        f"""data_dir = "data"
[keys]
provider = "vault-transit"
vault_url = "{bao.url}"
vault_key = "moved-to"
vault_token_file = "token"
ca = "{bao.ca}"
"""
    )
    program = bittern.Program(tmp_path)
    await program.run("device", "add", "70b3d57ed0000001", "--app-key", "00ff" * 8)
    await program.run("keys", "provider", "--to", after)
    (tmp_path / "data" / "data.key").unlink()
    status = await program.json("keys", "status", "--config", after)
    assert status["provider"] == "vault-transit"
    await bao.ask("POST", "transit/keys/moved-to/rotate", {})
    await program.run("keys", "provider", "--config", after, "--to", after)
    await bao.ask("POST", "transit/keys/moved-to/config", {"min_decryption_version": 2})
    shown = await program.json("device", "show", "70b3d57ed0000001", "--config", after)
    assert shown["dev_eui"] == "70b3d57ed0000001"


@openbao_needed
async def test_a_sealed_server_is_unavailable_until_it_is_unsealed(bao: Bao) -> None:
    provider = bao.provider()
    wrapped = await provider.wrap(DATA_KEY, "c")
    await bao.ask("PUT", "sys/seal")
    with pytest.raises(KeyProviderUnavailable, match="unseal it"):
        await provider.unwrap(wrapped, "c")
    await bao.unseal()
    assert await provider.unwrap(wrapped, "c") == DATA_KEY
    await provider.close()
