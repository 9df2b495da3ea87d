"""The rules language of AWS IoT, pure.

`compile` a statement once, then `Rule.evaluate` it for each message. What somebody outside has to
answer, ``aws_lambda(…)`` and its kind, is asked through `Context.resolve`, or, by a caller that
must not wait, through `Rule.begin` and `Waiting.resume`. `Template` fills in the ``${…}`` of
actions. `explain` shows an error with its place.

In reading order: ``grammar.lark``, ``syntax``, ``compiler``, ``closures``, ``values``.
"""

from __future__ import annotations

from bittern.rules.context import Context, ExternalCall
from bittern.rules.evaluation import Waiting
from bittern.rules.explanation import explain
from bittern.rules.statement import Rule, Selected, compile
from bittern.rules.template import Template
from bittern.rules.values import UNDEFINED
from bittern.rules.versions import SqlVersion

__all__ = [
    "UNDEFINED",
    "Context",
    "ExternalCall",
    "Rule",
    "Selected",
    "SqlVersion",
    "Template",
    "Waiting",
    "compile",
    "explain",
]
