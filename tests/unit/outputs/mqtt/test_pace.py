from __future__ import annotations

import pytest

from bittern.outputs.mqtt.pace import Pace


def sent(pace: Pace, times: list[float]) -> list[float]:
    """When those went out that were asked for at `times`, each as soon as it may."""
    out = []
    now = 0.0
    for at in times:
        now = max(now, at)
        while wait_s := pace.take(now):
            now += wait_s
        out.append(now)
    return out


@pytest.mark.parametrize(
    "times",
    [
        [0.0] * 500,
        [place * 0.004 for place in range(500)],
        [0.0] * 150 + [7.0] * 150 + [7.55] * 150,
    ],
    ids=["at once", "too fast", "in bursts"],
)
@pytest.mark.parametrize("per_s", [1, 30, 100])
def test_no_second_has_more(per_s: int, times: list[float]) -> None:
    out = sent(Pace(per_s), times)
    for place in range(per_s, len(out)):
        assert out[place] - out[place - per_s] >= 1.0 - 1e-9


def test_nearly_as_many_go_out() -> None:
    out = sent(Pace(100), [0.0] * 1000)
    assert out[-1] < 11.0


def test_what_is_slow_does_not_wait() -> None:
    times = [place * 0.02 for place in range(100)]
    assert sent(Pace(100), times) == times
