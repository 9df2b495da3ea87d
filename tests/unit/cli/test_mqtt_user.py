from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bittern.outputs.broker.permissions import EVERYTHING
from bittern.outputs.broker.users import Users


@pytest.fixture
def users(bittern: Any) -> Any:
    """What a server would know that starts now."""
    folder = bittern.data_dir
    return lambda: Users.open(folder / "mqtt.password", folder / "mqtt.users")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("of my own\nsecond line\n")
    return path


def test_password_is_drawn_and_told_once(bittern: Any, users: Any) -> None:
    done = bittern.done("mqtt", "user", "add", "lake")
    password = done.stdout.strip()
    assert len(password) >= 24
    assert users().check("lake", password.encode())
    assert not any(
        password.encode() in path.read_bytes()
        for path in bittern.data_dir.iterdir()
        if path.is_file()
    )


def test_default_user_is_made_as_ever_and_stays_as_it_is(bittern: Any, users: Any) -> None:
    bittern.done("mqtt", "user", "add", "lake")
    password = (bittern.data_dir / "mqtt.password").read_bytes().strip()
    assert users().check("bittern", password)
    assert users().login("bittern").permissions == EVERYTHING


def test_password_of_a_file_is_not_told(bittern: Any, users: Any, secret: Path) -> None:
    done = bittern.done("mqtt", "user", "add", "lake", "--password-file", secret)
    assert "of my own" not in done.stdout + done.stderr
    assert users().check("lake", b"of my own")


def test_new_user_listens_to_everything_but_what_begins_with_a_dollar(
    bittern: Any, users: Any
) -> None:
    bittern.done("mqtt", "user", "add", "lake")
    permissions = users().login("lake").permissions
    assert permissions.may_subscribe("#")
    assert not permissions.may_subscribe("$aws/#")
    assert not permissions.may_publish("a")


def test_patterns_are_those_given(bittern: Any, users: Any) -> None:
    bittern.done(
        *["mqtt", "user", "add", "lake", "--publish", "in/%u/#"],
        *["--subscribe", "site/#", "--subscribe", "$aws/#"],
    )
    permissions = users().login("lake").permissions
    assert (permissions.publish, permissions.subscribe) == (("in/lake/#",), ("site/#", "$aws/#"))
    bittern.done("mqtt", "user", "permit", "lake", "--subscribe", "other/#")
    permissions = users().login("lake").permissions
    assert (permissions.publish, permissions.subscribe) == (("in/lake/#",), ("other/#",))
    bittern.done("mqtt", "user", "permit", "lake", "--publish", "x", "--nothing")
    permissions = users().login("lake").permissions
    assert (permissions.publish, permissions.subscribe) == (("x",), ())


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["add", "a/b"], "letters"),
        (["add", "lake", "--publish", "$aws/x"], "server's"),
        (["add", "lake", "--subscribe", "a#"], "whole levels"),
        (["permit", "lake"], "--publish"),
    ],
)
def test_wrong_usage_is_told(bittern: Any, arguments: list[str], word: str) -> None:
    done = bittern("mqtt", "user", *arguments)
    assert done.exit_code == 2
    assert word in done.stderr


def test_contradicting_options_are_wrong_usage(bittern: Any, secret: Path) -> None:
    done = bittern(
        *["mqtt", "user", "add", "lake", "--no-password", "--password-file", secret],
    )
    assert done.exit_code == 2


def test_user_exists_once(bittern: Any) -> None:
    bittern.done("mqtt", "user", "add", "lake")
    done = bittern("mqtt", "user", "add", "lake")
    assert (done.exit_code, "exists already" in done.stderr) == (1, True)


@pytest.mark.parametrize("verb", ["passwd", "remove"])
def test_unknown_user_is_told(bittern: Any, verb: str) -> None:
    done = bittern("mqtt", "user", verb, "nobody")
    assert (done.exit_code, done.stderr) == (1, "bittern: no MQTT user nobody\n")


def test_another_password_ends_the_first(bittern: Any, users: Any) -> None:
    first = bittern.done("mqtt", "user", "add", "lake").stdout.strip().encode()
    second = bittern.done("mqtt", "user", "passwd", "lake").stdout.strip().encode()
    assert not users().check("lake", first)
    assert users().check("lake", second)


def test_password_of_the_default_user_stays_changed_over_a_start(
    bittern: Any, users: Any, secret: Path
) -> None:
    bittern.done("mqtt", "user", "list")
    users()
    bittern.done("mqtt", "user", "passwd", "bittern", "--password-file", secret)
    assert users().check("bittern", b"of my own")
    assert (bittern.data_dir / "mqtt.password").read_bytes() == b"of my own\n"


def test_default_user_may_go_when_there_is_another(bittern: Any, users: Any) -> None:
    bittern.done("mqtt", "user", "list")
    users()
    refused = bittern("mqtt", "user", "remove", "bittern")
    assert (refused.exit_code, "the only one" in refused.stderr) == (1, True)
    bittern.done("mqtt", "user", "add", "lake")
    bittern.done("mqtt", "user", "remove", "bittern")
    assert users().names == {"lake"}
    assert not (bittern.data_dir / "mqtt.password").exists()


def test_users_are_listed_without_their_secrets(bittern: Any, users: Any) -> None:
    assert "no users yet" in bittern.done("mqtt", "user", "list").stderr
    bittern.done("mqtt", "user", "add", "lake", "--no-password", "--publish", "x")
    lines = bittern.done("mqtt", "user", "list").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["NAME", "LOGS"],
        ["bittern", "password"],
        ["lake", "nothing"],
    ]
    listed = bittern.done("mqtt", "user", "list", "--json").json
    assert listed[1] == {
        "name": "lake",
        "password": False,
        "publish": ["x"],
        "subscribe": ["#"],
        "certificates": [],
    }
    assert not users().check("lake", b"")
