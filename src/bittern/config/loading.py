"""A TOML file and the environment become a Configuration, or one list of all problems."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from bittern.config.contradictions import contradictions
from bittern.config.settings import (
    ENVIRONMENT_PREFIX,
    PATTERNS,
    SECTIONS,
    Configuration,
    Secret,
    Setting,
    settings,
)
from bittern.errors import ConfigurationError
from bittern.types import NetID


@dataclass(frozen=True, slots=True)
class _Given:
    """A value somebody gave: where, and what a relative path in it is relative to."""

    value: object
    origin: str
    folder: Path
    is_text: bool


_Problems = dict[str, str]


def load(path: Path | None, environment: Mapping[str, str]) -> Configuration:
    """The configuration of the file at ``path``, if any, overridden by ``environment``.

    Raises ConfigurationError with every problem found.
    """
    problems: _Problems = {}
    known = settings()
    given = _from_file(path, known, problems) if path else {}
    given |= _from_environment(environment, known, problems)
    configuration = _with_password(_assemble(given, known, problems), problems)
    for where, what in contradictions(configuration):
        problems.setdefault(where, what)
    if problems:
        raise ConfigurationError([f"{where}: {what}" for where, what in problems.items()])
    return configuration


def _from_file(path: Path, known: Mapping[str, Setting], problems: _Problems) -> dict[str, _Given]:
    given = {}
    for where, value in _flatten(_read_toml(path, problems), problems):
        if where not in known:
            problems[where] = "no such setting" + _near(where, known)
        elif known[where].is_secret:
            variable = known[where].variable
            ways = (f"{where}_file", variable) if f"{where}_file" in known else (variable,)
            problems[where] = f"a secret; give it by {' or '.join(ways)}"
        else:
            given[where] = _Given(value, where, path.parent, is_text=False)
    return given


def _read_toml(path: Path, problems: _Problems) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problems[str(path)] = (error.strerror or "cannot be read").lower()
    except UnicodeDecodeError:
        problems[str(path)] = "not UTF-8 text"
    except tomllib.TOMLDecodeError as error:
        problems[str(path)] = f"not TOML: {error}"
    return {}


def _flatten(document: Mapping[str, Any], problems: _Problems) -> Iterator[tuple[str, object]]:
    for name, value in document.items():
        if name not in SECTIONS:
            yield name, value
        elif isinstance(value, dict):
            yield from ((f"{name}.{inner}", its) for inner, its in value.items())
        else:
            problems[name] = f"a section; write [{name}] and its settings below"


def _near(where: str, known: Mapping[str, Setting]) -> str:
    """The neighbours that ``where`` may have meant; all of them, where none is near."""
    prefix = where[: where.rfind(".") + 1]
    neighbours = {
        path.removeprefix(prefix): path
        for path in (*known, *SECTIONS)
        if path[: path.rfind(".") + 1] == prefix
    }
    if near := difflib.get_close_matches(where.removeprefix(prefix), neighbours, 2):
        return f"; did you mean {' or '.join(neighbours[name] for name in near)}?"
    return f"; there are {', '.join(neighbours.values())}"


def _from_environment(
    environment: Mapping[str, str], known: Mapping[str, Setting], problems: _Problems
) -> dict[str, _Given]:
    """A variable that is nearly a setting is a problem; any other is not ours to judge."""
    variables = {setting.variable: setting for setting in known.values()}
    given = {}
    for name, text in environment.items():
        if setting := variables.get(name):
            given[setting.path] = _Given(_split(text, setting.default), name, Path(), is_text=True)
        elif not name.startswith(ENVIRONMENT_PREFIX):
            continue
        elif near := difflib.get_close_matches(name, variables, 1, 0.85):
            problems[name] = f"no such setting; did you mean {near[0]}?"
        elif "__" in name:
            problems[name] = "no such setting"
    return given


def _split(text: str, default: object) -> object:
    """``a, b`` where a list is wanted, ``a=b, c=d`` where a mapping is."""
    if not isinstance(default, tuple | Mapping):
        return text
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if isinstance(default, tuple):
        return parts
    return {key.strip(): value.strip() for key, _, value in (p.partition("=") for p in parts)}


def _assemble(
    given: Mapping[str, _Given], known: Mapping[str, Setting], problems: _Problems
) -> Configuration:
    """What does not fit becomes a problem and keeps its default."""
    chosen: dict[str, dict[str, Any]] = {section: {} for section in ("", *SECTIONS)}
    for path, value in given.items():
        section, _, name = path.rpartition(".")
        try:
            chosen[section][name] = _convert(value, known[path].type)
        except msgspec.ValidationError as error:
            what, element = _told(str(error), known[path].type)
            problems[value.origin + element] = what
    parts = {name: kind(**chosen[name]) for name, kind in SECTIONS.items()}
    return Configuration(**chosen[""], **parts)  # type: ignore[arg-type]


def _convert(given: _Given, wanted: Any) -> object:
    def decode(kind: type, value: object) -> object:
        if not isinstance(value, str):
            raise ValueError(f"Expected `str`, got `{type(value).__name__}`")
        if kind is Path:
            return given.folder / Path(value).expanduser()
        return NetID.from_hex(value) if kind is NetID else Secret(value)

    return msgspec.convert(given.value, wanted, strict=not given.is_text, dec_hook=decode)


def _told(message: str, wanted: Any) -> tuple[str, str]:
    """msgspec's sentence in our tone, and the element of a list that it is about."""
    what, _, element = message.partition(" - at `$")
    what, _, _ = what.partition(" - at `key` in `$")
    names = get_args(wanted)[0] if get_origin(wanted) is Mapping else wanted
    if get_origin(names) is Literal:
        what = what.replace("Invalid enum value", f"expected {' or '.join(get_args(names))}, got")
    for pattern, words in PATTERNS.items():
        what = what.replace(f"`str` matching regex {pattern!r}", words)
    what = what.replace(" | null", "").replace("`", "").replace("Expected ", "expected ")
    return what, element.rstrip("`")


def _with_password(configuration: Configuration, problems: _Problems) -> Configuration:
    """The password of ``mqtt.password_file`` in its place; the environment's wins."""
    mqtt = configuration.mqtt
    if mqtt.password_file is None or mqtt.password is not None:
        return configuration
    try:
        lines = mqtt.password_file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        problems["mqtt.password_file"] = (reason or "not UTF-8 text").lower()
        return configuration
    if not lines or not lines[0]:
        problems["mqtt.password_file"] = "its first line is empty"
        return configuration
    mqtt = msgspec.structs.replace(mqtt, password=Secret(lines[0]))
    return msgspec.structs.replace(configuration, mqtt=mqtt)
