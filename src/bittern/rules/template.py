"""Substitution templates: ``device/${WirelessDeviceId}`` in a field of an action.

``${`` begins an expression, which ends at the brace that closes it. ``\\${`` is these characters
themselves; AWS documents no way to write them. An expression that is Undefined or Null is empty.

Source: AWS IoT Core developer guide, "Substitution templates". Aliases of the SELECT clause are not
seen, variables of its SET clause are ("SET clause", Using variables).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from bittern.errors import SqlParseException
from bittern.rules.closures import constant
from bittern.rules.compiler import Compiler
from bittern.rules.context import Context
from bittern.rules.evaluation import Environment, Evaluate, Waiting, advance, settle
from bittern.rules.limits import MAX_STATEMENT, bounded
from bittern.rules.parser import parse_expression
from bittern.rules.statement import read
from bittern.rules.values import text as text_of
from bittern.rules.versions import SqlVersion

_NO_CONTEXT = Context()
_OPENING = re.compile(r"\\\$\{|\$\{")
_CLOSING = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[{}]")


class Template:
    """`variables` are the names that the rule's SET clause assigns. Raises `SqlParseException`."""

    def __init__(
        self, text: str, version: str = "2016-03-23", variables: Iterable[str] = ()
    ) -> None:
        self.text = text
        self._version = SqlVersion.parse(version)
        self._names = tuple(variables)
        external: set[str] = set()
        self._parts = tuple(self._split(external))
        self.external_functions = frozenset(external)
        """Empty for what may stand in an error action."""

    def substitute(
        self,
        payload: object,
        context: Context = _NO_CONTEXT,
        variables: Mapping[str, object] | None = None,
    ) -> str:
        """`payload` is the original message, `variables` are ``Selected.variables``.

        Raises `RuleError`, nothing else.
        """
        return settle(self.begin(payload, context, variables), context)

    def begin(
        self,
        payload: object,
        context: Context = _NO_CONTEXT,
        variables: Mapping[str, object] | None = None,
    ) -> str | Waiting[str]:
        """The same for a caller that answers calls in its own time."""
        root, raw = read(payload, self._version)
        known = variables or {}
        setters = tuple(constant(known.get(name)) for name in self._names)
        return advance(Environment(context, root, raw, setters), self._run)

    def _run(self, environment: Environment) -> str:
        found: list[str] = []
        size = 0
        for part in self._parts:
            one = part if isinstance(part, str) else _text(part, environment)
            bounded(size := size + len(one))
            found.append(one)
        return "".join(found)

    def _split(self, external: set[str]) -> Iterable[str | Evaluate]:
        if len(self.text) > MAX_STATEMENT:
            reason = f"longer than {MAX_STATEMENT} characters"
            raise SqlParseException(reason, self.text, MAX_STATEMENT)
        end = 0
        while (opening := _OPENING.search(self.text, end)) is not None:
            yield self.text[end : opening.start()]
            end = opening.end()
            if opening[0].startswith("\\"):
                yield "${"
                continue
            begin, end = end, self._closing(opening.end())
            yield self._compiled(begin, end, external)
            end += 1
        yield self.text[end:]

    def _closing(self, begin: int) -> int:
        """Where the expression ends: braces of literals are skipped, and those in strings."""
        depth = 1
        for found in _CLOSING.finditer(self.text, begin):
            depth += {"{": 1, "}": -1}.get(found[0], 0)
            if depth == 0:
                return found.start()
        raise SqlParseException("${ is not closed", self.text, begin - 2, 2)

    def _compiled(self, begin: int, end: int, external: set[str]) -> Evaluate:
        expression = self.text[begin:end]
        try:
            compiler = Compiler(expression, self._version, self._names)
            evaluate = compiler.expression(parse_expression(expression))
        except SqlParseException as error:
            raise SqlParseException(
                error.reason, self.text, begin + error.offset, error.length, error.hint
            ) from None
        external |= compiler.external
        return evaluate


def _text(evaluate: Evaluate, environment: Environment) -> str:
    return text_of(evaluate(environment.root, environment)) or ""
