"""A whole server, a rule with two actions of which one is away, and what is replayed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import msgspec

from bittern.app import running
from bittern.config import Configuration, load
from bittern.installation import opened_store
from bittern.store.records import Destination
from bittern.store.rule_records import DeadLetter, DeadLetterFilter, RuleRecord
from bittern.testing.examples import DEV_EUI
from bittern.types import Instant

NOW = Instant(1_700_000_000.0)
AWAY = "000000000000/meters/1/http"


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.05)


def configuration(data_dir: Path) -> Configuration:
    ports = {f"BITTERN_{name}__PORT": "0" for name in ("API", "LNS", "MQTT", "CUPS")}
    return msgspec.structs.replace(load(None, ports), data_dir=data_dir)


def letter(number: int) -> DeadLetter:
    """As if it had been sent before its rule was there."""
    return DeadLetter(
        owed_as=number,
        dev_eui=DEV_EUI,
        message_id=f"m{number}",
        destination="meters",
        reason="rule_not_found",
        created_at=NOW,
        failed_at=NOW,
        document=json.dumps({"n": number}).encode(),
    )


async def test_a_rule_delivers_what_is_replayed_and_an_action_that_is_away_holds_up_nobody(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    settings = configuration(tmp_path / "data")
    rule = RuleRecord(
        name="meters",
        sql="SELECT n * 2 AS twice WHERE n < 100",
        actions=(
            {"file": {"path": "meters.jsonl"}},
            {"http": {"url": f"http://127.0.0.1:{unused_tcp_port}/in"}},
        ),
        created_at=NOW,
    )
    lines = settings.data_dir / "output" / "meters.jsonl"

    def written() -> list[int]:
        texts = lines.read_text().splitlines() if lines.exists() else []
        return [json.loads(text)["twice"] for text in texts]

    async with running(settings) as addresses, opened_store(settings, NOW) as other:
        await other.add_destination(
            Destination(
                name="meters", expression_type="RuleName", expression="meters", created_at=NOW
            )
        )
        await other.add_rule(rule)
        await other.settle(letters=[letter(n) for n in range(1, 41)])
        assert await other.replay_dead_letters(range(1, 41)) == 40

        async def all_written() -> bool:
            return written() == [2 * n for n in range(1, 41)]

        await until(all_written)
        await other.settle(letters=[letter(1000)])
        [kept] = await other.dead_letters(DeadLetterFilter())
        await other.replay_dead_letters([kept.sequence])

        async def anchored() -> bool:
            return len(await other.owed(0, 100, AWAY)) == 40

        await until(anchored)
        assert await other.owed(0, 100) == []
        async with aiohttp.ClientSession() as session:
            health = await (await session.get(f"{addresses.api}/health")).json()
            metrics = await (await session.get(f"{addresses.api}/metrics")).text()
        assert health["status"] == "ok"
        assert AWAY in health["checks"]["delivery"]["detail"]
        assert f'bittern_lane_available{{lane="{AWAY}"}} 0.0' in metrics
        assert "bittern_delivery_owed" in metrics
        await other.remove_rule("000000000000", "meters")

        async def buried() -> bool:
            return len(await other.dead_letters(DeadLetterFilter())) == 40

        await until(buried)
        letters = await other.dead_letters(DeadLetterFilter())
        assert {one.reason for one in letters} == {"rule_not_found"}
        assert [one.message_id for one in letters] == [f"m{n}" for n in range(1, 41)]
        assert await other.owed_count() == 0
