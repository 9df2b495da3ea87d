from __future__ import annotations

import sqlite3
import stat
import tarfile
from pathlib import Path

import pytest

from bittern.config import Configuration
from bittern.errors import BackupUnusable, KeyProviderRefused, NotEmpty
from bittern.installation import opened_store
from bittern.keys.file import file_provider
from bittern.mac.session import Hold
from bittern.pki.authority import place_of
from bittern.pki.files import sealed_line
from bittern.testing import examples
from bittern.types import Instant
from bittern.upkeep.backup import back_up
from bittern.upkeep.restore import Rule, key_file_of, opened, restore, verify

NOW = Instant(1_700_000_000.0)
PAYLOAD = b"a payload that nobody else shall read"


def quiet(name: str, at: int, of: int) -> None:
    """A progress that nobody watches."""


@pytest.fixture
def made(site, tmp_path) -> Path:
    target = tmp_path / "x.backup"
    back_up(site.source, target, NOW, with_key=False, progress=quiet)
    return target


async def proved(path: Path, site) -> object:
    with opened(path) as backup:
        return await verify(backup, file_provider(site.layout.data_key), NOW, quiet)


async def test_a_sound_backup_is_proved_and_nothing_is_touched(site, made, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    found = await proved(made, site)
    assert found.verdict.faults == ()
    assert found.verdict.sealed == 3  # activation, session keys, outbox
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


async def test_a_data_directory_is_made_of_it(site, made, tmp_path):
    data_dir = tmp_path / "again"
    key = site.layout.data_key
    with opened(made) as backup:
        done = await restore(
            backup, file_provider(key), data_dir, key, NOW, rule=Rule(), progress=quiet
        )
    assert (done.held.ended, done.held.joins) == (1, 1)
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    for path in data_dir.rglob("*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    assert (data_dir / "pki/ca.key").read_bytes().endswith(b"of the authority")
    async with opened_store(Configuration(data_dir=data_dir), NOW) as store:
        (session,) = await store.sessions_of(examples.DEV_EUI)
        assert session.hold == Hold(None)
        assert session.nfcnt_down == 20 + 8192
        state = await store.join_state(examples.DEV_EUI)
        assert state is not None
        assert state.next_join_nonce == 2 + 65_536
        assert [one.document for one in await store.owed(0, 10)] == [PAYLOAD]


async def test_sessions_are_kept_in_quarantine_where_that_is_asked(site, made, tmp_path):
    key = site.layout.data_key
    with opened(made) as backup:
        done = await restore(
            backup,
            file_provider(key),
            tmp_path / "again",
            key,
            NOW,
            rule=Rule(quarantine_s=60.0, keep_joined=True),
            progress=quiet,
        )
    assert (done.held.ended, done.held.quarantined, done.held.kept) == (0, 1, 0)


async def test_a_folder_that_holds_something_is_left_alone(site, made, tmp_path):
    with opened(made) as backup, pytest.raises(NotEmpty):
        await restore(
            backup,
            file_provider(site.layout.data_key),
            site.layout.data_dir,
            None,
            NOW,
            rule=Rule(),
            progress=quiet,
        )


async def test_another_key_opens_nothing_and_is_named(site, made, tmp_path):
    other = file_provider(tmp_path / "other.key")
    with opened(made) as backup, pytest.raises(KeyProviderRefused, match="data key 1"):
        await verify(backup, other, NOW, quiet)


async def test_every_tampered_byte_is_noticed(site, made):
    """One in each block of 997 bytes, and nothing but padding goes unnoticed."""
    whole = made.read_bytes()
    with tarfile.open(made) as archive:
        filled = [
            (member.offset_data, member.offset_data + member.size)
            for member in archive.getmembers()
        ]
    for begin, end in filled:
        for place in {*range(begin, end, 49_991), end - 1}:
            spoiled = bytearray(whole)
            spoiled[place] ^= 0x04
            made.write_bytes(spoiled)
            with pytest.raises((BackupUnusable, KeyProviderRefused)):
                await proved(made, site)


async def test_a_backup_that_is_cut_off_is_refused(site, made):
    whole = made.read_bytes()
    for length in (0, 100, 5000, len(whole) // 2):
        made.write_bytes(whole[:length])
        with pytest.raises(BackupUnusable):
            await proved(made, site)


async def test_a_failed_restore_leaves_no_folder(site, made, tmp_path):
    whole = bytearray(made.read_bytes())
    whole[6000] ^= 1
    made.write_bytes(whole)
    key = site.layout.data_key
    with opened(made) as backup, pytest.raises(BackupUnusable):
        await restore(
            backup, file_provider(key), tmp_path / "again", key, NOW, rule=Rule(), progress=quiet
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "x.backup"]


async def test_a_value_that_does_not_open_is_named(site, tmp_path):
    database = sqlite3.connect(site.layout.database)
    database.execute("UPDATE outbox SET message_id = 'moved'")
    database.commit()
    database.close()
    target = tmp_path / "x.backup"
    back_up(site.source, target, NOW, with_key=False, progress=quiet)
    found = await proved(target, site)
    assert len(found.verdict.faults) == 1
    assert "outbox.document" in found.verdict.faults[0]


async def test_the_private_keys_of_the_authority_are_opened_too(site, tmp_path):
    path = site.layout.pki / "ca.key"
    path.write_bytes(sealed_line(b"the key", site.keychain.ring, place_of("ca")))
    target = tmp_path / "x.backup"
    back_up(site.source, target, NOW, with_key=False, progress=quiet)
    assert (await proved(target, site)).verdict.sealed == 4
    path.write_bytes(sealed_line(b"the key", site.keychain.ring, place_of("ca-2")))
    back_up(site.source, target, NOW, with_key=False, progress=quiet)
    (fault,) = (await proved(target, site)).verdict.faults
    assert "pki.ca.key" in fault


def test_the_key_in_a_backup_is_used_unless_another_is_named(site, tmp_path):
    target = tmp_path / "x.backup"
    back_up(site.source, target, NOW, with_key=True, progress=quiet)
    with opened(target) as backup:
        with key_file_of(backup, None, tmp_path / "absent") as path:
            assert path.read_bytes() == site.layout.data_key.read_bytes()
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not path.exists()
        with key_file_of(backup, site.layout.data_key, tmp_path / "absent") as path:
            assert path == site.layout.data_key


def test_an_absent_key_is_asked_for(made, tmp_path):
    with (
        opened(made) as backup,
        pytest.raises(BackupUnusable, match="--key-file"),
        key_file_of(backup, None, tmp_path / "absent"),
    ):
        raise AssertionError
