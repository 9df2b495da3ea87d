"""A cluster of PostgreSQL of its own, in a temporary folder, on a free loopback port."""

from __future__ import annotations

import asyncio
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.port import Message

sys.path.insert(0, str(Path(__file__).parent))
from output_chaos import Program, carry, check_arrivals, free_port, made


def programs() -> Path | None:
    """PostgreSQL's own folder: a package puts its server in no PATH."""
    found = shutil.which("initdb")
    places = [found] if found else sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    return Path(places[-1]).resolve().parent if places else None


def other_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    pytest.skip("PostgreSQL does not run as root, and there is no other user")


PROGRAMS = programs()
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PROGRAMS is None, reason="PostgreSQL's server is not installed"),
]


class Cluster(Program):
    async def stop(self, sign: int = signal.SIGINT) -> None:
        """ "Fast": asked in another way it waits until its clients go."""
        await super().stop(sign)


@pytest.fixture
def cluster() -> Iterator[Program]:
    assert PROGRAMS is not None
    user = other_user()
    with tempfile.TemporaryDirectory(prefix="bittern-pg-") as name:
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)
        (folder / "password").write_text("right\n")
        data = folder / "data"
        subprocess.run(
            [PROGRAMS / "initdb", "-D", data, "-U", "lns", "--auth=scram-sha-256", "-N",
             "--locale=C.UTF-8", "-E", "UTF8", f"--pwfile={folder / 'password'}"],
            check=True, capture_output=True, user=user, env={"LC_ALL": "C.UTF-8"}, cwd=folder,
        )  # fmt: skip
        port = free_port()
        command = [
            str(PROGRAMS / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1",
            "-k", name,
        ]  # fmt: skip
        yield Cluster(command, port, user=user, cwd=name)


@pytest.fixture
async def running(cluster: Program) -> AsyncIterator[Program]:
    async with cluster:
        connection = await connected(cluster)
        await connection.execute(
            "CREATE TABLE up (at timestamptz, device int, n int CHECK (n >= 0), site text,"
            " document jsonb, id text UNIQUE, arrival serial)"
        )
        await connection.close()
        yield cluster


async def connected(running: Program) -> Any:
    async with asyncio.timeout(30):
        while True:
            try:
                return await asyncpg.connect(
                    host="127.0.0.1", port=running.port, user="lns", password="right",
                    database="postgres", ssl=False,
                )  # fmt: skip
            except (OSError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(0.05)


def action(running: Program, folder: Path, **more: Any) -> Any:
    (folder / "secrets").mkdir(exist_ok=True)
    (folder / "secrets/pg").write_text("right\n")
    parameters = {
        "url": f"postgresql://127.0.0.1:{running.port}/postgres",
        "username": "lns",
        "passwordFile": "pg",
        "table": "up",
        "columns": {"at": "${at}", "device": "${d}", "n": "${n}", "site": "${site}"},
        "documentColumn": "document",
        "idColumn": "id",
        **more,
    }
    return made("postgresql", parameters, folder)


def columns(device: int, number: int) -> Mapping[str, str]:
    return {
        "columns.at": "2026-01-01T00:00:00Z",
        "columns.device": str(device),
        "columns.n": str(number),
        "columns.site": "",
    }


async def rows(running: Program) -> list[Any]:
    connection = await connected(running)
    found = list(await connection.fetch("SELECT * FROM up ORDER BY arrival"))
    await connection.close()
    return found


async def test_table_gets_everything_once_and_in_order_through_all_troubles(
    running: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with action(running, tmp_path) as output:
        result = await carry(
            output,
            each=80,
            fill=columns,
            troubles=[running.restart, running.freeze, running.kill],
        )
    found = await rows(running)
    again = check_arrivals([(row["device"], row["n"]) for row in found], 20, 80)
    assert result.rejected == []
    assert result.unavailable > 0
    assert again == 0
    with capsys.disabled():
        print(f"\npostgresql: {result}, {again} twice")


async def test_values_become_what_their_columns_are(running: Program, tmp_path: Path) -> None:
    async with action(running, tmp_path) as output:
        assert await output.publish([Message("", b'{"x": [1]}', "m1", columns(1, 2))]) == {}
    [row] = await rows(running)
    assert (row["device"], row["n"], row["site"], row["id"]) == (1, 2, None, "m1")
    assert row["at"].isoformat() == "2026-01-01T00:00:00+00:00"
    assert row["document"] == '{"x": [1]}'


async def test_row_that_is_not_taken_is_rejected_alone(running: Program, tmp_path: Path) -> None:
    filled = [columns(1, 0), columns(1, -1), {**columns(1, 1), "columns.n": "x"}, columns(1, 2)]
    messages = [Message("", b"1", f"m{place}", one) for place, one in enumerate(filled)]
    messages.append(Message("", b'"\\u0000"', "m9", columns(1, 3)))
    async with action(running, tmp_path) as output:
        failures = await output.publish(messages)
        assert sorted(failures) == [1, 2, 4]
        assert all(isinstance(failure, DeliveryRejected) for failure in failures.values())
    assert [row["n"] for row in await rows(running)] == [0, 2]


async def test_absent_table_rejects(running: Program, tmp_path: Path) -> None:
    async with action(running, tmp_path, table="absent") as output:
        failures = await output.publish([Message("", b"1", "m1", columns(1, 1))])
    assert "42P01" in failures[0].reason
    assert isinstance(failures[0], DeliveryRejected)


async def test_wrong_password_is_told_and_can_be_put_right(
    running: Program, tmp_path: Path
) -> None:
    async with action(running, tmp_path) as output:
        (tmp_path / "secrets/pg").write_text("wrong\n")
        with pytest.raises(DeliveryUnavailable, match="password authentication failed"):
            await output.publish([Message("", b"1", "m1", columns(1, 1))])
        (tmp_path / "secrets/pg").write_text("right\n")
        assert await output.publish([Message("", b"1", "m1", columns(1, 1))]) == {}
