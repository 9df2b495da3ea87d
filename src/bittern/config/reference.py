"""The printed reference: a configuration file of all defaults, made of the settings themselves."""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import textwrap
from collections.abc import Mapping

import msgspec

from bittern.config.settings import SECTIONS, Configuration, Setting, settings


def reference() -> str:
    """Every setting with its default and its documentation, as a configuration file."""
    known = settings()
    blocks = [
        _written(known[path], documentation(Configuration)) for path in known if "." not in path
    ]
    for section, kind in SECTIONS.items():
        documents = documentation(kind)
        blocks.append(f"{_commented(inspect.getdoc(kind) or '')}[{section}]")
        blocks += [
            _written(known[path], documents) for path in known if path.startswith(f"{section}.")
        ]
    return "\n\n".join(blocks) + "\n"


def documentation(kind: type[msgspec.Struct]) -> dict[str, str]:
    """The text below each field: a string that follows an annotated name."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(tree, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in itertools.pairwise(tree.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(below.value.value, str)
    }


def _written(setting: Setting, documents: Mapping[str, str]) -> str:
    name = setting.path.rpartition(".")[2]
    text = " ".join((documents[name] + f" [{setting.variable}]").replace("``", "`").split())
    line = f"{name} = {_toml(setting.default)}" if setting.default is not None else f"# {name} ="
    if setting.is_secret:
        line = f"# {name} is never written here"
    return _commented("\n".join(textwrap.wrap(text, 94))) + line


def _commented(text: str) -> str:
    return "".join(f"# {line}\n" for line in text.splitlines())


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{json.dumps(key)} = {_toml(its)}" for key, its in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else json.dumps(str(value))
