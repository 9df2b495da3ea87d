from __future__ import annotations

WEAK = ("device", "add", "70b3d57ed0000001", "--app-key", "2b7e151628aed2a6abf7158809cf4f3c")
DRAWN = ("device", "add", "70b3d57ed0000002", "--app-key", "9c1185a5c5e9fc54612808977ee8f548")


def test_an_error_is_told_with_its_cure_and_the_exit_code(bittern):
    bittern.done(*WEAK)
    done = bittern("doctor")
    assert done.exit_code == 1
    assert "its AppKey is known to everybody" in done.stdout
    assert "draw a new one" in done.stdout
    assert "1 errors" in done.stderr
    assert "2b7e1516" not in done.stdout.lower()


def test_a_sound_installation_passes(bittern):
    bittern.done(*DRAWN)
    told = bittern.done("doctor", "--deep", "--json").json
    assert told["checks"] >= 15
    assert [one for one in told["findings"] if one["severity"] == "error"] == []


def test_an_open_file_is_found(bittern):
    bittern.done(*DRAWN)
    (bittern.data_dir / "bittern.db").chmod(0o644)
    told = bittern.done("doctor", "--json").json["findings"]
    assert any(one["check"] == "permissions" and "chmod 600" in one["cure"] for one in told)


def test_there_must_be_something_to_look_at(bittern):
    done = bittern("doctor")
    assert done.exit_code == 1
    assert "nothing of bittern" in done.stderr
    assert not bittern.data_dir.exists()
