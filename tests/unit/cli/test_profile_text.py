from __future__ import annotations

import pytest
import typer

from bittern.api.profile_records import device_profile
from bittern.cli import profile_text
from bittern.store.records import DeviceProfile


def test_what_aws_has_no_member_for_is_set_beside_it() -> None:
    made = profile_text.made(
        device_profile,
        "111122223333",
        "meters",
        {"RxDelay1": 3, "MaxEirp": None},
        {"codec": "cayenne-lpp", "beacon_frequency_hz": None},
    )
    assert made == DeviceProfile(
        account="111122223333", id=made.id, name="meters", rx1_delay_s=3, codec="cayenne-lpp"
    )


def test_a_refusal_of_the_operation_is_wrong_usage() -> None:
    with pytest.raises(typer.BadParameter, match="'name'"):
        profile_text.made(device_profile, "111122223333", "a#b", {}, {})


def test_only_what_is_set_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    profile = DeviceProfile(
        id="1", name="meters", downlink_frequencies_hz=((1, 2),), supports_class_b=True
    )
    profile_text.tell(profile, as_json=False)
    told = capsys.readouterr().out
    assert "1=2" in told
    assert "codec" not in told
    assert [line.split()[-1] for line in told.splitlines() if "class b " in line] == ["yes", "8"]
