"""`bittern keys`: the data keys that everything secret is sealed by, and who wraps them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from bittern import installation
from bittern.cli import output, parameters
from bittern.cli.attribution import recorded
from bittern.cli.group import noun
from bittern.cli.workspace import Workspace, run
from bittern.config import Configuration, load
from bittern.config.layout import Layout
from bittern.errors import AlreadyServed, ConfigurationError
from bittern.keys.choose import provider_of
from bittern.keys.data_keys import DataKey, coming_of
from bittern.keys.keychain import Keychain
from bittern.keys.resealing import Resealing
from bittern.keys.rotation import IN_THE_CLEAR, Counts, progress
from bittern.types import Instant

app = noun("The data keys that everything secret is sealed by, and who wraps them.")

POLL_S = 0.5
DAY_S = 86_400.0

Told = Callable[[int, int], None]
"""Hears how many values are done, and of how many."""


@app.command("status")
def status(
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Show the provider, and of each data key its state and how much is sealed under it."""
    workspace = _existing(data_dir, config)

    async def work() -> tuple[Keychain, Counts]:
        async with installation.opened_keychain(workspace.configuration, workspace.now()) as keys:
            return keys, await _resealing(workspace, keys).counts()

    keychain, counts = run(work())
    if as_json:
        output.print_json(_document(keychain, counts))
        return
    done = progress(keychain.keys, counts)
    output.properties(
        {
            "provider": keychain.provider.name,
            "where": keychain.provider.describe(),
            "sealed": f"{done.done} of {done.done + done.left} values under the active key"
            f" ({done.share:.0%})",
        }
    )
    typer.echo()
    output.table(
        ["KEY", "STATE", "AGE", "VALUES"],
        [_row(key, keychain.keys, counts, workspace.now()) for key in keychain.keys],
        empty="no data keys",
    )
    if counts.get(IN_THE_CLEAR):
        output.say(f"values that an earlier version left unsealed: {counts[IN_THE_CLEAR]}")


@app.command("rotate")
@recorded
def rotate(
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Draw a new data key and seal everything anew under it, while everything goes on.

    A running server does it beside its work; without one this command does. Cut short, it is gone
    on with by the server's next start, or by this command.
    """
    workspace = _existing(data_dir, config)
    keychain, counts = run(_rotate(workspace))
    if as_json:
        output.print_json(_document(keychain, counts))
        return
    done = progress(keychain.keys, counts)
    output.say(f"data key {keychain.ring.sealing_id} seals everything: {done.done} values")
    if done.left:
        output.complain(f"values that do not open and were left as they are: {done.left}")
        raise typer.Exit(1)


@app.command("provider")
def provider(
    to: Annotated[
        Path,
        typer.Option("--to", metavar="FILE", help="Configuration whose [keys] are the new ones."),
    ],
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Let another provider wrap the data keys: nothing is sealed anew, and nothing is lost.

    The provider of now is that of the configuration in use. After this command, use the other one.
    """
    import os

    workspace, after = _existing(data_dir, config), load(to, os.environ)
    before, now, count = run(_hand_over(workspace, after))
    output.say(f"data keys wrapped anew: {count}")
    output.say(f"from {before}")
    output.say(f"to   {now}")
    output.say("use that configuration from now on, for a running server from its next start;")
    output.say("backups of before still need what they were made with")


def _existing(data_dir: Path | None, config: Path | None) -> Workspace:
    workspace = Workspace.of(data_dir, config)
    if not workspace.layout.database.exists():
        raise ConfigurationError([f"data_dir: nothing of bittern in {workspace.layout.data_dir}"])
    return workspace


def _resealing(workspace: Workspace, keychain: Keychain) -> Resealing:
    return Resealing(keychain, installation.sealed_things(workspace.configuration), workspace.now)


async def _rotate(workspace: Workspace) -> tuple[Keychain, Counts]:
    configuration = workspace.configuration
    async with installation.opened_keychain(configuration, workspace.now()) as keychain:
        resealing = _resealing(workspace, keychain)
        added = await keychain.add(workspace.now())
        output.say(f"new data key {added.id}, wrapped by {keychain.provider.describe()}")
        with _bar() as told:
            try:
                with installation.only_server(configuration):
                    await _do(keychain, resealing, told)
            except AlreadyServed:
                await _watch(keychain, resealing, added, told)
        return keychain, await resealing.counts()


async def _do(keychain: Keychain, resealing: Resealing, told: Told) -> None:
    """No server runs, so nobody is slow to hear of it: keys that are done with go at once."""
    await keychain.activate_coming()
    before = progress(keychain.keys, await resealing.counts())
    done = before.done

    def step(values: int) -> None:
        nonlocal done
        done += values
        told(min(done, before.done + before.left), before.done + before.left)

    await resealing.run(told=step)
    await resealing.settle(0)
    await resealing.settle(0)


async def _watch(keychain: Keychain, resealing: Resealing, added: DataKey, told: Told) -> None:
    """The server does it."""
    last, still = None, 0
    while True:
        await keychain.refresh()
        found = progress(keychain.keys, await resealing.counts())
        is_active = keychain.ring.sealing_id == added.id
        told(found.done if is_active else 0, found.done + found.left)
        still = still + 1 if found.left == last else 0
        last = found.left
        # What does not open stays; the server has told it.
        if is_active and (not found.left or still * POLL_S >= 10):
            return
        await asyncio.sleep(POLL_S)


async def _hand_over(workspace: Workspace, after: Configuration) -> tuple[str, str, int]:
    layout = Layout(workspace.configuration.data_dir)
    async with installation.opened_keychain(workspace.configuration, workspace.now()) as keychain:
        before = keychain.provider
        other = provider_of(after.keys, layout.data_key)
        try:
            count = await keychain.hand_over(other)
            return before.describe(), other.describe(), count
        finally:
            keychain.provider = before
            await other.close()


@contextmanager
def _bar() -> Iterator[Told]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    shown = output.console(error=True)
    columns = (TextColumn("sealed anew"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=shown, disable=not shown.is_terminal) as bar:
        task = bar.add_task("")
        yield lambda done, whole: bar.update(task, completed=done, total=whole)


def _state(key: DataKey, keys: list[DataKey]) -> str:
    return "coming" if key == coming_of(keys) else key.state


def _row(key: DataKey, keys: list[DataKey], counts: Counts, now: Instant) -> list[str]:
    age = f"{max(now - key.created_at, 0) / DAY_S:.0f} days"
    return [str(key.id), _state(key, keys), age, str(counts.get(key.id, 0))]


def _document(keychain: Keychain, counts: Counts) -> dict[str, object]:
    done = progress(keychain.keys, counts)
    return {
        "provider": keychain.provider.name,
        "where": keychain.provider.describe(),
        "sealed": done.done,
        "left": done.left,
        "keys": [
            {
                "id": key.id,
                "state": _state(key, keychain.keys),
                "created_at": output.utc(key.created_at),
                "values": counts.get(key.id, 0),
            }
            for key in keychain.keys
        ],
    }
