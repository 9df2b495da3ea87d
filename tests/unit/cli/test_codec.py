from __future__ import annotations

import pytest

from bittern.store.records import DEFAULT_ACCOUNT

SCRIPT = """\
function decodeUplink(input) {
  if (input.fPort == 9) return { errors: ["not for port 9"] };
  return { data: { level: input.bytes[0] / 2, year: input.recvTime.getUTCFullYear() },
           warnings: ["low"] };
}
function encodeDownlink(input) { return { bytes: [input.data.level * 2], fPort: 7 }; }
"""


@pytest.fixture
def script(tmp_path):
    file = tmp_path / "codec.js"
    file.write_text(SCRIPT)
    return file


def test_an_added_codec_is_in_the_store_listed_shown_and_removed(bittern, script) -> None:
    done = bittern.done("codec", "add", "meter", "--file", str(script))
    assert "codec meter added: decodeUplink, encodeDownlink" in done.stderr
    (found,) = bittern.stored(lambda store: store.codecs(DEFAULT_ACCOUNT))
    assert (found.name, found.script) == ("meter", SCRIPT)
    assert bittern.done("codec", "show", "meter").stdout == SCRIPT
    lines = bittern.done("codec", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["NAME", "cayenne-lpp", "meter"]
    assert [one["name"] for one in bittern.done("codec", "list", "--json").json] == ["meter"]
    bittern.done("codec", "remove", "meter")
    assert bittern.stored(lambda store: store.codecs(DEFAULT_ACCOUNT)) == []
    assert bittern("codec", "show", "meter").exit_code == 1


def test_a_second_of_a_name_is_refused_unless_it_is_to_replace_the_first(bittern, script) -> None:
    bittern.done("codec", "add", "meter", "--file", str(script))
    assert "exists already" in bittern("codec", "add", "meter", "--file", str(script)).stderr
    script.write_text("exports.decodeUplink = function () {}")
    bittern.done("codec", "add", "meter", "--file", str(script), "--replace")
    assert "exports" in bittern.done("codec", "show", "meter").stdout


def test_a_script_that_cannot_be_read_is_refused_at_its_place(bittern, script) -> None:
    script.write_text("var a = 1;\nvar b = = 2;\n")
    done = bittern("codec", "add", "meter", "--file", str(script))
    assert done.exit_code == 1
    told, line, caret = done.stderr.splitlines()
    assert ":2:9: SyntaxError" in told
    assert line[caret.index("^")] == "="
    assert not bittern.data_dir.exists()


@pytest.mark.parametrize("name", ["cayenne-lpp", "a/b"])
def test_names_that_cannot_be_are_refused(bittern, script, name: str) -> None:
    assert bittern("codec", "add", name, "--file", str(script)).exit_code == 2


@pytest.mark.parametrize("registered", [True, False])
def test_bytes_are_decoded(bittern, script, registered: bool) -> None:
    which = ["--file", str(script)]
    if registered:
        bittern.done("codec", "add", "meter", "--file", str(script))
        which = ["meter"]
    asked = ["--bytes", "05ff", "--fport", "3", "--time", "2020-02-03T04:05:06Z"]
    done = bittern.done("codec", "test", *which, *asked)
    assert done.json == {"level": 2.5, "year": 2020}
    assert "warning: low" in done.stderr


def test_data_are_encoded(bittern, script) -> None:
    done = bittern.done("codec", "test", "--file", str(script), "--encode", '{"level":2}')
    assert done.json == {"bytes": "04", "fPort": 7}


def test_what_is_built_in_is_tried_too(bittern) -> None:
    assert bittern.done("codec", "test", "cayenne-lpp", "--bytes", "03670110").json == {
        "temperature_3": 27.2
    }


def test_what_a_codec_refuses_is_told(bittern, script) -> None:
    done = bittern("codec", "test", "--file", str(script), "--bytes", "05", "--fport", "9")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "not for port 9" in done.stderr


def test_a_fault_is_shown_at_its_place(bittern, script) -> None:
    script.write_text("function decodeUplink(input) {\n  return input.a.b;\n}")
    done = bittern("codec", "test", "--file", str(script), "--bytes", "05")
    assert ":2:10: TypeError" in done.stderr.splitlines()[0]
    assert done.exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--bytes", "00"],
        ["meter", "--file", "FILE", "--bytes", "00"],
        ["meter"],
        ["meter", "--bytes", "00", "--encode", "{}"],
        ["meter", "--bytes", "0"],
        ["meter", "--bytes", "00", "--time", "noon"],
        ["meter", "--bytes", "00", "--fport", "0"],
    ],
)
def test_wrong_usage_is_told(bittern, script, arguments: list[str]) -> None:
    named = [str(script) if one == "FILE" else one for one in arguments]
    assert bittern("codec", "test", *named).exit_code == 2


def test_a_device_is_added_with_a_codec_that_is_there(bittern, script) -> None:
    add = ("device", "add", "0102030405060708", "--generate-keys", "--codec")
    refused = bittern(*add, "meter")
    assert (refused.exit_code, "no codec meter" in refused.stderr) == (1, True)
    bittern.done("codec", "add", "meter", "--file", str(script))
    bittern.done(*add, "meter")
    (profile,) = bittern.stored(lambda store: store.device_profiles(DEFAULT_ACCOUNT))
    assert (profile.codec, profile.name.endswith("codec meter")) == ("meter", True)
    assert repr(profile.name) in bittern.done("codec", "remove", "meter").stderr
