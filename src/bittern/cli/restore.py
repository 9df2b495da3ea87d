"""`bittern restore`: a data directory of a backup, or the proof that it could be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bittern.cli import output, parameters
from bittern.cli.group import verb
from bittern.cli.transfer import shown
from bittern.cli.workspace import Workspace, run
from bittern.errors import AlreadyServed, ConfigurationError
from bittern.keys.choose import provider_of
from bittern.keys.provider import KeyProvider
from bittern.upkeep import restore as restoring
from bittern.upkeep.restore import Backup, Proved, Restored, Rule

app = verb()

OLD_S = 7 * 86_400.0
"""What a copy of that age does not know may be more than counters jump over."""


@app.command()
def restore(  # noqa: PLR0917 - each is an option of its own
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `bittern backup` has made.")],
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Only prove that it is whole and opens; nothing is made."),
    ] = False,
    key_file: Annotated[
        Path | None,
        typer.Option(help="The key file that belongs to it, where it is not in the backup."),
    ] = None,
    keep_sessions: Annotated[
        bool,
        typer.Option(
            "--keep-sessions",
            help="Devices that joined need not join again; they are heard for the quarantine"
            " without being believed. One that stays silent meanwhile can be replayed.",
        ),
    ] = False,
    quarantine_hours: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=8760.0,
            help="How long sessions that are kept are heard before they are believed. 0: at once,"
            " and what was recorded since the backup is accepted again.",
        ),
    ] = 24.0,
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Make a data directory of a backup. It must not be there yet, or be empty.

    Counters are moved on, so that nothing is encrypted or accepted twice: docs/backup.md.
    """
    workspace = Workspace.of(data_dir, config)
    rule = Rule(quarantine_s=quarantine_hours * 3600, keep_joined=keep_sessions)
    with restoring.opened(file) as backup:
        if verify:
            _tell_proof(run(_verify(workspace, backup, key_file)), as_json)
            return
        if workspace.is_served():
            raise AlreadyServed(str(workspace.layout.data_dir))
        restored = run(_restore(workspace, backup, key_file, rule))
    _tell(restored, workspace, rule, as_json)


async def _verify(workspace: Workspace, backup: Backup, key_file: Path | None) -> Proved:
    configured = workspace.configuration.keys.path or workspace.layout.data_key
    if backup.manifest.provider != "file":
        with shown() as progress:
            provider = _provider(workspace, backup)
            return await restoring.verify(backup, provider, workspace.now(), progress)
    with restoring.key_file_of(backup, key_file, configured) as path, shown() as progress:
        provider = restoring.provider_of_file(path)
        return await restoring.verify(backup, provider, workspace.now(), progress)


async def _restore(
    workspace: Workspace, backup: Backup, key_file: Path | None, rule: Rule
) -> Restored:
    keys, folder, now = workspace.configuration.keys, workspace.layout.data_dir, workspace.now()
    if backup.manifest.provider != "file":
        with shown() as progress:
            provider = _provider(workspace, backup)
            return await restoring.restore(
                backup, provider, folder, None, now, rule=rule, progress=progress
            )
    configured = keys.path or workspace.layout.data_key
    with restoring.key_file_of(backup, key_file, configured) as path, shown() as progress:
        copied = path if keys.path is None else None
        return await restoring.restore(
            backup,
            restoring.provider_of_file(path),
            folder,
            copied,
            now,
            rule=rule,
            progress=progress,
        )


def _provider(workspace: Workspace, backup: Backup) -> KeyProvider:
    keys, wrapped_by = workspace.configuration.keys, backup.manifest.provider
    if keys.provider != wrapped_by:
        raise ConfigurationError(
            [f"keys.provider: {keys.provider}, but the keys of the backup are with {wrapped_by}"]
        )
    return provider_of(keys, workspace.layout.data_key)


def _tell_proof(proved: Proved, as_json: bool) -> None:
    manifest, verdict = proved.manifest, proved.verdict
    if as_json:
        output.print_json(
            {
                "sound": not verdict.faults,
                "created_at": output.utc(manifest.created_at),
                "bittern": manifest.bittern,
                "schema": manifest.schema,
                "parts": len(manifest.parts),
                "sealed_values": verdict.sealed,
                "faults": verdict.faults,
            }
        )
    else:
        output.say(
            f"made {output.local_time(manifest.created_at)} by bittern {manifest.bittern}:"
            f" {len(manifest.parts)} files whole, {verdict.sealed} sealed values open"
        )
    for fault in () if as_json else verdict.faults:
        output.complain(fault)
    if verdict.faults:
        raise typer.Exit(1)


def _tell(restored: Restored, workspace: Workspace, rule: Rule, as_json: bool) -> None:
    held, made_at = restored.held, restored.manifest.created_at
    if as_json:
        output.print_json(
            {
                "data_dir": str(workspace.layout.data_dir),
                "created_at": output.utc(made_at),
                "sessions_ended": held.ended,
                "sessions_quarantined": held.quarantined,
                "sessions_kept": held.kept,
                "joins_moved_on": held.joins,
            }
        )
        return
    output.say(f"{workspace.layout.data_dir}: as of {output.local_time(made_at)}")
    if held.ended:
        output.say(f"devices that have to join again: {held.ended}")
    if held.quarantined:
        output.say(
            f"devices that are heard for {rule.quarantine_s / 3600:g} h before they are believed:"
            f" {held.quarantined}"
        )
    if held.kept:
        output.say(f"sessions believed at once, replays of them too: {held.kept}")
    if workspace.now() - made_at > OLD_S:
        output.say("the backup is older than a week: docs/backup.md says what its age may cost")
