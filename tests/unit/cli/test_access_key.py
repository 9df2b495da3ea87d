from __future__ import annotations

import re
from pathlib import Path

import pytest

from bittern.cli.access_key import READY_POLICIES
from bittern.store.records import DEFAULT_ACCOUNT

LISTING = '{"Statement": {"Effect": "Allow", "Action": "iotwireless:List*", "Resource": "*"}}'


def test_a_secret_is_shown_once_for_the_environment_and_as_a_profile(bittern) -> None:
    added = bittern.done("access-key", "add", "--description", "the script")
    lines = added.stdout.splitlines()
    key_id = lines[0].removeprefix("export AWS_ACCESS_KEY_ID=")
    secret = lines[1].removeprefix("export AWS_SECRET_ACCESS_KEY=")
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", key_id)
    assert re.fullmatch(r"[A-Za-z0-9+/]{40}", secret)
    assert lines[2:] == [
        "export AWS_DEFAULT_REGION=us-east-1",
        "export AWS_ENDPOINT_URL=http://localhost:8080",
        "",
        "[bittern]",
        f"aws_access_key_id = {key_id}",
        f"aws_secret_access_key = {secret}",
        "region = us-east-1",
        "endpoint_url = http://localhost:8080",
    ]
    key = bittern.stored(lambda store: store.access_key(key_id))
    assert key.secret.expose() == secret
    assert (key.account, key.policies, key.description) == (
        DEFAULT_ACCOUNT,
        ("operator",),
        "the script",
    )
    for listed in (
        bittern.done("access-key", "list"),
        bittern.done("access-key", "list", "--json"),
    ):
        assert key_id in listed.stdout
        assert secret not in listed.stdout + listed.stderr


def test_json_has_the_secret_when_a_key_is_made(bittern) -> None:
    added = bittern.done("access-key", "add", "--policy", "reader", "--json").json
    assert added["policies"] == ["reader"]
    assert len(added.pop("secret_access_key")) == 40
    assert added.pop("region") == "us-east-1"
    assert added.pop("endpoint_url") == "http://localhost:8080"
    assert bittern.done("access-key", "list", "--json").json == [added]


def test_a_policy_may_be_written(bittern, tmp_path: Path) -> None:
    path = tmp_path / "listing.json"
    path.write_text(LISTING)
    bittern.done("access-key", "add", "--policy", "reader", "--policy", path)
    [key] = bittern.stored(lambda store: store.access_keys())
    assert key.policies == ("reader", LISTING)
    assert "reader, written" in bittern.done("access-key", "list").stdout


@pytest.mark.parametrize(
    ("text", "told"), [("{}", "policy is not understood"), (None, "neither one of administrator")]
)
def test_a_policy_that_is_none_is_wrong_usage(
    bittern, tmp_path: Path, text: str | None, told: str
) -> None:
    path = tmp_path / "p.json"
    if text is not None:
        path.write_text(text)
    done = bittern("access-key", "add", "--policy", path)
    assert done.exit_code == 2
    assert told in " ".join(done.stderr.replace("│", " ").split())
    assert not bittern.data_dir.exists()


def test_a_key_needs_an_account_that_is_there(bittern) -> None:
    done = bittern("access-key", "add", "--account", "111122223333")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "no account 111122223333" in done.stderr


def test_keys_are_listed_by_account(bittern) -> None:
    bittern.done("account", "add", "north", "--id", "111122223333")
    for account in (DEFAULT_ACCOUNT, "111122223333"):
        bittern.done("access-key", "add", "--account", account)
    assert len(bittern.done("access-key", "list", "--json").json) == 2
    [only] = bittern.done("access-key", "list", "--account", "111122223333", "--json").json
    assert only["account"] == "111122223333"


def test_a_key_is_deactivated_activated_and_removed(bittern) -> None:
    key_id = bittern.done("access-key", "add", "--json").json["id"]
    for verb, state in (("deactivate", "inactive"), ("activate", "active")):
        bittern.done("access-key", verb, key_id)
        [_, row] = bittern.done("access-key", "list").stdout.splitlines()
        assert row.split()[2] == state
    bittern.done("access-key", "remove", key_id)
    assert "no access keys" in bittern.done("access-key", "list").stderr
    for verb in ("deactivate", "activate", "remove"):
        done = bittern("access-key", verb, key_id)
        assert (done.exit_code, done.stderr) == (1, f"bittern: no access key {key_id}\n")


def test_ready_policies_are_those_of_the_api() -> None:
    from bittern.api.policy import READY

    assert set(READY_POLICIES) == set(READY)
