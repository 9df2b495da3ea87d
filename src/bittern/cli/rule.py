"""`bittern rule`: rules in SQL, and trying one on a message before anything depends on it."""

from __future__ import annotations

import secrets
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from bittern.cli import output, parameters, rule_registry
from bittern.cli.group import noun
from bittern.errors import ExternalCallFailed, RuleError
from bittern.rules import (
    UNDEFINED,
    Context,
    ExternalCall,
    Rule,
    Selected,
    SqlVersion,
    Template,
    explain,
)
from bittern.types import Instant

app = noun("Rules, in AWS IoT SQL.")
for _name, _verb in rule_registry.VERBS.items():
    app.command(_name)(_verb)

CIRCUMSTANCES = "What is not in the message"


@app.command("test")
def test(
    *,
    sql: Annotated[
        str,
        typer.Option(metavar="SQL", help="The statement. @FILE reads it from a file."),
    ],
    event: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="The message, JSON or not. - reads it from standard input."
        ),
    ],
    template: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT", help="A substitution template to fill in too. May be repeated."
        ),
    ] = None,
    sql_version: Annotated[
        SqlVersion,
        typer.Option(
            metavar="|".join(SqlVersion),
            parser=parameters.parsed(SqlVersion.parse),
            help="Version of AWS IoT SQL.",
        ),
    ] = SqlVersion.V2016_03_23,
    topic: Annotated[
        str,
        typer.Option(
            help="The message's topic; FROM must match it. Without it FROM is not looked at.",
            rich_help_panel=CIRCUMSTANCES,
        ),
    ] = "",
    client_id: Annotated[
        str | None,
        typer.Option(help="What clientid() says.", rich_help_panel=CIRCUMSTANCES),
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A JSON object: what aws_lambda() and other functions outside answer, by their"
            " names, or by calls as they are complained of.",
            rich_help_panel=CIRCUMSTANCES,
        ),
    ] = None,
    as_json: parameters.AsJson = False,
) -> None:
    """Print what the rule makes of a message: as it would go out, or with --json as a document of
    the payload, the variables and the templates.

    Exit code 1 if the rule does not apply to the message.
    """
    context = Context(
        now=Instant(time.time()),
        topic=topic,
        client_id=client_id,
        random_bytes=secrets.token_bytes,
        resolve=_Answers(answers),
    )
    message = _message(event)
    try:
        rule = Rule(_statement(sql), sql_version)
        made = [Template(text, sql_version, rule.variables) for text in template or ()]
        selected = _selected(rule, message, context)
        texts = [one.substitute(message, context, selected.variables) for one in made]
        payload = selected.payload()
    except RuleError as error:
        output.complain(explain(error))
        raise typer.Exit(1) from None
    if as_json:
        output.print_json(_document(payload, selected, texts))
        return
    sys.stdout.buffer.write(payload + b"\n" * bool(payload))
    for text in texts:
        typer.echo(text)


class _Answers:
    """Calls of functions outside, answered from a file."""

    def __init__(self, file: Path | None) -> None:
        self._known: dict[str, object] = {}
        if file is not None:
            self._known = _json_object(file)

    def __call__(self, call: ExternalCall) -> object:
        for key in (call.key, call.function):
            if key in self._known:
                return self._known[key]
        raise ExternalCallFailed(f"--answers has nothing to say to {call.key}")


def _json_object(file: Path) -> dict[str, object]:
    import msgspec

    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file}: {error}", param_hint="--answers") from None


def _statement(text: str) -> str:
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{text[1:]}: {error}", param_hint="--sql") from None


def _message(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()


def _selected(rule: Rule, message: bytes, context: Context) -> Selected:
    """Raises `RuleError` where the rule does not apply, too."""
    if context.topic and rule.topic_filter is not None and not rule.matches(context.topic):
        raise RuleError(f"FROM '{rule.topic_filter}' does not match the topic {context.topic}")
    selected = rule.evaluate(message, context)
    if selected is None:
        raise RuleError("the condition behind WHERE is not true for this message")
    return selected


def _document(payload: bytes, selected: Selected, texts: list[str]) -> dict[str, Any]:
    """Bytes that are no JSON are told in base64."""
    import msgspec

    is_json = payload and not isinstance(selected.value, bytes)
    told: dict[str, Any] = {"payload": msgspec.Raw(payload) if is_json else payload}
    if selected.variables:
        from bittern.rules.document import to_json

        told["variables"] = {
            name: msgspec.Raw(to_json(value))
            for name, value in selected.variables.items()
            if value is not UNDEFINED
        }
    if texts:
        told["templates"] = texts
    return told
