from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bittern.gateway.firmware import Status
from bittern.store.gateway_records import CupsContact
from bittern.types import EUI64, GatewayEUI, Instant

EUI, OTHER = "0016c001ff000001", "0016c001ff000002"
IMAGE = b"#!/bin/sh\nexit 0\n"
ID = "00000000-0000-4000-8000-000000000000"


def firmware(bittern, *arguments: str | Path):
    return bittern("gateway", "firmware", *arguments)


def gateway(text: str) -> GatewayEUI:
    return GatewayEUI(EUI64.from_hex(text))


def seen(bittern, eui: str = EUI, **told: Any) -> None:
    """It has asked CUPS."""
    contact = CupsContact(at=Instant(1.0), **({"package": "1.0", "model": "roof"} | told))
    bittern.stored(lambda store: store.put_gateway_state(gateway(eui), contact))


def task_of(bittern, eui: str = EUI):
    return bittern.stored(lambda store: store.firmware_task(gateway(eui)))


def come_to(bittern, status: Status) -> None:
    before = task_of(bittern)
    after = msgspec.structs.replace(before, status=status)
    assert bittern.stored(lambda store: store.replace_firmware_task(before, after))


@pytest.fixture
def crc(bittern) -> int:
    """Of the key that has signed the image that is in its place."""
    bittern.done("gateway", "add", EUI)
    crc = bittern.done("gateway", "firmware", "key", "new", "firmware.pem", "--json").json
    (bittern.data_dir / "firmware" / "spring.bin").write_bytes(IMAGE)
    image = bittern.data_dir / "firmware" / "spring.bin"
    sign = ("gateway", "firmware", "sign", image, "--key", "firmware.pem", "--out", "spring.sig")
    bittern.done(*sign)
    return crc["key_crc"]


def define(bittern, *arguments: str, source: str = "spring.bin", package: str = "1.1"):
    signed = ("--signature", "@spring.sig", "--current-package", "1.0", "--package", package)
    return firmware(bittern, "define", source, *signed, *arguments)


def test_a_definition_is_checked_and_kept(bittern, crc: int) -> None:
    defined = define(bittern, "--name", "spring")
    assert defined.exit_code == 0, defined.stderr
    [listed] = firmware(bittern, "definitions", "--json").json
    assert listed["id"] == defined.stdout.strip()
    assert (listed["name"], listed["source"], listed["key_crc"], listed["automatic"]) == (
        "spring",
        "spring.bin",
        crc,
        False,
    )
    assert listed["current"] == {"package": "1.0", "model": "", "station": ""}
    assert listed["signature"] == Path("spring.sig").read_text().strip()
    [line] = firmware(bittern, "definitions").stdout.splitlines()[1:]
    assert line.split()[:3] == [listed["id"][:8], "spring", "spring.bin"]


def test_a_signature_may_be_given_as_text_and_as_it_is(bittern, crc: int) -> None:
    text = Path("spring.sig").read_text().strip()
    Path("spring.sig").write_bytes(base64.b64decode(text))
    assert define(bittern).exit_code == 0
    again = ("define", "spring.bin", "--signature", text, "--package", "2", "--json")
    assert firmware(bittern, *again).json["signature"] == text


def test_a_dry_run_tells_which_gateways_it_is_for(bittern, crc: int) -> None:
    for eui in (OTHER, "0016c001ff000003", "0016c001ff000004"):
        bittern.done("gateway", "add", eui)
    seen(bittern, EUI, key_crcs=(crc,))
    seen(bittern, OTHER)
    seen(bittern, "0016c001ff000003", package="0.9")
    told = define(bittern, "--dry-run")
    assert told.exit_code == 0
    assert f"2 ({EUI} {OTHER})" in told.stderr
    assert f"of these without the key {crc}, so they will fail: 1 ({OTHER})" in told.stderr
    assert "never asked CUPS, so that nobody knows: 1" in told.stderr
    document = define(bittern, "--dry-run", "--json").json
    assert (document["gateways"], document["gateways_without_key"]) == ([EUI, OTHER], [OTHER])
    assert document["defined"] is False
    assert firmware(bittern, "definitions", "--json").json == []


def test_a_definition_of_a_changed_image_is_refused(bittern, crc: int) -> None:
    (bittern.data_dir / "firmware" / "spring.bin").write_bytes(IMAGE + b"x")
    for more in ((), ("--key-crc", str(crc))):
        refused = define(bittern, *more)
        assert refused.exit_code == 1
        assert "sign" in refused.stderr
    assert firmware(bittern, "definitions", "--json").json == []


def test_an_image_that_is_not_there_is_refused_unless_it_is_to_come(bittern, crc: int) -> None:
    refused = define(bittern, source="autumn.bin")
    assert refused.exit_code == 1
    assert "image autumn.bin in" in refused.stderr
    assert define(bittern, "--unchecked", source="autumn.bin").exit_code == 2
    later = define(bittern, "--unchecked", "--key-crc", str(crc), source="autumn.bin")
    assert later.exit_code == 0


