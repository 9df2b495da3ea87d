"""The kinds of actions that a rule may have, by the names that AWS gives them.

An action is what stands in a rule: ``{"s3": {"bucketName": …, "key": "${newuuid()}"}}``. Its kind
checks the parameters when the rule is made, says which of them are templates, to be filled in for
each message, and makes the output that carries the messages. Kinds of our own stand beside those of
AWS under names that AWS does not have.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bittern.config import Configuration
from bittern.errors import RuleError
from bittern.outputs.port import Output
from bittern.outputs.rule_metrics import RuleMetrics

Parameters = Mapping[str, Any]
"""JSON, as in the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What outputs are made of, beside their parameters."""

    configuration: Configuration
    data_dir: Path
    broker: Output
    """Where `republish` goes, unless it names a broker of its own."""
    chance: Callable[[], float]
    metrics: RuleMetrics = field(default_factory=RuleMetrics)
    """What `cloudwatchMetric` adds to; Prometheus reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of action: a module of `outputs` offers it as ``KIND``."""

    name: str
    check: Callable[[Parameters], None]
    """Raises ValueError that names the parameter and what is wrong with it."""
    templates: Callable[[Parameters], Mapping[str, str]]
    """The parameters that may hold ``${…}``, by their paths: only these are filled in."""
    make: Callable[[str, Parameters, Surroundings], Output]
    """The output of one action; the text is its name, for logs and metric labels."""


MODULES: Mapping[str, str] = {
    "cloudwatchLogs": "cloudwatch_logs",
    "cloudwatchMetric": "cloudwatch_metric",
    "dynamoDB": "dynamodb",
    "dynamoDBv2": "dynamodb_v2",
    "file": "file",
    "firehose": "firehose",
    "http": "http",
    "influxdb": "influxdb",
    "kafka": "kafka",
    "kinesis": "kinesis",
    "lambda": "lambda_function",
    "nats": "nats",
    "postgresql": "postgresql",
    "republish": "republish",
    "s3": "s3",
    "sns": "sns",
    "sqs": "sqs",
    "timestream": "timestream",
}
"""The module of `outputs` that each kind is in. Their libraries are imported when a rule needs
them: most servers need few of them."""


def kind(name: str) -> Kind:
    """Raises `RuleError` for a name that is none, with those that are."""
    module = MODULES.get(name)
    if module is None:
        raise RuleError(f"no action {name!r}; there are {', '.join(sorted(MODULES))}")
    found = importlib.import_module(f"bittern.outputs.{module}").KIND
    assert isinstance(found, Kind)
    return found


def action_of(document: Mapping[str, Any]) -> tuple[Kind, Parameters]:
    """The one kind that an action of a rule names, and its parameters. Raises `RuleError`."""
    if len(document) != 1:
        given = ", ".join(sorted(document)) or "none"
        raise RuleError(f"an action is one of {', '.join(sorted(MODULES))}; given: {given}")
    [(name, parameters)] = document.items()
    if not isinstance(parameters, Mapping):
        raise RuleError(f"{name}: expected an object with its parameters")
    return kind(name), parameters


def checked(document: Mapping[str, Any]) -> tuple[Kind, Parameters]:
    """The same, with parameters that can be used. Raises `RuleError`."""
    found, parameters = action_of(document)
    try:
        found.check(parameters)
    except ValueError as error:
        raise RuleError(f"{found.name}: {error}") from None
    return found, parameters
