"""A rule's statement: compiled once, evaluated for every message."""

from __future__ import annotations

import msgspec

from bittern.rules import document, syntax, topics
from bittern.rules.compiler import Compiler
from bittern.rules.context import Context
from bittern.rules.evaluation import Environment, Evaluate, Waiting, advance, settle
from bittern.rules.parser import parse_statement
from bittern.rules.values import UNDEFINED, boolean
from bittern.rules.versions import SqlVersion

_NO_CONTEXT = Context()
_FEW = 64


class Selected(msgspec.Struct, frozen=True, gc=False):
    """What a rule made of a message that it matches.

    ``value`` is as in ``values.py``: Undefined only for ``SELECT VALUE`` of what is not there,
    ``bytes`` for ``SELECT *`` of a message that is not JSON. It shares parts with the message:
    change neither. Numbers that only pass through are as the message has them.
    """

    value: object
    variables: dict[str, object]
    """What SET assigned, for substitution templates."""
    _weighed: bool

    def payload(self) -> bytes:
        """The outgoing message. Raises `RuleError` if it is no JSON, or too large."""
        if self.value is UNDEFINED:
            return b""
        if isinstance(self.value, bytes):
            return self.value
        return document.to_json(self.value) if self._weighed else document.encode_read(self.value)


class Rule:
    """Made by `compile`."""

    def __init__(self, sql: str, version: SqlVersion) -> None:
        statement = parse_statement(sql)
        compiler = Compiler(sql, version)
        self.sql = sql
        self.version = version
        self.topic_filter = _topic_filter(compiler, statement.source)
        """None where the statement has no FROM: it can then be a destination's rule only."""
        self._setters = compiler.assign(statement.assignments)
        self._condition = _condition(compiler, statement)
        self._select = compiler.selection(statement.selection)
        self._names = tuple(compiler.variables)
        self._weighed = not _is_plain(statement)
        self.external_functions = frozenset(compiler.external)
        """Names of the functions that an evaluation may have to ask for outside."""
        self.matches = topics.matcher(self.topic_filter or "")
        """Whether a topic is one of the FROM clause's."""

    @property
    def variables(self) -> tuple[str, ...]:
        return self._names

    def evaluate(self, payload: object, context: Context = _NO_CONTEXT) -> Selected | None:
        """None if the WHERE clause does not hold. `payload` is bytes, or a JSON value.

        FROM is not looked at: whoever delivers a message knows its rules. Calls outside are
        answered by ``context.resolve``. Raises `RuleError`, nothing else.
        """
        return settle(self.begin(payload, context), context)

    def begin(
        self, payload: object, context: Context = _NO_CONTEXT
    ) -> Selected | Waiting[Selected | None] | None:
        """The same for a caller that answers calls in its own time: see `Waiting`."""
        root, raw = read(payload, self.version)
        return advance(Environment(context, root, raw, self._setters), self._run)

    def _run(self, environment: Environment) -> Selected | None:
        condition = self._condition
        if condition is not None:
            holds = condition(environment.root, environment)
            if holds is not True and boolean(holds) is not True:
                return None
        value = self._select(environment.root, environment)
        if not self._names:
            return Selected(value, {}, self._weighed)
        variables = {name: environment.variable(at) for at, name in enumerate(self._names)}
        return Selected(value, variables, self._weighed)


def compile(sql: str, version: str = "2016-03-23") -> Rule:
    """Raises `SqlParseException` for a statement, `ValueError` for a version that is none."""
    return Rule(sql, SqlVersion.parse(version))


def read(payload: object, version: SqlVersion) -> tuple[object, bytes | None]:
    """The message as a value, and as bytes if it came so. Bytes that are no JSON stay bytes."""
    old = version is SqlVersion.V2015_10_08
    if isinstance(payload, bytes):
        return (document.parse_decimals if old else document.parse)(payload), payload
    return document.with_decimals(payload) if old else payload, None


def _topic_filter(compiler: Compiler, source: syntax.TopicFilter | None) -> str | None:
    if source is None:
        return None
    if problem := topics.problem(source.text):
        compiler.fail(problem, source.at, len(source.text) + 2)
    return source.text


def _condition(compiler: Compiler, statement: syntax.Statement) -> Evaluate | None:
    if statement.condition is None:
        return None
    return compiler.expression(statement.condition)


def _is_plain(statement: syntax.Statement) -> bool:
    """Whether the result is parts of the message, so that it cannot outgrow it by much."""
    selection = statement.selection
    if isinstance(selection, syntax.ValueSelection):
        return _is_part(selection.expression)
    stars = sum(isinstance(one.expression, syntax.Message) for one in selection.columns)
    return (
        stars <= 1
        and len(selection.columns) <= _FEW
        and all(_is_part(one.expression) for one in selection.columns)
    )


def _is_part(expression: syntax.Expression) -> bool:
    while isinstance(expression, syntax.Member):
        expression = expression.owner
    return isinstance(expression, syntax.Field | syntax.Message | syntax.Literal)