@pytest.mark.parametrize("signature", ["x", "AAAA", "c2lnbmF0dXJl" * 30, "bm8gREVSIGF0IGFsbA=="])
def test_what_is_no_signature_is_wrong_usage(bittern, crc: int, signature: str) -> None:
    refused = firmware(
        bittern, "define", "spring.bin", "--signature", signature, "--package", "1.1"
    )
    assert refused.exit_code == 2


def test_an_update_that_nothing_would_show_is_wrong_usage(bittern, crc: int) -> None:
    refused = define(bittern, package="")
    assert refused.exit_code == 2
    assert "nothing would tell that the update worked" in " ".join(refused.stderr.split())


def test_a_task_is_started_told_and_cancelled(bittern, crc: int) -> None:
    define(bittern, "--name", "spring")
    seen(bittern, key_crcs=(crc,))
    started = firmware(bittern, "start", EUI, "--definition", "spring")
    assert started.exit_code == 0
    assert started.stderr == f"gateway {EUI}: PENDING, waits until the gateway asks CUPS\n"
    status = firmware(bittern, "status", EUI, "--json").json
    assert (status["gateway_eui"], status["status"]) == (EUI, "PENDING")
    [line] = firmware(bittern, "status", "--all").stdout.splitlines()[1:]
    assert line.split()[:3] == [EUI, "spring", "PENDING"]
    assert firmware(bittern, "definitions", "--json").json[0]["tasks"] == {"PENDING": 1}
    assert firmware(bittern, "cancel", EUI).exit_code == 0
    assert task_of(bittern) is None
    assert firmware(bittern, "status", "--all", "--json").json == []


def test_why_a_gateway_may_not_get_it_is_told_at_the_start(bittern, crc: int) -> None:
    define(bittern)
    found = firmware(bittern, "definitions", "--json").json[0]["id"]
    seen(bittern, package="0.9")
    started = firmware(bittern, "start", EUI, "--definition", found[:8], "--json")
    assert started.json["definition_id"] == found
    assert "it runs package '0.9', model 'roof'" in started.stderr
    assert f"no key with CRC {crc}" in started.stderr


def test_one_update_at_a_time_and_an_ended_one_makes_place(bittern, crc: int) -> None:
    define(bittern, "--name", "spring")
    start = ("start", EUI, "--definition", "spring")
    firmware(bittern, *start)
    refused = firmware(bittern, *start)
    assert refused.exit_code == 1
    assert f"firmware cancel {EUI}" in refused.stderr
    come_to(bittern, "FAILED")
    assert firmware(bittern, *start).exit_code == 0
    assert task_of(bittern).status == "PENDING"


def test_a_definition_in_use_stays(bittern, crc: int) -> None:
    define(bittern, "--name", "spring")
    firmware(bittern, "start", EUI, "--definition", "spring")
    refused = firmware(bittern, "undefine", "spring")
    assert refused.exit_code == 1
    assert "is used by a task" in refused.stderr
    come_to(bittern, "COMPLETED")
    assert firmware(bittern, "undefine", "spring").exit_code == 0
    assert firmware(bittern, "definitions", "--json").json == []
    [line] = firmware(bittern, "status", "--all").stdout.splitlines()[1:]
    assert "COMPLETED" in line


def test_cancelling_tells_that_an_automatic_update_comes_back(bittern, crc: int) -> None:
    define(bittern, "--name", "spring", "--automatic")
    firmware(bittern, "start", EUI, "--definition", "spring")
    assert (
        "spring is automatic: the gateway gets it anew" in firmware(bittern, "cancel", EUI).stderr
    )


def test_what_was_removed_is_told_to_programs(bittern, crc: int) -> None:
    defined = define(bittern, "--name", "spring", "--json").json
    firmware(bittern, "start", EUI, "--definition", "spring")
    assert firmware(bittern, "cancel", EUI, "--json").json["status"] == "PENDING"
    assert firmware(bittern, "undefine", "spring", "--json").json["id"] == defined["id"]


def test_what_is_not_there_is_named(bittern, crc: int) -> None:
    define(bittern, "--name", "spring")
    for arguments, told in [
        (("undefine", ID), f"no firmware definition {ID}"),
        (("undefine", ""), "no firmware definition"),
        (("start", EUI, "--definition", "autumn"), "no firmware definition autumn"),
        (("start", OTHER, "--definition", "spring"), f"no gateway {OTHER}"),
        (("status", EUI), f"no firmware task of gateway {EUI}"),
        (("cancel", OTHER), f"no gateway {OTHER}"),
    ]:
        refused = firmware(bittern, *arguments)
        assert refused.exit_code == 1
        assert told in refused.stderr


def test_a_name_of_several_is_no_name(bittern, crc: int) -> None:
    for _ in range(2):
        define(bittern, "--name", "spring")
    refused = firmware(bittern, "undefine", "spring")
    assert refused.exit_code == 1
    assert "names several" in refused.stderr


def test_a_status_is_of_one_gateway_or_of_all(bittern) -> None:
    assert firmware(bittern, "status").exit_code == 2
    assert firmware(bittern, "status", EUI, "--all").exit_code == 2
