from __future__ import annotations

from typing import get_args

import pytest
from botocore.session import Session as BotocoreSession

from bittern.mac.fuota import (
    ACTIVE,
    BEGIN_WITHIN_S,
    BY_SETUP,
    CONFLICTING,
    FIRST_RECEIVER_STATUS,
    MOST_IMAGE_BYTES,
    FuotaSession,
    ReceiverStatus,
    TaskStatus,
    after_setup,
    fragment_count,
    fragment_problem,
    image_problem,
    start_problem,
    task_status,
)
from bittern.types import Instant

START = Instant(10_000.0)
LATE = Instant(START + BEGIN_WITHIN_S)


def test_the_words_are_those_of_the_model() -> None:
    model = BotocoreSession().get_service_model("iotwireless")
    assert list(get_args(TaskStatus)) == model.shape_for("FuotaTaskStatus").enum
    assert list(get_args(ReceiverStatus)) == model.shape_for("FuotaDeviceStatus").enum


@pytest.mark.parametrize(
    ("session", "now", "status"),
    [
        (None, START, "Pending"),
        (FuotaSession(start_at=START), Instant(0), "FuotaSession_Waiting"),
        (FuotaSession(start_at=START), Instant(LATE - 1), "FuotaSession_Waiting"),
        (FuotaSession(start_at=START), LATE, "FuotaDone"),
        (FuotaSession(start_at=START, begun_at=START), LATE, "In_FuotaSession"),
        (FuotaSession(start_at=START, begun_at=START, ended_at=LATE), LATE, "FuotaDone"),
        (FuotaSession(start_at=START, ended_at=START), START, "FuotaDone"),
    ],
)
def test_a_task_is_where_its_session_is(
    session: FuotaSession | None, now: Instant, status: TaskStatus
) -> None:
    assert task_status(session, now) == status
    assert task_status(session, now, removing=True) == "Delete_Waiting"


def test_a_task_is_active_while_it_waits_or_runs() -> None:
    assert set(get_args(TaskStatus)) - ACTIVE == {"Pending", "FuotaDone", "Delete_Waiting"}


def test_a_session_starts_in_half_an_hour_at_the_earliest() -> None:
    assert start_problem(Instant(START + 1800), START) is None
    assert start_problem(Instant(START + 10 * 86_400), START) is None
    said = start_problem(Instant(START + 1799), START)
    assert said == "Member must be at least 30 minutes ahead"


@pytest.mark.parametrize(
    ("source", "fits"),
    [
        ("s3://images/lamps/1.1.0.bin", True),
        ("s3://im/a", False),
        ("s3://images/", False),
        ("s3://images", False),
        ("s3://Images/a", False),
        ("https://images.example/a", False),
        ("lamps.bin", False),
    ],
)
def test_an_image_is_an_object_of_s3(source: str, fits: bool) -> None:
    assert (image_problem(source) is None) == fits


def test_the_size_of_a_fragment_has_eight_bits() -> None:
    assert fragment_problem(None) is None
    assert fragment_problem(255) is None
    assert fragment_problem(256) == "Member must be less than or equal to 255"


def test_redundant_fragments_are_counted() -> None:
    assert fragment_count(100, 10, 50) == 15
    assert fragment_count(101, 10, 0) == 11
    assert fragment_count(101, 10, 10) == 13
    assert fragment_count(MOST_IMAGE_BYTES, 200, 100) == 10_486
    for image_bytes in (0, MOST_IMAGE_BYTES + 1):
        with pytest.raises(ValueError, match="an image has 1 to 1048576 bytes"):
            fragment_count(image_bytes, 10, 0)


def test_the_answer_to_a_setup_is_read_bit_by_bit() -> None:
    assert after_setup(0) is None
    for bit, status in BY_SETUP.items():
        assert after_setup(bit) == status
    assert after_setup(0b11111) == "FragAlgo_unsupported"
    assert after_setup(0b1100_0000) is None  # FragIndex


def test_what_is_known_without_a_device_is_no_answer_of_one() -> None:
    assert {FIRST_RECEIVER_STATUS, CONFLICTING}.isdisjoint(BY_SETUP.values())
