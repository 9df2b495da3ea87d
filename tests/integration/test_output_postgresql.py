"""A cluster of PostgreSQL of its own, in a temporary folder, on a free loopback port."""

from __future__ import annotations

import asyncio
import glob
import os
import pwd
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import trustme

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


@contextmanager
def cluster_with(*options: str, certificate: trustme.LeafCert | None = None) -> Iterator[Program]:
    """With a certificate it takes no connections but those over TLS."""
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
        if certificate is not None:
            options = (*options, "-c", "ssl=on", "-c", f"ssl_cert_file={folder / 'own.pem'}")
            options = (*options, "-c", f"ssl_key_file={folder / 'own.pem'}")
            certificate.private_key_and_cert_chain_pem.write_to_path(folder / "own.pem")
            (folder / "own.pem").chmod(0o600)
            if user is not None:
                shutil.chown(folder / "own.pem", user)
            (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        port = free_port()
        command = [
            str(PROGRAMS / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1",
            "-k", name, *options,
        ]  # fmt: skip
        yield Cluster(command, port, user=user, cwd=name)


@pytest.fixture
async def running() -> AsyncIterator[Program]:
    with cluster_with() as cluster:
        async with cluster:
            await with_table(cluster)
            yield cluster


async def with_table(cluster: Program, tls: ssl.SSLContext | None = None) -> None:
    connection = await connected(cluster, tls)
    await connection.execute(
        "CREATE TABLE up (at timestamptz, device int, n int CHECK (n >= 0), site text,"
        " document jsonb, id text UNIQUE, arrival serial)"
    )
    await connection.close()


async def connected(running: Program, tls: ssl.SSLContext | None = None) -> Any:
    async with asyncio.timeout(30):
        while True:
            try:
                return await asyncpg.connect(
                    host="127.0.0.1", port=running.port, user="lns", password="right",
                    database="postgres", ssl=tls or False,
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


async def rows(running: Program, tls: ssl.SSLContext | None = None) -> list[Any]:
    connection = await connected(running, tls)
    found = list(await connection.fetch("SELECT * FROM up ORDER BY arrival"))
    await connection.close()
    return found


class Troubles:
    """Of a server that goes on running."""

    def __init__(self, running: Program, tls: ssl.SSLContext | None = None) -> None:
        self._running = running
        self._tls = tls

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        connection = await connected(self._running, self._tls)
        try:
            yield connection
        finally:
            await connection.close()

    async def read_only(self) -> None:
        """It returns errors, as one that another took over from."""
        async with self._connection() as connection:
            await connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            await connection.execute("SELECT pg_reload_conf()")
            await asyncio.sleep(0.5)
            await connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
            await connection.execute("SELECT pg_reload_conf()")

    async def locked(self) -> None:
        """It is slow."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute("LOCK TABLE up IN EXCLUSIVE MODE")
            await asyncio.sleep(0.7)

    async def cut_off(self) -> None:
        """All others, some in the middle of a statement."""
        async with self._connection() as connection:
            for _ in range(5):
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'bittern'"
                )
                await asyncio.sleep(0.1)


async def through_all_troubles(
    running: Program, folder: Path, told: str, context: ssl.SSLContext | None = None, **more: Any
) -> str:
    trouble = Troubles(running, context)
    async with action(running, folder, **more) as output:
        result = await carry(
            output,
            each=120,
            fill=columns,
            troubles=[
                running.restart,
                trouble.read_only,
                running.freeze,
                trouble.locked,
                trouble.cut_off,
                running.kill,
            ],
        )
    found = await rows(running, context)
    again = check_arrivals([(row["device"], row["n"]) for row in found], 20, 120)
    assert result.rejected == []
    assert result.unavailable > 0
    assert again == 0
    return f"\npostgresql, {told}: {result}, {again} twice"


async def test_table_gets_everything_once_and_in_order_through_all_troubles(
    running: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = await through_all_troubles(running, tmp_path, "plain")
    with capsys.disabled():
        print(told)


async def test_over_tls_the_server_is_known_by_its_own_authority(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    authority, other = trustme.CA(), trustme.CA()
    (tmp_path / "secrets").mkdir()
    authority.cert_pem.write_to_path(tmp_path / "secrets/ca.pem")
    other.cert_pem.write_to_path(tmp_path / "secrets/other.pem")
    tls = ssl.create_default_context(cafile=tmp_path / "secrets/ca.pem")
    message = Message("", b"1", "m1", columns(99, 1))
    with cluster_with(certificate=authority.issue_cert("127.0.0.1")) as cluster:
        async with cluster:
            await with_table(cluster, tls)
            for wrong, reason in (
                ({"tls": {"ca": "other.pem"}}, "certificate verify failed"),
                ({"tls": {}}, "certificate verify failed"),
                ({}, "no pg_hba.conf entry"),
            ):
                async with action(cluster, tmp_path, **wrong) as output:
                    with pytest.raises(DeliveryUnavailable, match=reason):
                        await output.publish([message])
            assert await rows(cluster, tls) == []
            told = await through_all_troubles(cluster, tmp_path, "TLS", tls, tls={"ca": "ca.pem"})
    with capsys.disabled():
        print(told)


async def test_server_with_the_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    authority = trustme.CA()
    (tmp_path / "secrets").mkdir()
    authority.cert_pem.write_to_path(tmp_path / "secrets/ca.pem")
    with cluster_with(certificate=authority.issue_cert("elsewhere.example")) as cluster:
        async with cluster, action(cluster, tmp_path, tls={"ca": "ca.pem"}) as output:
            with pytest.raises(DeliveryUnavailable, match="not valid for"):
                await output.publish([Message("", b"1", "m1", columns(1, 1))])


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
