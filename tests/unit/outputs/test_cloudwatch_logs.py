from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bittern.config import Aws, Configuration
from bittern.errors import DeliveryRejected, DeliveryUnavailable, RuleError
from bittern.outputs.cloudwatch_logs import (
    KIND,
    CloudwatchLogsForm,
    CloudwatchLogsOutput,
    LocalLogOutput,
    make,
    readable,
)
from bittern.outputs.kinds import checked
from bittern.outputs.local_log import LocalLog
from bittern.outputs.parameters import read
from bittern.outputs.port import Message

Make = Callable[..., Message]
PARAMETERS = {"logGroupName": "/site/${topic(2)}"}
GROUP = "/site/roof"
EVENTS = '[{"timestamp": 9, "message": "later"}, {"timestamp": 8, "message": "sooner"}]'


def local(folder: Path, **more: object) -> LocalLogOutput:
    form = read(PARAMETERS | more, CloudwatchLogsForm)
    return LocalLogOutput("rule/1", form, LocalLog(folder), now=lambda: 1.5)


def remote(logs: Any, **more: object) -> CloudwatchLogsOutput:
    form = read(PARAMETERS | more, CloudwatchLogsForm)
    settings = Aws(calls=1)
    return CloudwatchLogsOutput("rule/1", form, settings, connect=logs.connect, now=lambda: 1.5)


def lines(folder: Path) -> list[dict[str, Any]]:
    [path] = folder.glob("*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def logs(stubbed_aws: Any) -> Any:
    return stubbed_aws("logs")


async def test_a_message_is_a_line(tmp_path: Path, make_message: Make) -> None:
    async with local(tmp_path) as output:
        payloads = ('{"x": 1}', "text", b"\xff")
        messages = [make_message(payload, logGroupName=GROUP) for payload in payloads]
        assert await output.publish(messages) == {}
    common = {"timestamp": 1500, "logGroup": GROUP, "messageId": "m1"}
    assert lines(tmp_path) == [
        common | {"message": {"x": 1}},
        common | {"message": "text"},
        common | {"messageBase64": "/w=="},
    ]


async def test_in_batch_mode_an_event_is_a_line(tmp_path: Path, make_message: Make) -> None:
    async with local(tmp_path, batchMode=True) as output:
        messages = [make_message(text, logGroupName=GROUP) for text in (EVENTS, '{"x": 1}')]
        failures = await output.publish(messages)
    assert list(failures) == [1]
    assert isinstance(failures[1], DeliveryRejected)
    found = [(line["timestamp"], line["message"]) for line in lines(tmp_path)]
    assert found == [(9, "later"), (8, "sooner")]


async def test_a_log_that_cannot_be_written_is_unavailable(
    tmp_path: Path, make_message: Make
) -> None:
    (tmp_path / "file").touch()
    async with local(tmp_path / "file") as output:
        with pytest.raises(DeliveryUnavailable, match="log: "):
            await output.publish([make_message(logGroupName=GROUP)])


async def test_events_go_to_a_stream_of_their_output(logs: Any, make_message: Make) -> None:
    logs.answers("create_log_stream", {})
    logs.answers("put_log_events", {})
    logs.answers("put_log_events", {})
    async with remote(logs) as output:
        message = make_message("text", logGroupName=GROUP)
        assert await output.publish([message]) == {}
        assert await output.publish([message]) == {}
    logs.done()


async def test_a_stream_that_was_deleted_is_made_anew(logs: Any, make_message: Make) -> None:
    logs.answers("create_log_stream", {})
    logs.answers("put_log_events", {})
    logs.fails("put_log_events", "ResourceNotFoundException")
    logs.answers("create_log_stream", {})
    logs.answers("put_log_events", {})
    async with remote(logs) as output:
        for _ in range(2):
            assert await output.publish([make_message("text", logGroupName=GROUP)]) == {}
    logs.done()


async def test_a_group_that_was_deleted_rejects(logs: Any, make_message: Make) -> None:
    logs.answers("create_log_stream", {})
    logs.answers("put_log_events", {})
    logs.fails("put_log_events", "ResourceNotFoundException")
    logs.fails("create_log_stream", "ResourceNotFoundException")
    async with remote(logs) as output:
        message = make_message("text", logGroupName=GROUP)
        assert await output.publish([message]) == {}
        failures = await output.publish([message])
    assert isinstance(failures[0], DeliveryRejected)


async def test_events_go_in_order_of_time_and_refused_ones_are_found(
    logs: Any, make_message: Make
) -> None:
    logs.fails("create_log_stream", "ResourceAlreadyExistsException")
    logs.answers("put_log_events", {"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 1}})
    async with remote(logs, batchMode=True) as output:
        recent = '[{"timestamp": 10, "message": "x"}]'
        messages = [make_message(text, logGroupName=GROUP) for text in (recent, EVENTS)]
        failures = await output.publish(messages)
    assert list(failures) == [1]
    assert "too old" in str(failures[1])


async def test_a_group_that_is_not_there_rejects(logs: Any, make_message: Make) -> None:
    logs.fails("create_log_stream", "ResourceNotFoundException")
    async with remote(logs) as output:
        failures = await output.publish([make_message("text", logGroupName=GROUP)])
    assert isinstance(failures[0], DeliveryRejected)


@pytest.mark.parametrize(
    ("aws", "kind"),
    [
        (Aws(region="eu-west-1"), LocalLogOutput),
        (Aws(endpoints={"logs": "https://logs.eu-west-1.amazonaws.com"}), CloudwatchLogsOutput),
        (Aws(endpoint_url="http://127.0.0.1:9"), CloudwatchLogsOutput),
    ],
)
def test_an_endpoint_takes_the_log_elsewhere(tmp_path: Path, aws: Aws, kind: type) -> None:
    surroundings: Any = SimpleNamespace(configuration=Configuration(aws=aws), data_dir=tmp_path)
    assert isinstance(make("rule/1", PARAMETERS, surroundings), kind)


def test_json_is_a_member_as_it_is() -> None:
    assert bytes(readable(b'{"a": 1.50}')["message"]) == b'{"a": 1.50}'


def test_the_group_is_a_template() -> None:
    assert KIND.templates(PARAMETERS) == PARAMETERS


def test_parameters_that_cannot_be_used_are_refused() -> None:
    with pytest.raises(RuleError, match="logGroupName"):
        checked({"cloudwatchLogs": {"logGroupName": ""}})
