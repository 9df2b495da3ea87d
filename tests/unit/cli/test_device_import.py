from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from bittern.cli import device_import
from bittern.cli.device_import import without_keys
from bittern.cli.import_columns import COLUMNS
from bittern.lorawan.versions import MacVersion
from bittern.store.records import (
    DEFAULT_ACCOUNT,
    AbpActivation,
    Destination,
    Device,
    DeviceProfile,
    OtaaActivation,
    ServiceProfile,
)
from bittern.types import Instant

DOCS = Path(__file__).parents[3] / "docs/import.md"
NORTH = "111122223333"
KEY = "0f" * 16
HEADER = "DevEui,Name,AppKey,JoinEui"
JOIN_EUI = "70b3d57ed0ffff01"
METERS = "11111111-1111-4111-8111-111111111111"
PLAIN = "22222222-2222-4222-8222-222222222222"
DEFAULTS = ("--destination", "plant", "--device-profile", "meters", "--service-profile", "plain")


def eui(number: int) -> str:
    return f"70b3d57ed{number:07x}"


def row(number: int, key: str = KEY) -> str:
    return f"{eui(number)},pump {number},{key},{JOIN_EUI}"


@pytest.fixture
def registry(bittern):
    """With a destination and profiles."""

    async def fill(store) -> None:
        await store.add_destination(
            Destination(name="plant", expression="plant/up", created_at=Instant(0))
        )
        await store.add_device_profile(DeviceProfile(id=METERS, name="meters"))
        await store.add_device_profile(
            DeviceProfile(id="new", name="meters-1.1", mac_version=MacVersion.LORAWAN_1_1)
        )
        await store.add_service_profile(ServiceProfile(id=PLAIN, name="plain"))

    bittern.stored(fill)
    return bittern


def devices(bittern) -> dict[str, Device]:
    async def read(store) -> list[Device]:
        return await store.devices_of(DEFAULT_ACCOUNT, limit=10_000)

    return {str(one.dev_eui): one for one in bittern.stored(read)}


