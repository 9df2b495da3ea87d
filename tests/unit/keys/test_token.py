from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
import tokens

from bittern.config import Keys
from bittern.errors import KeyFileExposed, KeyProviderRefused, KeyProviderUnavailable
from bittern.keys.token import Token


async def test_users_of_a_token_share_one_login(token: str) -> None:
    one, other = Token.open(tokens.keys(token)), Token.open(tokens.keys(token))
    assert one is other
    label = await one.run(lambda session: session.token.label)
    await one.close()
    assert await other.run(lambda session: session.token.label) == label == token
    await other.close()
    again = Token.open(tokens.keys(token))
    assert again is not one
    assert await again.run(lambda session: session.token.label) == token
    await again.close()


async def test_a_token_may_be_opened_while_it_is_being_closed(token: str) -> None:
    for _ in range(20):
        before = Token.open(tokens.keys(token))
        assert await before.run(lambda session: session.token.label) == token
        closing = asyncio.create_task(before.close())
        await asyncio.sleep(0)
        after = Token.open(tokens.keys(token))
        assert await after.run(_keys) == 0
        await closing
        assert await after.run(_keys) == 0
        await after.close()


def _keys(session: Any) -> int:
    return len(list(session.get_objects({})))


async def test_a_wrong_pin_is_tried_once_and_by_nobody_again(token: str) -> None:
    wrong = Token.open(tokens.keys(token, "0000"))
    with pytest.raises(KeyProviderRefused, match="was refused, and is not tried again") as caught:
        await wrong.run(lambda session: None)
    assert "0000" not in str(caught.value)
    tried = tokens.login_flags(token)
    assert tried, "the token counts"
    for _ in range(20):
        with pytest.raises(KeyProviderRefused):
            await wrong.run(lambda session: None)
    await wrong.close()
    # Another process, such as a service manager starts, with the same PIN or another one.
    for pin in ("0000", tokens.PIN):
        later = Token.open(tokens.keys(token, pin))
        with pytest.raises(KeyProviderRefused, match="so none is tried; give the right one"):
            await later.run(lambda session: None)
        await later.close()
    assert tokens.login_flags(token) == tried
    person = Token.open(tokens.keys(token))
    await person.log_in()
    assert await person.run(lambda session: session.token.label) == token
    assert not tokens.login_flags(token)
    await person.close()


async def test_a_pin_that_was_put_right_is_asked_for_anew(token: str, tmp_path: Path) -> None:
    path = tmp_path / "pin"
    path.touch(0o600)
    path.write_text("0000\n")
    keys = Keys(pkcs11_module=tokens.MODULE, pkcs11_token=token, pkcs11_pin_file=path)
    opened = Token.open(keys)
    with pytest.raises(KeyProviderRefused):
        await opened.log_in()
    path.write_text(f"{tokens.PIN}\n")
    await opened.log_in()
    assert await opened.run(lambda session: session.token.label) == token
    await opened.close()


async def test_a_file_with_the_pin_is_not_for_everybody(token: str, tmp_path: Path) -> None:
    path = tmp_path / "pin"
    path.write_text(tokens.PIN)
    path.chmod(0o644)
    keys = Keys(pkcs11_module=tokens.MODULE, pkcs11_token=token, pkcs11_pin_file=path)
    opened = Token.open(keys)
    with pytest.raises(KeyFileExposed):
        await opened.run(lambda session: None)
    await opened.close()


async def test_a_module_that_began_anew_is_logged_in_to_again(token: str) -> None:
    opened = Token.open(tokens.keys(token))
    assert await opened.run(lambda session: session.generate_random(64))
    tokens.begin_anew()
    assert await opened.run(lambda session: session.generate_random(64))
    await opened.close()


async def test_an_absent_pin_is_told_with_the_cure(token: str) -> None:
    opened = Token.open(Keys(pkcs11_module=tokens.MODULE, pkcs11_token=token))
    with pytest.raises(KeyProviderUnavailable, match=r"is not given; set keys\.pkcs11_pin_file"):
        await opened.run(lambda session: None)
    await opened.close()


def test_no_token_without_a_configuration() -> None:
    with pytest.raises(KeyProviderUnavailable, match=r"set keys\.pkcs11_module"):
        Token.open(Keys())


async def test_a_module_that_is_none_is_told(softhsm: None, tmp_path: Path) -> None:
    path = tmp_path / "module.so"
    path.write_text("not a library")
    opened = Token.open(Keys(pkcs11_module=path, pkcs11_token="t"))
    with pytest.raises(KeyProviderUnavailable, match="the module fails"):
        await opened.run(lambda session: None)
    await opened.close()


async def test_without_the_library_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    opened = Token.open(Keys(pkcs11_module=tmp_path, pkcs11_token="t"))
    with pytest.raises(KeyProviderUnavailable, match=r"install bittern\[pkcs11\]"):
        await opened.run(lambda session: None)
    await opened.close()
