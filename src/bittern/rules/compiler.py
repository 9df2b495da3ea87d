"""From syntax to closures, once for a statement; and what can be wrong with it beyond syntax."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from difflib import get_close_matches
from typing import NoReturn

from bittern.errors import SqlParseException
from bittern.rules import closures, operators, syntax
from bittern.rules.evaluation import Evaluate
from bittern.rules.functions import FUNCTIONS
from bittern.rules.functions.casts import CASTS
from bittern.rules.functions.casts import SINCE_2016 as CASTS_SINCE_2016
from bittern.rules.functions.checks import literal_problem
from bittern.rules.functions.external import ROLE
from bittern.rules.functions.messages import DRAWING
from bittern.rules.functions.registry import Function
from bittern.rules.limits import MAX_DEPTH
from bittern.rules.syntax import Expression, start
from bittern.rules.values import UNDEFINED, whole
from bittern.rules.versions import SqlVersion

_SPECIAL = {
    "get_or_default": "get_or_default(expression[, default])",
    "sql_version": "sql_version()",
}


class Compiler:
    """Of one statement or template, whose text is `sql`. Every method may raise
    `SqlParseException`."""

    def __init__(self, sql: str, version: SqlVersion, variables: Iterable[str] = ()) -> None:
        self.variables = {name: index for index, name in enumerate(variables)}
        self.external: set[str] = set()
        """Functions that are answered outside."""
        self._sql = sql
        self._version = version
        self._depth = 0
        self._inside = 0
        """How many nested queries there are around."""

    def fail(self, reason: str, at: int, length: int = 1, hint: str = "") -> NoReturn:
        raise SqlParseException(reason, self._sql, at, length, hint)

    def assign(self, assignments: tuple[syntax.Assignment, ...]) -> tuple[Evaluate, ...]:
        """A variable knows those before it."""
        setters = []
        for one in assignments:
            if one.name in self.variables:
                self.fail(f"@{one.name} is assigned twice", one.at, len(one.name) + 1)
            setters.append(self.expression(one.expression))
            self.variables[one.name] = len(self.variables)
        return tuple(setters)

    def selection(self, selection: syntax.Selection) -> Evaluate:
        if isinstance(selection, syntax.ValueSelection):
            return self.expression(selection.expression)
        first = selection.columns[0]
        if len(selection.columns) == 1 and _is_star(first):
            return closures.message()
        columns = [(self._name(one), self.expression(one.expression)) for one in selection.columns]
        star, rest = _is_star(first), columns[_is_star(first) :]
        if not self.external and all(len(name) == 1 for name, _ in rest):
            return closures.plain_columns(star, tuple((name[0], value) for name, value in rest))
        steps = tuple(
            closures.named(name, value) if name else closures.merged(value)
            for name, value in columns
        )
        return (closures.patient_columns if self.external else closures.columns)(steps)

    def _name(self, column: syntax.Column) -> tuple[str, ...]:
        """Empty for what is merged into the result."""
        if column.alias:
            return column.alias
        match column.expression:
            case syntax.Message() | syntax.ObjectLiteral():
                return ()
            case syntax.Field(name=name) | syntax.Member(name=name) | syntax.Variable(name=name):
                return (name,)
            case syntax.Call(name=name):
                return (name,)
            case expression:
                self.fail("the column has no name", start(expression), hint="add AS and a name")

    def expression(self, node: Expression) -> Evaluate:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self.fail(f"nested more than {MAX_DEPTH} deep", start(node))
        compiled = self._expression(node)
        self._depth -= 1
        return compiled

    def _expression(self, node: Expression) -> Evaluate:
        match node:
            case syntax.Literal():
                return closures.constant(self._number(node.value))
            case syntax.Message():
                return closures.message()
            case syntax.Field() | syntax.Member():
                return self._path(node)
            case syntax.Item():
                return closures.item(self.expression(node.owner), self.expression(node.position))
            case syntax.Variable():
                return self._variable(node)
            case syntax.Call():
                return self._call(node)
            case syntax.Cast():
                return self._cast(node)
            case syntax.Case():
                return self._case(node)
            case syntax.ObjectLiteral() | syntax.ArrayLiteral():
                return self._literal(node)
            case syntax.Nested():
                return self._nested(node)
            case operation:
                return self._operation(operation)

    def _number(self, value: object) -> object:
        """A literal 10.0 is an Int in 2016-03-23, as it is in a message."""
        if isinstance(value, Decimal) and self._version is SqlVersion.V2016_03_23:
            return whole(value) if value == value.to_integral_value() else value
        return value

    def _operation(
        self, node: syntax.Signed | syntax.Binary | syntax.And | syntax.Or | syntax.Not
    ) -> Evaluate:
        match node:
            case syntax.Signed(sign=sign, operand=operand):
                apply = operators.negate if sign == "-" else operators.affirm
                return closures.call(apply, (self.expression(operand),))
            case syntax.Binary(left, "=", syntax.Literal(value=int() | str() as value)) if (
                not isinstance(value, bool)
            ):
                return closures.equals_constant(self.expression(left), value)
            case syntax.Binary(left=left, operator=operator, right=right):
                apply_both = operators.OPERATORS[operator]
                return closures.binary(self.expression(left), apply_both, self.expression(right))
            case syntax.And(operands=operands):
                return closures.conjunction(self._all(operands))
            case syntax.Or(operands=operands):
                return closures.disjunction(self._all(operands))
            case syntax.Not(operand=operand):
                return closures.negation(self.expression(operand))

    def _all(self, nodes: tuple[Expression, ...]) -> tuple[Evaluate, ...]:
        return tuple(map(self.expression, nodes))

    def _path(self, node: syntax.Field | syntax.Member) -> Evaluate:
        names: list[str] = []
        owner: Expression = node
        while isinstance(owner, syntax.Member):
            names.insert(0, owner.name)
            owner = owner.owner
        if isinstance(owner, syntax.Field):
            return closures.path((owner.name, *names))
        return closures.members(self.expression(owner), tuple(names))

    def _variable(self, node: syntax.Variable) -> Evaluate:
        index = self.variables.get(node.name)
        if index is None:
            close = get_close_matches(node.name, self.variables, n=1)
            hint = f"did you mean @{close[0]}?" if close else "SET assigns variables"
            self.fail(f"@{node.name} is not assigned before", node.at, len(node.name) + 1, hint)
        return closures.variable(index)

    def _case(self, node: syntax.Case) -> Evaluate:
        branches = tuple(
            (self.expression(value), self.expression(outcome)) for value, outcome in node.branches
        )
        otherwise = node.otherwise or syntax.Literal(UNDEFINED, node.at)
        return closures.case(self.expression(node.subject), branches, self.expression(otherwise))

    def _cast(self, node: syntax.Cast) -> Evaluate:
        kind = node.kind.lower()
        if kind not in CASTS:
            close = get_close_matches(kind, CASTS, n=1) or ["String, Int, Decimal, Bool"]
            hint = f"types are {close[0]}" if "," in close[0] else f"did you mean {close[0]}?"
            self.fail(f"unknown type {node.kind}", node.at, len(node.kind), hint)
        if kind in CASTS_SINCE_2016:
            self._since_2016(f"the type {node.kind}", node.at, len(node.kind))
        return closures.call(CASTS[kind], (self.expression(node.operand),))

    def _literal(self, node: syntax.ObjectLiteral | syntax.ArrayLiteral) -> Evaluate:
        if isinstance(node, syntax.ArrayLiteral):
            self._since_2016("array literals", node.at)
            return closures.array_literal(self._all(node.items))
        self._since_2016("object literals", node.at)
        members = tuple((name, self.expression(value)) for name, value in node.members)
        return closures.plain_columns(False, members)

    def _nested(self, node: syntax.Nested) -> Evaluate:
        self._since_2016("nested queries", node.at, len("SELECT"))
        source = self.expression(node.source)
        self._inside += 1
        condition = None if node.condition is None else self.expression(node.condition)
        project = self.selection(node.selection)
        self._inside -= 1
        return closures.nested(project, source, condition)

    def _since_2016(self, what: str, at: int, length: int = 1) -> None:
        if self._version is SqlVersion.V2015_10_08:
            self.fail(f"SQL version 2015-10-08 has no {what}", at, length, "use 2016-03-23")

    def _call(self, node: syntax.Call) -> Evaluate:
        name = node.name.lower()
        if name in _SPECIAL:
            return self._special_call(name, node)
        function = FUNCTIONS.get(name)
        if function is None:
            close = get_close_matches(name, (*FUNCTIONS, *_SPECIAL), n=1, cutoff=0.7)
            hint = f"did you mean {close[0]}?" if close else ""
            self.fail(f"unknown function {node.name}", node.at, len(node.name), hint)
        self._check(function, node)
        arguments = self._all(node.arguments)
        if function.external:
            return self._external_call(function, node, arguments)
        if name in DRAWING:
            return closures.drawing_call(function.implementation, node.at)
        if name == "encode" and not self._inside and isinstance(node.arguments[0], syntax.Message):
            return closures.raw_message_as_base64()
        make = closures.call_with_context if function.with_context else closures.call
        return make(function.implementation, arguments)

    def _special_call(self, name: str, node: syntax.Call) -> Evaluate:
        """Those that see more than values: the version, and an expression that may fail."""
        arguments = self._all(node.arguments)
        if name == "sql_version" and not arguments:
            return closures.constant(self._version.value)
        if name == "get_or_default" and len(arguments) in (1, 2):
            default = arguments[1] if len(arguments) == 2 else closures.constant(UNDEFINED)
            return closures.get_or_default(arguments[0], default)
        self._wrong_count(node, _SPECIAL[name])

    def _check(self, function: Function, node: syntax.Call) -> None:
        if not function.takes(len(node.arguments)):
            self._wrong_count(node, function.signature)
        if function.since_2016:
            self._since_2016(f"{function.name}()", node.at, len(node.name))
        for position, argument in enumerate(node.arguments):
            literal = argument.value if isinstance(argument, syntax.Literal) else None
            if position in function.literal and not isinstance(literal, str):
                reason = f"argument {position + 1} of {function.name} must be a text in quotes"
                self.fail(reason, start(argument))
            problem = isinstance(literal, str) and literal_problem(function, position, literal)
            if problem:
                self.fail(problem, start(argument))

    def _wrong_count(self, node: syntax.Call, signature: str) -> NoReturn:
        count = len(node.arguments)
        given = "1 argument" if count == 1 else f"{count or 'no'} arguments"
        hint = f"it is {signature}"
        self.fail(f"{node.name} does not take {given}", node.at, len(node.name), hint)

    def _external_call(
        self, function: Function, node: syntax.Call, arguments: tuple[Evaluate, ...]
    ) -> Evaluate:
        if function.name == "get_dynamodb" and function.name in self.external:
            self.fail("get_dynamodb stands in a statement once", node.at, len(node.name))
        if (at := ROLE.get(function.name)) is not None:
            role = node.arguments[at]
            if isinstance(role, syntax.Variable):
                self.fail("a role cannot be a variable", role.at, len(role.name) + 1)
        self.external.add(function.name)
        return closures.external_call(function.name, arguments)


def _is_star(column: syntax.Column) -> bool:
    return isinstance(column.expression, syntax.Message) and not column.alias
