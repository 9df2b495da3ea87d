"""The transit engine of HashiCorp Vault or of OpenBao: the key that wraps never leaves it.

What it wraps names the version of its key (``vault:v3:…``), so the key there may be rotated at any
time; `bittern keys rotate` then has data keys that are wrapped by the new one.

The context goes as associated data, which keys of an AEAD bind, and as the context that keys made
with ``derived`` are derived by. An engine that binds neither is refused when it first wraps.
"""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec

from bittern.config import Keys, Secret
from bittern.errors import KeyProviderError, KeyProviderRefused, KeyProviderUnavailable
from bittern.keys.secret_file import first_line

NAME = "vault-transit"
ANSWER_BYTES = 1024 * 1024
REASON_CHARACTERS = 300
_DENIED = 403
_LATER = frozenset({307, 408, 412, 429, 472, 473})
"""Beside 5xx: a standby, busy, a replica that lags behind."""
_CURES = {
    400: "configure the key that wrapped it, or restore the database",
    403: "let the token update {mount}/encrypt/{key} and {mount}/decrypt/{key}",
    404: "enable the transit engine at {mount}, and make the key {key} there",
    503: "unseal it",
}


class VaultTransitProvider:
    """Connects, and logs in where that is by an AppRole, when it is first asked."""

    def __init__(self, keys: Keys) -> None:
        """`keys.vault_url` is there, and a token's file or an AppRole's two."""
        self._keys = keys
        self._token: Secret | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def name(self) -> str:
        return NAME

    def describe(self) -> str:
        keys = self._keys
        namespace = f"{keys.vault_namespace}/" if keys.vault_namespace else ""
        return f"{namespace}{keys.vault_mount}/{keys.vault_key} at {keys.vault_url}"

    async def wrap(self, data_key: bytes, context: str) -> bytes:
        request = {"plaintext": b64encode(data_key).decode(), **_bound(context)}
        wrapped = (await self._ask("encrypt", request)).encode("ascii")
        try:
            await self.unwrap(wrapped, f"not {context}")
        except KeyProviderRefused:
            return wrapped
        reason = "its key does not bind what it wraps to its purpose"
        cure = "make a key of type aes256-gcm96"
        raise KeyProviderRefused(NAME, self.describe(), reason, cure)

    async def unwrap(self, wrapped: bytes, context: str) -> bytes:
        request = {"ciphertext": wrapped.decode("ascii", "replace"), **_bound(context)}
        try:
            return b64decode(await self._ask("decrypt", request), validate=True)
        except ValueError:
            raise self._unavailable("an answer that is none of a transit engine") from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _ask(self, verb: str, request: Mapping[str, str]) -> str:
        keys = self._keys
        path = f"{keys.vault_mount}/{verb}/{keys.vault_key}"
        used = self._token or await self._log_in()
        status, answer = await self._post(path, request, used)
        if status == _DENIED:
            # The token has ended, perhaps: whoever keeps it fresh has another one by now.
            fresh = await self._log_in()
            if fresh.expose() != used.expose():
                status, answer = await self._post(path, request, fresh)
        if status != 200:
            raise self._of_answer(status, answer)
        text = _inner(answer, "data").get("plaintext" if verb == "decrypt" else "ciphertext")
        if not isinstance(text, str):
            raise self._unavailable("an answer that is none of a transit engine")
        return text

    async def _log_in(self) -> Secret:
        keys = self._keys
        if keys.vault_token_file is not None:
            self._token = await asyncio.to_thread(first_line, keys.vault_token_file, NAME)
            return self._token
        assert keys.vault_role_id_file is not None and keys.vault_secret_id_file is not None
        role, secret = await asyncio.to_thread(
            lambda: [
                first_line(path, NAME)
                for path in (keys.vault_role_id_file, keys.vault_secret_id_file)
                if path is not None
            ]
        )
        request = {"role_id": role.expose(), "secret_id": secret.expose()}
        status, answer = await self._post(f"auth/{keys.vault_login_mount}/login", request, None)
        token = _inner(answer, "auth").get("client_token")
        if status == 200 and isinstance(token, str):
            self._token = Secret(token)
            return self._token
        if _passes(status):
            raise self._of_answer(status, answer)
        reason = f"the login by AppRole is refused: {_told(status, answer)}"
        cure = "give the files of a role and of a secret that is valid"
        raise KeyProviderRefused(NAME, self.describe(), reason, cure)

    async def _post(
        self, path: str, request: Mapping[str, str], token: Secret | None
    ) -> tuple[int, Mapping[str, Any]]:
        headers = {"X-Vault-Request": "true"}
        if token is not None:
            headers["X-Vault-Token"] = token.expose()
        if self._keys.vault_namespace:
            headers["X-Vault-Namespace"] = self._keys.vault_namespace
        url = f"{str(self._keys.vault_url).rstrip('/')}/v1/{path}"
        try:
            session = self._session = self._session or self._connected()
            async with session.post(
                url, json=request, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status, await _read(answer)
        except TimeoutError:
            raise self._unavailable(f"no answer within {self._keys.timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._unavailable(" ".join(str(error).split())[:REASON_CHARACTERS]) from None

    def _connected(self) -> aiohttp.ClientSession:
        ca = self._keys.ca
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context),
            timeout=aiohttp.ClientTimeout(total=self._keys.timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    def _of_answer(self, status: int, answer: Mapping[str, Any]) -> KeyProviderError:
        kind = KeyProviderUnavailable if _passes(status) else KeyProviderRefused
        cure = _CURES.get(status, "")
        cure = cure.format(mount=self._keys.vault_mount, key=self._keys.vault_key)
        return kind(NAME, self.describe(), _told(status, answer), cure)

    def _unavailable(self, reason: str) -> KeyProviderUnavailable:
        cure = "see that it can be reached, and that keys.ca is its authority"
        return KeyProviderUnavailable(NAME, self.describe(), reason, cure)

    def __repr__(self) -> str:
        return f"VaultTransitProvider({self.describe()!r})"


def _bound(context: str) -> dict[str, str]:
    text = b64encode(context.encode()).decode()
    return {"associated_data": text, "context": text}


def _passes(status: int) -> bool:
    return status >= 500 or status in _LATER


async def _read(answer: aiohttp.ClientResponse) -> Mapping[str, Any]:
    """Empty for what is no object in JSON, or too long."""
    body = b""
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > ANSWER_BYTES:
            return {}
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _inner(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = answer.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _told(status: int, answer: Mapping[str, Any]) -> str:
    errors = answer.get("errors")
    texts = [str(one) for one in errors] if isinstance(errors, list) else []
    text = f"status {status}: {' '.join(texts)}" if texts else f"status {status}"
    return " ".join(text.split())[:REASON_CHARACTERS]
