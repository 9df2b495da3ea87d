from __future__ import annotations

import stat

DEVICE = ("device", "add", "70b3d57ed0000001", "--app-key", "00112233445566778899aabbccddeeff")


def test_a_backup_is_made_in_a_folder_under_its_time(bittern, tmp_path):
    bittern.done(*DEVICE)
    folder = tmp_path / "backups"
    folder.mkdir()
    told = bittern.done("backup", folder, "--json").json
    (made,) = folder.iterdir()
    assert told["file"] == str(made)
    assert told["size"] == made.stat().st_size
    assert (told["provider"], told["with_key"]) == ("file", False)
    assert stat.S_IMODE(made.stat().st_mode) == 0o600


def test_a_person_is_told_what_is_needed_to_restore_it(bittern, tmp_path):
    bittern.done(*DEVICE)
    done = bittern.done("backup", tmp_path / "x.backup")
    assert str(bittern.data_dir / "data.key") in done.stderr
    assert "the key is in it" not in done.stderr
    assert "the key is in it" in bittern.done("backup", tmp_path / "y", "--with-key").stderr


def test_nothing_is_made_where_there_is_nothing(bittern, tmp_path):
    done = bittern("backup", tmp_path / "x.backup")
    assert done.exit_code == 1
    assert "nothing of bittern" in done.stderr
    assert not bittern.data_dir.exists()
