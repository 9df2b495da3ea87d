"""What a statement consists of. ``at`` is the offset of the part in the text, for messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True, slots=True)
class Literal:
    value: object
    at: int


@dataclass(frozen=True, slots=True)
class Message:
    """``*``: the message; in a nested query, the element."""

    at: int


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Member:
    owner: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    owner: Expression
    position: Expression


@dataclass(frozen=True, slots=True)
class Signed:
    sign: str
    operand: Expression
    at: int


@dataclass(frozen=True, slots=True)
class Binary:
    left: Expression
    operator: str
    right: Expression


@dataclass(frozen=True, slots=True)
class And:
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expression
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[Expression, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Cast:
    operand: Expression
    kind: str
    at: int


@dataclass(frozen=True, slots=True)
class Case:
    subject: Expression
    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression | None
    at: int


@dataclass(frozen=True, slots=True)
class ObjectLiteral:
    members: tuple[tuple[str, Expression], ...]
    at: int


@dataclass(frozen=True, slots=True)
class ArrayLiteral:
    items: tuple[Expression, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Nested:
    """``(SELECT … FROM path WHERE …)``."""

    selection: Selection
    source: Expression
    condition: Expression | None
    at: int


@dataclass(frozen=True, slots=True)
class Column:
    """``alias`` is a path: ``AS bar.baz`` makes an object ``bar`` with a member ``baz``."""

    expression: Expression
    alias: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ValueSelection:
    expression: Expression


@dataclass(frozen=True, slots=True)
class ColumnSelection:
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    name: str
    expression: Expression
    at: int


@dataclass(frozen=True, slots=True)
class TopicFilter:
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Statement:
    assignments: tuple[Assignment, ...]
    selection: Selection
    source: TopicFilter | None
    condition: Expression | None


Selection = ValueSelection | ColumnSelection
Expression = Union[  # noqa: UP007  the names are used above, as text
    Literal,
    Message,
    Field,
    Variable,
    Member,
    Item,
    Signed,
    Binary,
    And,
    Or,
    Not,
    Call,
    Cast,
    Case,
    ObjectLiteral,
    ArrayLiteral,
    Nested,
]


def start(expression: Expression) -> int:
    """Where an expression begins, not counting parentheses around it."""
    while True:
        match expression:
            case Member(owner=first) | Item(owner=first) | Binary(left=first):
                expression = first
            case And(operands=operands) | Or(operands=operands):
                expression = operands[0]
            case _:
                return expression.at
