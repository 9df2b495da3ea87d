"""What a ledger says: rates, latencies, losses."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bench.ledger import Ledger


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """One run; latencies are without the deduplication window."""

    offered_per_second: float
    """As asked for."""
    sent_per_second: float
    """As the generator managed."""
    uplinks_per_second: float
    """Delivered, in the steady part of the run."""
    sent: int
    lost: int
    doubled: int
    foreign: int
    latency_ms_p50: float
    latency_ms_p99: float
    latency_ms_max: float
    generator_lag_ms_max: float
    backlog: int
    """Sent and not yet delivered when the last one was sent."""


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of all do not exceed; of sorted values."""
    if not values:
        return float("nan")
    rank = -(-int(share * 1_000_000) * len(values) // 1_000_000)
    return values[max(rank, 1) - 1]


def summarize(
    ledger: Ledger,
    *,
    offered_per_second: float,
    due_at: Sequence[float],
    deduplication_s: float,
    warm_up_s: float,
) -> RunResult:
    """``due_at``: when each uplink should have been sent. What was sent within ``warm_up_s`` does
    not count for rates and latencies; losses and doubles count throughout."""
    n = ledger.uplinks
    sent, received = ledger.sent_at.tolist(), ledger.received_at.tolist()
    first, last = min(sent), max(sent)
    steady = [i for i in range(n) if sent[i] >= first + warm_up_s]
    latencies = sorted(received[i] - sent[i] - deduplication_s for i in steady if received[i])
    return RunResult(
        offered_per_second=offered_per_second,
        sent_per_second=_rate(sent),
        uplinks_per_second=_rate([at for at in received if first + warm_up_s <= at <= last]),
        sent=n,
        lost=n - ledger.received,
        doubled=ledger.doubled,
        foreign=ledger.foreign,
        latency_ms_p50=1000 * percentile(latencies, 0.50),
        latency_ms_p99=1000 * percentile(latencies, 0.99),
        latency_ms_max=1000 * latencies[-1] if latencies else float("nan"),
        generator_lag_ms_max=1000 * max(at - due for at, due in zip(sent, due_at, strict=True)),
        backlog=sum(1 for at in received if not at or at > last),
    )


def _rate(times: Sequence[float]) -> float:
    span = max(times) - min(times) if times else 0.0
    return (len(times) - 1) / span if span else 0.0


def is_sustained(result: RunResult, *, latency_limit_ms: float = 1000.0) -> bool:
    """Nothing lost, nothing twice, and the server did not fall behind.

    A server that falls behind shows it in the latency, which then grows for as long as the run
    lasts; and a generator that falls behind has not offered the rate.
    """
    return (
        result.lost == 0
        and result.doubled == 0
        and result.latency_ms_p99 <= latency_limit_ms
        and result.sent_per_second >= 0.98 * result.offered_per_second
    )
