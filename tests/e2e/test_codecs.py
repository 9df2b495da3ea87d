"""A whole server, a rule that asks a registered codec, and the codec replaced meanwhile."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec

from bittern.app import running
from bittern.config import load
from bittern.installation import opened_store
from bittern.store.records import Destination
from bittern.store.rule_records import DeadLetter, DeadLetterFilter, RuleRecord
from bittern.testing.examples import CODEC, DEV_EUI
from bittern.types import Instant

NOW = Instant(1_700_000_000.0)


def letter(number: int) -> DeadLetter:
    message = {"PayloadData": "BQ==", "WirelessMetadata": {"LoRaWAN": {"FPort": 2}}}
    return DeadLetter(
        owed_as=number,
        dev_eui=DEV_EUI,
        message_id=f"m{number}",
        destination="meters",
        reason="rule_not_found",
        created_at=NOW,
        failed_at=NOW,
        document=json.dumps(message).encode(),
    )


async def test_a_rule_asks_a_codec_as_it_is_now(tmp_path: Path) -> None:
    ports = {f"BITTERN_{name}__PORT": "0" for name in ("API", "LNS", "MQTT", "CUPS")}
    settings = msgspec.structs.replace(load(None, ports), data_dir=tmp_path / "data")
    lines = settings.data_dir / "output" / "meters.jsonl"
    rule = RuleRecord(
        name="meters",
        sql="SELECT VALUE aws_lambda('arn:bittern:codec:meter', *)",
        actions=({"file": {"path": "meters.jsonl"}},),
        created_at=NOW,
    )
    newer = msgspec.structs.replace(
        CODEC, script="function decodeUplink(i) { return { data: { half: i.bytes[0] / 2 } }; }"
    )
    async with running(settings), opened_store(settings, NOW) as other:

        async def told(number: int) -> dict[str, float]:
            await other.settle(letters=[letter(number)])
            [kept] = await other.dead_letters(DeadLetterFilter())
            await other.replay_dead_letters([kept.sequence])
            async with asyncio.timeout(20):
                while not lines.exists() or len(lines.read_text().splitlines()) < number:
                    await asyncio.sleep(0.05)
            return json.loads(lines.read_text().splitlines()[-1])

        await other.add_destination(
            Destination(
                name="meters", expression_type="RuleName", expression="meters", created_at=NOW
            )
        )
        await other.add_codec(CODEC)
        await other.add_rule(rule)
        assert await told(1) == {"level": 5}
        await other.replace_codec(newer)
        await asyncio.sleep(1.0)  # the feed of changes is asked five times a second
        assert await told(2) == {"half": 2.5}
