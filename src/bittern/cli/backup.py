"""`bittern backup`: one file with everything, taken while the server runs."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Annotated

import typer

from bittern.cli import output, parameters
from bittern.cli.attribution import recorded
from bittern.cli.group import verb
from bittern.cli.transfer import shown
from bittern.cli.workspace import Workspace, run
from bittern.errors import ConfigurationError, StoreUnavailable
from bittern.keys.data_keys import DataKey
from bittern.upkeep.backup import Source, back_up, default_name
from bittern.upkeep.manifest import Manifest

app = verb()


@app.command()
@recorded
def backup(
    target: Annotated[
        Path, typer.Argument(metavar="FILE|DIR", help="The backup, or a folder for it.")
    ],
    with_key: Annotated[
        bool,
        typer.Option(
            "--with-key",
            help="Put the key file in, in the clear: whoever has the backup then has everything.",
        ),
    ] = False,
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Copy database, certificates, broker and firmware to one sealed file; the server may run.

    It is of no use without the key provider. `bittern restore FILE --verify` proves it.
    """
    workspace = Workspace.of(data_dir, config)
    now = workspace.now()
    path = target / default_name(now) if target.is_dir() else target
    made = run(_backup(workspace, path, with_key))
    size = path.stat().st_size
    if as_json:
        output.print_json(
            {
                "file": str(path.absolute()),
                "size": size,
                "created_at": output.utc(made.created_at),
                "schema": made.schema,
                "parts": len(made.parts),
                "provider": made.provider,
                "with_key": made.with_key,
            }
        )
        return
    output.say(f"{path}: {size} bytes, {len(made.parts)} files, sealed")
    output.say(f"to restore it the key is needed: {made.provider_is}")
    if made.with_key:
        output.say("the key is in it: keep it as you would keep the key")


async def _backup(workspace: Workspace, path: Path, with_key: bool) -> Manifest:
    from bittern.installation import opened_keychain

    if not workspace.layout.database.exists():
        raise ConfigurationError([f"data_dir: nothing of bittern in {workspace.layout.data_dir}"])
    keys = workspace.configuration.keys
    key_file = (keys.path or workspace.layout.data_key) if keys.provider == "file" else None
    if with_key and key_file is None:
        raise ConfigurationError([f"keys.provider: {keys.provider} has no key file to put in"])
    async with opened_keychain(workspace.configuration, workspace.now()) as keychain:
        loop = asyncio.get_running_loop()

        def latest() -> list[DataKey]:
            asyncio.run_coroutine_threadsafe(keychain.refresh(), loop).result()
            return keychain.keys

        source = Source(workspace.layout, keychain.provider, keychain.ring, latest, key_file)
        try:
            with shown() as progress:
                return await asyncio.to_thread(
                    back_up,
                    source,
                    path,
                    workspace.now(),
                    with_key=with_key,
                    progress=progress,
                )
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error
