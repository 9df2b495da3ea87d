from __future__ import annotations

import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from bittern.cli.group import VERBS, VerbGroup, noun
from bittern.errors import ConfigurationError


def program(raising: Exception | None = None) -> typer.Typer:
    made = typer.Typer(cls=VerbGroup, pretty_exceptions_enable=False)

    @made.callback()
    def fail() -> None:
        if raising is not None:
            raise raising

    return made


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConfigurationError(["a: wrong", "b: wrong"]), "bittern: a: wrong\nbittern: b: wrong\n"),
        (PermissionError(13, "Permission denied", "/x"), "bittern: /x: permission denied\n"),
        (OSError(98, "Address in use"), "bittern: address in use\n"),
    ],
)
def test_what_went_wrong_is_told_and_is_exit_code_1(error: Exception, told: str) -> None:
    result = CliRunner().invoke(program(error), ["device"])
    assert (result.exit_code, result.stderr) == (1, told)


def test_fault_of_ours_is_not_hidden() -> None:
    result = CliRunner().invoke(program(KeyError("ours")), ["device"])
    assert isinstance(result.exception, KeyError)


def test_every_verb_has_its_line_in_the_help(bittern) -> None:
    text = bittern.done("--help").stdout
    assert all(f" {verb} " in text for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(bittern, verb: str) -> None:
    assert f"Usage: bittern {verb} " in bittern.done(verb, "--help").stdout


def test_mistyped_verb_is_wrong_usage_and_is_guessed(bittern) -> None:
    done = bittern("gatway", "list")
    assert done.exit_code == 2
    assert "'gateway'" in done.stderr


def test_noun_with_one_verb_is_still_a_noun() -> None:
    made = noun("things")
    made.command("only")(lambda: typer.echo("done"))
    assert CliRunner().invoke(made, ["only"]).stdout == "done\n"


def test_version_is_told(bittern) -> None:
    assert bittern.done("--version").stdout.startswith("bittern ")


def test_a_verb_imports_nothing_of_another() -> None:
    """Start-up stays fast: no server, no X.509 and no MQTT to take a frame apart."""
    heavy = ("aiohttp", "amqtt", "aiomqtt", "cryptography.x509", "picows", "sqlite3", "uvloop")
    script = (
        "import sys; from bittern.cli import app\n"
        "try: app(['frame', 'decode', '40f17dbe4900020001954378762b11ff0d'])\n"
        f"finally: print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
