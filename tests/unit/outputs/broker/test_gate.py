from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bittern.outputs.broker.accounts import (
    USERNAME,
    WITHOUT_PASSWORD,
    Accounts,
    CertificateRecord,
)
from bittern.outputs.broker.caller import Caller
from bittern.outputs.broker.gate import Denied, Gate
from bittern.outputs.broker.permissions import EVERYTHING
from bittern.outputs.broker.throttle import ThrottleLimits
from bittern.outputs.broker.users import Login, Users
from bittern.outputs.mqtt.packets import Connect, ConnectCode
from bittern.types import Instant

FINGERPRINT = "ab" * 32


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    made = Accounts(tmp_path / "password", tmp_path / "users")
    record = CertificateRecord(FINGERPRINT, Instant(1e12))
    with_certificate = msgspec.structs.replace(WITHOUT_PASSWORD, certificates=(record,))
    password = WITHOUT_PASSWORD.with_password(b"right")
    made.change(lambda known: known.update({"lake": password, "sea": with_certificate}))
    return made


@pytest.fixture
def gate(tmp_path: Path, accounts: Accounts, clock: Any) -> Gate:
    users = Users.open(tmp_path / "password", tmp_path / "users")
    limits = ThrottleLimits(free=3, first_s=10.0)
    return Gate(users, now=clock.now, refused_s=0.0, throttle=limits)


async def knock(
    gate: Gate,
    username: str | None,
    password: bytes | None,
    address: str = "192.0.2.1",
    certificate: str | None = None,
) -> Login | Denied:
    connect = Connect(client_id="c", username=username, password=password)
    return await gate.authenticate(connect, Caller(address, certificate))


def code_of(answer: Login | Denied) -> ConnectCode:
    assert isinstance(answer, Denied)
    return answer.code


async def test_password_logs_in_with_the_permissions_of_its_user(gate: Gate) -> None:
    assert await knock(gate, "lake", b"right") == Login("lake", EVERYTHING)
    assert gate.refused == 0


@pytest.mark.parametrize(
    ("username", "password", "code"),
    [
        ("lake", b"wrong", 4),
        ("lake", None, 4),
        ("nobody", b"right", 4),
        (USERNAME, b"right", 4),
        ("sea", b"", 4),
        ("x" * 65_000, b"", 4),
        (None, None, 5),
    ],
)
async def test_nobody_gets_in_otherwise(
    gate: Gate, username: str | None, password: bytes | None, code: int
) -> None:
    assert code_of(await knock(gate, username, password)) == code
    assert gate.refused == 1


@pytest.mark.parametrize("username", [None, "", "sea"])
async def test_certificate_logs_in_without_a_password(gate: Gate, username: str | None) -> None:
    answer = await knock(gate, username, None, certificate=FINGERPRINT)
    assert answer == Login("sea", EVERYTHING)


async def test_certificate_of_another_purpose_or_user_does_not(gate: Gate) -> None:
    for name, shown, reason in [(None, "cd" * 32, "of no user"), ("lake", FINGERPRINT, "not of")]:
        answer = await knock(gate, name, None, certificate=shown)
        assert isinstance(answer, Denied)
        assert reason in answer.reason


async def test_password_decides_where_both_are_there(gate: Gate) -> None:
    answer = await knock(gate, "lake", b"right", certificate=FINGERPRINT)
    assert answer == Login("lake", EVERYTHING)
    assert code_of(await knock(gate, "sea", b"wrong", certificate=FINGERPRINT)) == 4


async def test_guessing_is_stopped_even_with_the_right_guess(gate: Gate, clock: Any) -> None:
    for number in range(4):
        assert code_of(await knock(gate, "lake", b"%d" % number)) == 4
    assert code_of(await knock(gate, "lake", b"right")) == 5
    assert gate.blocked == 1
    clock.advance(10.0)
    assert isinstance(await knock(gate, "lake", b"right"), Login)


async def test_guesses_at_the_same_time_are_counted_too(gate: Gate) -> None:
    answers = await asyncio.gather(*[knock(gate, "lake", b"%d" % n) for n in range(12)])
    assert [code_of(answer) for answer in answers].count(ConnectCode.BAD_CREDENTIALS) <= 5
    assert gate.blocked >= 7


async def test_program_with_an_old_password_locks_nobody_out(gate: Gate) -> None:
    for _ in range(20):
        assert code_of(await knock(gate, "lake", b"of yesterday")) == 4
    assert isinstance(await knock(gate, "lake", b"right"), Login)


async def test_who_was_here_before_gets_in_while_another_guesses(gate: Gate) -> None:
    await knock(gate, "lake", b"right", "198.51.100.7")
    for number in range(6):
        await knock(gate, "lake", b"%d" % number)
    assert isinstance(await knock(gate, "lake", b"right", "198.51.100.7"), Login)


async def test_change_of_the_file_is_followed_and_a_broken_one_is_not(
    gate: Gate, accounts: Accounts, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert gate.follow() is None
    accounts.change(lambda known: known.pop("lake"))
    change = gate.follow()
    assert change is not None
    assert change.gone == {"lake"}
    assert gate.login("lake") is None
    (tmp_path / "users").write_text("{")
    assert gate.follow() is None
    assert "stay as they were" in caplog.text
    assert gate.login("sea") is not None
