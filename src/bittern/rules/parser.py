"""From text to syntax: lark's LALR parser over ``grammar.lark``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, cast

from lark import Lark, Token, Transformer, UnexpectedInput, v_args

from bittern.errors import SqlParseException
from bittern.rules import syntax, values
from bittern.rules.limits import MAX_STATEMENT
from bittern.rules.syntax import Expression
from bittern.rules.unexpected import MISSING, RESERVED, refusal

_LONG_NUMBER = 100
_VARIABLE = re.compile(r"@[A-Za-z0-9_]{1,64}")


def parse_statement(sql: str) -> syntax.Statement:
    """Raises `SqlParseException`."""
    return cast(syntax.Statement, _parse(sql, "statement"))


def parse_expression(sql: str) -> Expression:
    """What may stand in ``${…}``. Raises `SqlParseException`."""
    return cast(Expression, _parse(sql, "template_expression"))


@cache
def _parser() -> Lark:
    grammar = files("bittern.rules").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        grammar,
        parser="lalr",
        start=["statement", "template_expression"],
        maybe_placeholders=True,
        transformer=_Builder(),
    )


def _parse(sql: str, start: str) -> object:
    if len(sql) > MAX_STATEMENT:
        raise SqlParseException(f"longer than {MAX_STATEMENT} characters", sql, MAX_STATEMENT)
    try:
        return _parser().parse(sql, start=start)
    except UnexpectedInput as error:
        raise refusal(sql, error) from None
    except _Misplaced as error:
        raise SqlParseException(error.reason, sql, error.at, error.length) from None


class _Misplaced(Exception):
    """Found by the builder, which does not have the text."""

    def __init__(self, reason: str, token: Token) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = token.start_pos or 0
        self.length = len(token)


@dataclass(frozen=True, slots=True)
class _Where:
    """Tells a condition from the other clauses."""

    condition: Expression


def _at(token: Token) -> int:
    return token.start_pos or 0


def _unquoted(token: Token) -> str:
    quote = token[0]
    return token[1:-1].replace(quote * 2, quote)


def _variable(token: Token) -> str:
    if _VARIABLE.fullmatch(token) is None:
        reason = "a variable is @ and up to 64 letters, digits and underscores"
        raise _Misplaced(reason, token)
    return token[1:]


@v_args(inline=True)
class _Builder(Transformer[Token, object]):
    """Each rule of the grammar, and each ``-> name``, is a method; children come as built."""

    def statement(self, *parts: object) -> syntax.Statement:
        """The clauses tell themselves apart."""
        (selection,) = (part for part in parts if isinstance(part, syntax.Selection))
        return syntax.Statement(
            assignments=next((part for part in parts if type(part) is tuple), ()),
            selection=selection,
            source=next((part for part in parts if isinstance(part, syntax.TopicFilter)), None),
            condition=next((part.condition for part in parts if isinstance(part, _Where)), None),
        )

    def template_expression(self, expression: Expression) -> Expression:
        return expression

    def set_clause(self, *assignments: syntax.Assignment) -> tuple[syntax.Assignment, ...]:
        return assignments

    def assignment(self, name: Token, expression: Expression) -> syntax.Assignment:
        return syntax.Assignment(_variable(name), expression, _at(name))

    def value_selection(self, expression: Expression) -> syntax.ValueSelection:
        return syntax.ValueSelection(expression)

    def column_selection(self, *columns: syntax.Column) -> syntax.ColumnSelection:
        return syntax.ColumnSelection(columns)

    def column(self, expression: Expression, alias: tuple[str, ...] | None) -> syntax.Column:
        return syntax.Column(expression, alias or ())

    def alias(self, *names: Token) -> tuple[str, ...]:
        return tuple(map(str, names))

    def from_clause(self, text: Token) -> syntax.TopicFilter:
        if text.startswith('"'):
            raise _Misplaced("a topic filter stands in single quotes", text)
        return syntax.TopicFilter(_unquoted(text), _at(text))

    def where_clause(self, condition: Expression) -> _Where:
        return _Where(condition)

    def disjunction(self, *operands: Expression) -> syntax.Or:
        return syntax.Or(operands)

    def conjunction(self, *operands: Expression) -> syntax.And:
        return syntax.And(operands)

    def not_(self, keyword: Token, operand: Expression) -> syntax.Not:
        return syntax.Not(operand, _at(keyword))

    def binary(self, left: Expression, operator: Token, right: Expression) -> syntax.Binary:
        return syntax.Binary(left, str(operator), right)

    def signed(self, sign: Token, operand: Expression) -> syntax.Signed:
        return syntax.Signed(str(sign), operand, _at(sign))

    def member(self, owner: Expression, name: Token) -> syntax.Member:
        return syntax.Member(owner, str(name))

    def item(self, owner: Expression, _: Token, position: Expression) -> syntax.Item:
        return syntax.Item(owner, position)

    def message(self, star: Token) -> syntax.Message:
        return syntax.Message(_at(star))

    def field(self, name: Token) -> syntax.Field:
        if name.lower() in RESERVED:
            raise _Misplaced(MISSING.format(name.upper()), name)
        return syntax.Field(str(name), _at(name))

    def variable(self, name: Token) -> syntax.Variable:
        return syntax.Variable(_variable(name), _at(name))

    def arguments(self, *arguments: Expression) -> tuple[Expression, ...]:
        return arguments

    def items(self, *items: Expression) -> tuple[Expression, ...]:
        return items

    def call(self, name: Token, arguments: tuple[Expression, ...] | None) -> syntax.Call:
        return syntax.Call(str(name), arguments or (), _at(name))

    def cast(self, operand: Expression, kind: Token) -> syntax.Cast:
        return syntax.Cast(operand, str(kind), _at(kind))

    def group(self, expression: Expression) -> Expression:
        return expression

    def nested(
        self,
        keyword: Token,
        selection: syntax.Selection,
        source: Expression,
        where: _Where | None,
    ) -> syntax.Nested:
        return syntax.Nested(
            selection, source, None if where is None else where.condition, _at(keyword)
        )

    def pair(self, key: Token, value: Expression) -> tuple[str, Expression]:
        return (_unquoted(key) if key.type == "STRING" else str(key)), value

    def pairs(self, *pairs: tuple[str, Expression]) -> tuple[tuple[str, Expression], ...]:
        return pairs

    def object(
        self, brace: Token, pairs: tuple[tuple[str, Expression], ...] | None
    ) -> syntax.ObjectLiteral:
        return syntax.ObjectLiteral(pairs or (), _at(brace))

    def array(self, bracket: Token, items: tuple[Expression, ...] | None) -> syntax.ArrayLiteral:
        return syntax.ArrayLiteral(items or (), _at(bracket))

    def case(self, keyword: Token, subject: Expression, *rest: Any) -> syntax.Case:
        *branches, otherwise = rest
        return syntax.Case(subject, tuple(branches), otherwise, _at(keyword))

    def when(self, value: Expression, outcome: Expression) -> tuple[Expression, Expression]:
        return value, outcome

    def number(self, digits: Token) -> syntax.Literal:
        if len(digits) > _LONG_NUMBER:
            raise _Misplaced("the number has too many digits", digits)
        found = int(digits) if digits.isdigit() else values.numeral(digits.replace("+", ""))
        if found is None:
            raise _Misplaced("the number is out of range", digits)
        return syntax.Literal(found, _at(digits))

    def string(self, text: Token) -> syntax.Literal:
        return syntax.Literal(_unquoted(text), _at(text))

    def true(self, keyword: Token) -> syntax.Literal:
        return syntax.Literal(True, _at(keyword))

    def false(self, keyword: Token) -> syntax.Literal:
        return syntax.Literal(False, _at(keyword))

    def null(self, keyword: Token) -> syntax.Literal:
        return syntax.Literal(None, _at(keyword))
