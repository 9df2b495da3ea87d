from __future__ import annotations

from pathlib import Path

import pytest

from bittern.config import Aws, Configuration, load
from bittern.errors import ConfigurationError
from bittern.types import NetID


def loaded(folder: Path, text: str, **environment: str) -> Configuration:
    path = folder / "bittern.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, environment)


def problems(folder: Path, text: str, **environment: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text, **environment)
    return caught.value.problems


def test_without_file_and_environment_all_is_default() -> None:
    assert load(None, {}) == Configuration()


def test_file_overrides_defaults(tmp_path: Path) -> None:
    configuration = loaded(
        tmp_path,
        """
        [server]
        names = ["lns.example.com", "gw"]
        [lns]
        port = 9000
        ping_interval_s = 5
        [network]
        net_id = "00003c"
        """,
    )
    assert configuration.server.names == ("lns.example.com", "gw")
    assert configuration.lns.port == 9000
    assert configuration.lns.ping_interval_s == 5.0
    assert configuration.network.net_id == NetID.from_hex("00003c")
    assert configuration.api.port == 8080


def test_environment_overrides_file(tmp_path: Path) -> None:
    configuration = loaded(tmp_path, "[lns]\nport = 9000", BITTERN_LNS__PORT="9001")
    assert configuration.lns.port == 9001


def test_environment_gives_lists_with_commas() -> None:
    configuration = load(None, {"BITTERN_SERVER__NAMES": "a.example, b.example"})
    assert configuration.server.names == ("a.example", "b.example")


def test_environment_gives_mappings_with_equals_signs() -> None:
    configuration = load(None, {"BITTERN_AWS__ENDPOINTS": "sqs=http://h:1, s3=https://store"})
    assert configuration.aws.endpoints == {"sqs": "http://h:1", "s3": "https://store"}


def test_a_mapping_may_be_a_table_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bittern.toml"
    path.write_text('[aws]\nregion = "eu-west-1"\n[aws.endpoints]\nsqs = "http://h:1"\n')
    assert load(path, {}).aws == Aws(region="eu-west-1", endpoints={"sqs": "http://h:1"})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("pigeon=http://h", "expected dynamodb or firehose or .* or timestream-write, got"),
        ("sqs=http://user:secret@h", "expected an address like https://HOST:PORT, without a user"),
        ("sqs", "expected an address"),
    ],
)
def test_a_mapping_that_does_not_fit_is_a_problem(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as caught:
        load(None, {"BITTERN_AWS__ENDPOINTS": text})
    assert "secret" not in str(caught.value)


def test_paths_in_the_file_are_relative_to_the_file(tmp_path: Path) -> None:
    assert loaded(tmp_path, 'data_dir = "state"').data_dir == tmp_path / "state"
    assert loaded(tmp_path, 'data_dir = "/var/lib/x"').data_dir == Path("/var/lib/x")


def test_paths_in_the_environment_are_relative_to_where_one_stands() -> None:
    assert load(None, {"BITTERN_DATA_DIR": "state"}).data_dir == Path("state")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """
        [server]
        names = ["good", 7]
        [lns]
        port = "8887"
        max_message_bytes = 3
        [log]
        level = "loud"
        [network]
        net_id = "12"
        """,
        BITTERN_API__PORT="http",
    )
    assert found == [
        "server.names[1]: expected str, got int",
        "lns.port: expected int, got str",
        "lns.max_message_bytes: expected int >= 1024",
        "log.level: expected debug or info or warning or error, got 'loud'",
        "network.net_id: NetID is 6 hexadecimal digits, not '12'",
        "BITTERN_API__PORT: expected int, got str",
    ]


def test_patterns_are_told_in_words(tmp_path: Path) -> None:
    text = '[server]\nnames = ["a b"]\n[lns]\nminimum_station = "new"'
    assert problems(tmp_path, text) == [
        "server.names[0]: expected a host name",
        "lns.minimum_station: expected a version like 2.0.6",
    ]


def test_problems_of_single_settings_and_of_their_combination_come_together(
    tmp_path: Path,
) -> None:
    found = problems(tmp_path, '[lns]\nport = -1\n[mqtt]\nca = "nowhere.pem"')
    assert found == [
        "lns.port: expected int >= 0",
        f"mqtt.ca: file not found: {tmp_path / 'nowhere.pem'}",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[lns]\nprot = 1", "lns.prot: no such setting; did you mean lns.port?"),
        ("[lsn]\nport = 1", "lsn: no such setting; did you mean lns?"),
        ("lns = 8887", "lns: a section; write [lns] and its settings below"),
        (
            "[gateways]\nx = 1",
            "gateways: no such setting; there are data_dir, functions, server, api, lns",
        ),
        ("datadir = 'x'", "datadir: no such setting; did you mean data_dir?"),
        ("[store]\nxyzzy = 1", "store.xyzzy: no such setting; there are store.group_commit_ms"),
    ],
)
def test_an_unknown_setting_names_its_near_matches(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = problems(tmp_path, text)
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("variable", "problem"),
    [
        ("BITTERN_LNS__PROT", "no such setting; did you mean BITTERN_LNS__PORT?"),
        ("BITTERN_LNS_PORT", "no such setting; did you mean BITTERN_LNS__PORT?"),
        ("BITTERN_XYZZY__PLUGH", "no such setting"),
    ],
)
def test_a_mistyped_variable_is_a_problem(variable: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(None, {variable: "1"})
    assert caught.value.problems == [f"{variable}: {problem}"]


def test_other_variables_are_not_ours_to_judge() -> None:
    environment = {"BITTERN_STATION_BIN": "/usr/bin/station", "PATH": "/bin"}
    assert load(None, environment) == Configuration()


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "absent.toml"
    with pytest.raises(ConfigurationError) as caught:
        load(path, {})
    assert caught.value.problems == [f"{path}: no such file or directory"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"[lns", "not TOML: "), (b"\xff\xfe", "not UTF-8 text"), (b"a = 1\na = 2", "not TOML: ")],
)
def test_a_file_that_is_not_toml_is_a_problem(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "bittern.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load(path, {})
    assert caught.value.problems[0].startswith(f"{path}: {problem}")


def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    found = problems(tmp_path, '[mqtt]\nusername = "me"\npassword = "hunter2"')
    assert found == [
        "mqtt.password: a secret; give it by mqtt.password_file or BITTERN_MQTT__PASSWORD"
    ]


def test_password_comes_from_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n", encoding="utf-8")
    text = '[mqtt]\nusername = "me"\npassword_file = "password"'
    password = loaded(tmp_path, text).mqtt.password
    assert password is not None
    assert password.expose() == "hunter2"


def test_password_of_the_environment_wins(tmp_path: Path) -> None:
    text = '[mqtt]\nusername = "me"\npassword_file = "absent"'
    configuration = loaded(tmp_path, text, BITTERN_MQTT__PASSWORD="hunter2")
    password = configuration.mqtt.password
    assert password is not None
    assert password.expose() == "hunter2"
    assert "hunter2" not in repr(configuration)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "no such file or directory"),
        (b"\n", "its first line is empty"),
        (b"", "its first line is empty"),
        (b"\xff", "not utf-8 text"),
    ],
)
def test_a_password_file_that_cannot_be_used_is_a_problem(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    if content is not None:
        (tmp_path / "password").write_bytes(content)
    text = '[mqtt]\nusername = "me"\npassword_file = "password"'
    assert problems(tmp_path, text) == [f"mqtt.password_file: {problem}"]
