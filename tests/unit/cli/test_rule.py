from __future__ import annotations

import json
from pathlib import Path

import pytest

UPLINK = {
    "WirelessDeviceId": "5b58245e",
    "PayloadData": "AQ==",
    "WirelessMetadata": {"LoRaWAN": {"DevEui": "ffffff100000163b", "FPort": 1}},
}
USUAL = "SELECT *, WirelessMetadata.LoRaWAN.DevEui AS eui WHERE WirelessMetadata.LoRaWAN.FPort = 1"


@pytest.fixture
def event(tmp_path: Path) -> Path:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(UPLINK))
    return file


def test_the_outgoing_message_is_printed(bittern, event: Path) -> None:
    done = bittern.done("rule", "test", "--sql", USUAL, "--event", event)
    assert json.loads(done.stdout) == {**UPLINK, "eui": "ffffff100000163b"}
    assert done.stdout.endswith("}\n")


def test_the_statement_may_be_a_file_and_the_message_standard_input(
    bittern, tmp_path: Path
) -> None:
    (tmp_path / "rule.sql").write_text("SELECT a / 2.5 AS b\nFROM 't'\n")
    done = bittern.done(
        "rule", "test", "--sql", f"@{tmp_path}/rule.sql", "--event", "-", stdin='{"a": 5}'
    )
    assert done.stdout == '{"b":2}\n'


def test_a_condition_that_does_not_hold_is_told(bittern, event: Path) -> None:
    done = bittern("rule", "test", "--sql", "SELECT * WHERE missing = 1", "--event", event)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "the condition behind WHERE is not true" in done.stderr


def test_from_is_held_against_a_topic(bittern, event: Path) -> None:
    line = ("rule", "test", "--sql", "SELECT topic(2) AS t FROM 'a/+'", "--event", event)
    assert bittern.done(*line, "--topic", "a/b").stdout == '{"t":"b"}\n'
    done = bittern(*line, "--topic", "b/a")
    assert done.exit_code == 1
    assert "FROM 'a/+' does not match the topic b/a" in done.stderr
    assert bittern.done(*line).stdout == "{}\n"


def test_a_statement_that_is_none_is_shown_with_its_place(bittern, event: Path) -> None:
    done = bittern("rule", "test", "--sql", "SELECT uper(a) AS b", "--event", event)
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        "bittern: line 1, column 8: unknown function uper",
        "bittern:   SELECT uper(a) AS b",
        "bittern:          ^^^^",
        "bittern: did you mean upper?",
    ]


def test_templates_are_filled_in(bittern, event: Path) -> None:
    done = bittern.done(
        *("rule", "test", "--sql", "SET @p = WirelessMetadata.LoRaWAN.FPort SELECT @p"),
        *("--event", event, "--template", "d/${WirelessDeviceId}/${@p}", "--template", "x"),
    )
    assert done.stdout.splitlines() == ['{"p":1}', "d/5b58245e/1", "x"]
    done = bittern("rule", "test", "--sql", USUAL, "--event", event, "--template", "${a")
    assert done.exit_code == 1
    assert "${ is not closed" in done.stderr


def test_all_of_it_is_json_for_scripts(bittern, event: Path) -> None:
    line = ("rule", "test", "--event", event, "--json", "--template", "t${1}")
    found = bittern.done(*line, "--sql", "SET @a = 1.5, @b = missing SELECT @a AS a").json
    assert found == {"payload": {"a": 1.5}, "variables": {"a": 1.5}, "templates": ["t1"]}


def test_a_message_that_is_no_json_passes_as_it_is(bittern) -> None:
    line = ("rule", "test", "--sql", "SELECT *", "--event", "-")
    assert bittern.done(*line, stdin="hello").stdout == "hello\n"
    assert bittern.done(*line, "--json", stdin="hello").json == {"payload": "aGVsbG8="}


def test_functions_outside_are_answered_from_a_file(bittern, event: Path, tmp_path: Path) -> None:
    answers = tmp_path / "answers.json"
    line = ("rule", "test", "--event", event, "--sql")
    sql = "SELECT aws_lambda('f', {'p': PayloadData}).t AS t, aws_lambda('g', 1).t AS u"
    done = bittern(*line, sql)
    assert done.exit_code == 1
    assert """--answers has nothing to say to aws_lambda["f",{"p":"AQ=="}]""" in done.stderr
    answers.write_text(
        json.dumps({'aws_lambda["f",{"p":"AQ=="}]': {"t": 21.5}, "aws_lambda": {"t": 0}})
    )
    assert bittern.done(*line, sql, "--answers", answers).stdout == '{"t":21.5,"u":0}\n'


def test_what_is_no_file_of_answers_is_wrong_usage(bittern, event: Path, tmp_path: Path) -> None:
    (tmp_path / "answers.json").write_text("[1]")
    line = ("rule", "test", "--sql", USUAL, "--event", event)
    done = bittern(*line, "--answers", tmp_path / "answers.json")
    assert done.exit_code == 2
    assert "--answers" in done.stderr


def test_chance_and_time_are_real(bittern, event: Path) -> None:
    sql = "SELECT newuuid() AS a, newuuid() AS b, timestamp() > 1600000000000 AS now, clientid()"
    found = json.loads(
        bittern.done("rule", "test", "--sql", sql, "--event", event, "--client-id", "me").stdout
    )
    assert found["a"] != found["b"]
    assert found["now"] is True
    assert found["clientid"] == "me"


def test_another_version_may_be_asked_for(bittern, event: Path) -> None:
    line = ("rule", "test", "--event", event, "--sql", "SELECT [1] AS a")
    assert bittern.done(*line).stdout == '{"a":[1]}\n'
    assert bittern(*line, "--sql-version", "2015-10-08").exit_code == 1
    assert bittern(*line, "--sql-version", "2017-01-01").exit_code == 2


def test_a_file_that_is_not_there_is_told(bittern, tmp_path: Path) -> None:
    done = bittern("rule", "test", "--sql", USUAL, "--event", tmp_path / "none.json")
    assert done.exit_code == 1
    assert "none.json: no such file" in done.stderr
