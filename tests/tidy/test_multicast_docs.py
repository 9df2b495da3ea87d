"""docs/reference/multicast-and-fuota.md has the words, bounds and fields of the code."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from bittern.api.coverage import REFUSED
from bittern.api.device_query import FIELDS, TAG, parse
from bittern.api.operations import offered
from bittern.mac import fuota, multicast


@pytest.fixture(scope="module")
def page(reference_page: Any) -> Any:
    return reference_page("multicast-and-fuota.md")


def words(rows: list[dict[str, str]], column: str) -> list[str]:
    return [word for row in rows for word in re.findall(r"`([\w.]+)`", row[column])]


@pytest.mark.parametrize(
    ("column", "statuses"),
    [
        ("Group", multicast.GroupStatus),
        ("Device in a group", multicast.MemberStatus),
        ("Task", fuota.TaskStatus),
    ],
)
def test_every_status_is_told(page: Any, column: str, statuses: Any) -> None:
    assert tuple(words(page.rows(column, "When"), column)) == get_args(statuses)


def test_the_operations_that_are_named_are_there(page: Any) -> None:
    names = words(page.rows("Operation", "What it does here"), "Operation")
    assert {("iotwireless", name) for name in names} <= offered().keys()
    assert REFUSED.keys() <= set(names)
    ours = [name for of, name in offered() if "Multicast" in name or "Fuota" in name]
    assert page.text.splitlines()[2].startswith(f"The {len(ours)} operations")


def test_bounds_are_those_of_the_code(page: Any) -> None:
    bounds = {row["What"]: row["Bound"] for row in page.rows("What", "Bound")}
    least, most = multicast.LEAST_AHEAD_S // 60, multicast.MOST_AHEAD_S // 3600
    assert bounds["start of a session"] == f"{least} minutes to {most} hours ahead"
    longest = {name: most_s // 3600 for name, most_s in multicast.MOST_TIMEOUT_S.items()}
    assert bounds["`SessionTimeout`"] == (
        f"60 seconds to {longest['ClassB']} hours; {longest['ClassC']} hours in class C"
    )
    assert bounds["groups of a device"] == str(multicast.GROUPS_OF_A_DEVICE)
    assert bounds["`FragmentSizeBytes`"] == str(fuota.MOST_FRAGMENT_BYTES)
    assert bounds["start of a task"].startswith(f"{fuota.LEAST_AHEAD_S // 60} minutes ahead")
    periods = multicast.PING_SLOT_PERIODS
    assert f"from {periods[0]} to {periods[-1]};" in bounds["`PingSlotPeriod`"]
    assert fuota.BEGIN_WITHIN_S == 600
    text = " ".join(page.text.split())
    told = [multicast.TIMEOUTS_S[name][-1] for name in ("ClassC", "ClassB")]
    assert f"up to {told[0]} seconds in class C and {told[1]} in class B" in text


def test_fields_and_example_are_understood(page: Any) -> None:
    fields = words(page.rows("Fields"), "Fields")
    assert fields == [*FIELDS.values(), f"{TAG}KEY"]
    [example] = re.findall(r"^    (.*)$", page.text, re.MULTILINE)
    assert parse(example).fields == {"DeviceProfileName", "DeviceName", "tags.site", "DevEui"}
