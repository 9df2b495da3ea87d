from __future__ import annotations

import pytest

from bench import delivery
from bench.delivery import CASES, PARTS, WHOLE, Load, Used, least, per_second
from bench.frames import identify


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
async def test_every_message_arrives_once(case) -> None:
    used = await delivery.run(case, Load.of(400))
    assert used.cpu_us > used.loop_us > 0


async def test_a_message_is_known_by_its_payload() -> None:
    assert identify(delivery.document(7, 4711)) == (7, 4711)


async def test_parts_add_up_to_the_whole() -> None:
    found = {case: [Used(10.0 * (place + 1), 1.0)] for place, case in enumerate(CASES)}
    parts = [
        found[one][0].cpu_us - (0 if without is None else found[without][0].cpu_us)
        for _, one, without in PARTS
    ]
    assert sum(parts) == found[WHOLE][0].cpu_us
    assert delivery.table(found, 400).row_count == len(PARTS) + len(CASES)


async def test_a_message_that_is_lost_ends_the_benchmark(monkeypatch) -> None:
    monkeypatch.setattr(delivery, "PATIENCE_S", 0.0)
    with pytest.raises(SystemExit, match="lost"):
        await delivery.run(WHOLE, Load.of(2000))


def test_parts_are_told_by_the_least_and_the_whole_by_the_median() -> None:
    rounds = [Used(50.0, 30.0), Used(100.0, 20.0), Used(200.0, 40.0)]
    assert least(rounds) == Used(50.0, 20.0)
    assert per_second(rounds) == 10_000
