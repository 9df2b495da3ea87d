from __future__ import annotations

import re

from bittern.store.records import DEFAULT_ACCOUNT


def test_an_account_is_drawn_and_listed(bittern) -> None:
    added = bittern.done("account", "add", "north")
    account = added.stdout.strip()
    assert re.fullmatch(r"[1-9][0-9]{11}", account)
    assert f"access-key add --account {account}" in added.stderr
    rows = [line.split()[:2] for line in bittern.done("account", "list").stdout.splitlines()]
    assert rows == [["ACCOUNT", "NAME"], [DEFAULT_ACCOUNT, "default"], [account, "north"]]


def test_an_account_is_chosen_and_told_as_json(bittern) -> None:
    added = bittern.done("account", "add", "north", "--id", "111122223333", "--json").json
    assert (added["id"], added["name"]) == ("111122223333", "north")
    assert bittern.done("account", "list", "--json").json[1] == added


def test_an_account_is_there_once(bittern) -> None:
    bittern.done("account", "add", "north", "--id", "111122223333")
    again = bittern("account", "add", "south", "--id", "111122223333")
    assert again.exit_code == 1
    assert again.stderr == "bittern: account 111122223333 exists already\n"


def test_what_is_no_account_is_wrong_usage(bittern) -> None:
    done = bittern("account", "add", "north", "--id", "1111")
    assert done.exit_code == 2
    assert "12 digits" in done.stderr
    done = bittern("account", "add", "n" * 257)
    assert done.exit_code == 2
    assert "256" in done.stderr
