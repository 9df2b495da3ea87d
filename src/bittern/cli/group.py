"""The verbs, each in a module of its own that is imported when it is needed."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from bittern.cli.output import complain
from bittern.errors import BitternError

VERBS = (
    "serve",
    "demo",
    "gateway",
    "ca",
    "keys",
    "token",
    "device",
    "device-profile",
    "service-profile",
    "join-server",
    "account",
    "access-key",
    "destination",
    "dead-letter",
    "audit",
    "mqtt",
    "region",
    "rule",
    "codec",
    "api",
    "tail",
    "frame",
    "backup",
    "restore",
    "doctor",
)


def noun(text: str) -> typer.Typer:
    """The verbs of one noun."""
    made = typer.Typer(
        help=text, no_args_is_help=True, add_completion=False, rich_markup_mode="markdown"
    )
    made.callback()(lambda: None)  # else a noun with one verb would be that verb
    return made


def verb() -> typer.Typer:
    """A verb that stands for itself: one command will be added."""
    return typer.Typer(add_completion=False, rich_markup_mode="markdown")


class _Modules(MutableMapping[str, Any]):
    """Commands by name; looking one up imports its module."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        command = typer.main.get_command(import_module(f"bittern.cli.{name.replace('-', '_')}").app)
        command.name = name
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __setitem__(self, name: str, command: Any) -> None:
        raise TypeError("a verb is a module")

    def __delitem__(self, name: str) -> None:
        raise TypeError("a verb is a module")


class VerbGroup(TyperGroup):
    """All verbs. What one of them raises of our own errors is told and becomes exit code 1."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Modules(VERBS)

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BitternError as error:
            complain(str(error))
        except BrokenPipeError:
            raise
        except OSError as error:
            if error.filename is None and error.errno is None:
                raise
            complain(_told(error))
        raise typer.Exit(1)


def _told(error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    return f"{error.filename}: {reason}" if error.filename else reason