def written(tmp_path: Path, *lines: str, name: str = "devices.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def imported(bittern, file: Path | str, *options: str, stdin: str | None = None) -> Any:
    return bittern("device", "import", file, *DEFAULTS, *options, stdin=stdin)


def sample(language: str) -> str:
    match = re.search(rf"```{language}\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert match is not None
    return match[1]


def test_the_sample_of_the_documentation_is_imported(registry, tmp_path: Path) -> None:
    file = tmp_path / "meters.csv"
    file.write_text(sample("csv"), encoding="utf-8")
    done = registry.done("device", "import", file)
    assert done.stderr == "3 rows: 3 added, 0 skipped as registered already, 0 refused\n"
    one, two, valve = (devices(registry)[eui(number)] for number in (1, 2, 3))
    assert (one.name, one.destination, one.device_profile_id) == ("pump 1", "plant", METERS)
    assert isinstance(two.activation, OtaaActivation)
    assert two.activation.nwk_key is not None
    assert isinstance(valve.activation, AbpActivation)
    assert valve.activation.fcnt_start == 100
    note = registry.stored(
        lambda store: store.note(DEFAULT_ACCOUNT, "tags", f"WirelessDevice/{one.id}")
    )
    assert json.loads(note.body) == {"site": "north", "floor": "2"}
    (session,) = registry.stored(lambda store: store.sessions_of(valve.dev_eui))
    assert session.fcnt_up == 99


def test_every_column_is_documented() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for name in COLUMNS:
        assert f"`{name}`" in text, name


@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_the_sample_in_json_is_imported(registry, tmp_path: Path, kind: str) -> None:
    text = sample("json").replace("METERS", METERS).replace("PLAIN", PLAIN)
    if kind == "jsonl":
        text = "\n".join(map(json.dumps, json.loads(text)))
    registry.done("device", "import", written(tmp_path, text, name=f"devices.{kind}"))
    assert devices(registry)[eui(4)].name == "pump 4"


def test_json_is_completed_by_the_defaults(registry) -> None:
    otaa = {"AppKey": KEY, "JoinEui": JOIN_EUI}
    given = {"Type": "LoRaWAN", "LoRaWAN": {"DevEui": eui(1), "OtaaV1_0_x": otaa}}
    done = imported(registry, "-", "--format", "jsonl", stdin=json.dumps(given) + "\n")
    assert done.exit_code == 0
    assert devices(registry)[eui(1)].service_profile_id == PLAIN


def test_a_second_run_adds_nothing_twice(registry, tmp_path: Path) -> None:
    file = written(tmp_path, HEADER, row(1), row(2))
    assert imported(registry, file).exit_code == 0
    before = devices(registry)
    file = written(tmp_path, HEADER, row(1), row(2), row(3))
    done = imported(registry, file, "--json")
    assert done.exit_code == 0
    counts = {"rows": 3, "added": 1, "skipped": 2, "refused": 0, "dry_run": False}
    assert done.json == counts
    after = devices(registry)
    assert {name: after[name] for name in before} == before


def test_what_is_registered_is_refused_where_that_is_asked(registry, tmp_path: Path) -> None:
    file = written(tmp_path, HEADER, row(1))
    imported(registry, file)
    done = imported(registry, file, "--on-duplicate", "fail")
    assert done.exit_code == 1
    assert f"line 2: {eui(1)}: WirelessDevice {eui(1)} exists already" in done.stderr


FAULTY = (
    HEADER,
    row(1),
    row(1),
    row(2, key="0f" * 15),
    f"zz,pump,{KEY},{JOIN_EUI}",
    f"{KEY},{eui(5)},pump,{JOIN_EUI}",
    f"{eui(6)},pump,{KEY}",
    row(7),
)
REASONS = [
    (3, eui(1), "line 2 has the same DevEUI"),
    (4, eui(2), "loRaWAN.otaaV1_0_x.appKey"),
    (5, "", "loRaWAN.devEui"),
    (6, "", "loRaWAN.devEui"),
    (7, eui(6), "3 cells under 4 columns"),
]


@pytest.mark.parametrize("dry_run", [False, True])
def test_refused_rows_are_told_and_keep_no_other_away(
    registry, tmp_path: Path, dry_run: bool
) -> None:
    report = tmp_path / "report.csv"
    options = ("--report", str(report), *["--dry-run"] * dry_run)
    done = imported(registry, written(tmp_path, *FAULTY), *options)
    assert done.exit_code == 1
    assert f"7 rows: 2 {'would be ' * dry_run}added, 0 skipped" in done.stderr
    assert "5 refused" in done.stderr
    told = list(csv.DictReader(report.read_text(encoding="utf-8").splitlines()))
    assert [int(one["Line"]) for one in told] == [line for line, _, _ in REASONS]
    for one, (_, dev_eui, reason) in zip(told, REASONS, strict=True):
        assert one["DevEui"] == (dev_eui if "cells" not in reason else "")
        assert reason in one["Reason"]
    assert list(devices(registry)) == ([] if dry_run else [eui(1), eui(7)])


def test_no_key_is_told(registry, tmp_path: Path) -> None:
    keys = "DevEui,DestinationName,DeviceProfile,ServiceProfile,AppKey,JoinEui"
    lines = [
        keys,
        f"{eui(1)},{KEY},,,{KEY},{JOIN_EUI}",
        f"{eui(2)},,{KEY},,{KEY},{JOIN_EUI}",
        f"{eui(3)},,,{KEY},{KEY},{JOIN_EUI}",
        f"{eui(4)},,,,{KEY[:-1]},{JOIN_EUI}",
        f"{eui(5)},,,,{KEY},{KEY}",
        f"{KEY},,,,{KEY},{JOIN_EUI}",
    ]
    report = tmp_path / "report.csv"
    file = written(tmp_path, *lines)
    for options in (("--report", str(report)), ("--dry-run",)):
        done = imported(registry, file, *options)
        assert "6 refused" in done.stderr
        assert "0f0f0f" not in done.stderr + done.stdout + report.read_text(encoding="utf-8")


def test_what_looks_like_a_key_is_left_out() -> None:
    assert without_keys(f"no device profile {KEY}") == "no device profile …"
    assert without_keys(f"no device profile {KEY[:21]}") == "no device profile …"
    spaced = " ".join([KEY[:2]] * 16)
    assert without_keys(f"of '{spaced}'") == "of '…'"
    for text in (f"DeviceProfile {METERS} does not exist", f"WirelessDevice {eui(1)} exists"):
        assert without_keys(text) == text


def test_rows_of_several_commits_keep_their_order(
    registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_import, "TOGETHER", 3)
    lines = [row(number, key="zz" if number % 4 == 0 else KEY) for number in range(1, 11)]
    done = imported(registry, written(tmp_path, HEADER, *lines))
    assert re.findall(r"line (\d+)", done.stderr) == ["5", "9"]
    assert len(devices(registry)) == 8


def test_a_dry_run_and_the_deed_refuse_the_same(registry, tmp_path: Path) -> None:
    imported(registry, written(tmp_path, HEADER, row(1)))
    columns = f"{HEADER},DestinationName,DeviceProfile,Activation,DevAddr"
    file = written(
        tmp_path,
        columns,
        f"{row(1)},,,,",
        f"{row(2)},nowhere,,,",
        f"{row(3)},,unknown,,",
        f"{row(4)},,meters-1.1,,",
        f"{row(5)},,,ABP,26011bda",
        f"{row(6)},,meters-1.1,OTAA v1.0,",
    )
    options = ("--on-duplicate", "fail")
    rehearsed = imported(registry, file, "--dry-run", *options).stderr.splitlines()[:-1]
    done = imported(registry, file, *options).stderr.splitlines()[:-1]
    assert rehearsed == done
    assert len(done) == 6
    assert "no device profile unknown" in done[2]


def test_a_device_of_another_account_is_refused(registry, tmp_path: Path) -> None:
    file = written(tmp_path, HEADER, row(1))
    imported(registry, file)
    registry.done("account", "add", "north", "--id", NORTH)
    registry.done("destination", "add", "plant", "--topic", "a", "--account", NORTH)
    refused = imported(registry, file, "--account", NORTH)
    assert "no device profile meters" in refused.stderr

    async def fill(store) -> None:
        await store.add_device_profile(DeviceProfile(account=NORTH, id="m", name="meters"))
        await store.add_service_profile(ServiceProfile(account=NORTH, id="s", name="plain"))

    registry.stored(fill)
    refused = imported(registry, file, "--account", NORTH)
    assert refused.exit_code == 1
    assert "exists already" in refused.stderr


@pytest.mark.parametrize(
    ("lines", "name", "told"),
    [
        (("DevEui,Colour",), "a.csv", "no such column: Colour"),
        (("{}",), "a.json", "not a list of devices"),
        (("DevEui",), "a.txt", "--format"),
    ],
)
def test_a_file_that_is_none_is_wrong_usage(
    registry, tmp_path: Path, lines: tuple[str, ...], name: str, told: str
) -> None:
    done = imported(registry, written(tmp_path, *lines, name=name))
    assert done.exit_code == 2
    assert told in done.stderr


def test_what_cannot_be_read_in_the_midst_of_a_file_is_told(registry, tmp_path: Path) -> None:
    file = tmp_path / "devices.csv"
    rows = "\n".join(row(number) for number in range(1, 600))
    file.write_bytes(f"{HEADER}\n{rows}\n".encode() + b"\xff\n")
    done = imported(registry, file)
    assert done.exit_code == 1
    assert "not text in UTF-8; nothing behind" in done.stderr
    assert len(devices(registry)) > 0
