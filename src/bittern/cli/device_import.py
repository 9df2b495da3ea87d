"""`bittern device import`: many devices from a file, each as if boto3 had made it.

A row that is refused is told with its line, its DevEUI and the reason, and keeps no other from
being added. Nothing of the file is told back that might be a key.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import typer

from bittern.cli import output, parameters
from bittern.cli.import_columns import Fields, RowFault, device_input
from bittern.cli.import_rows import SUFFIXES, FileFault, Format, Row, rows
from bittern.cli.import_seen import Seen
from bittern.cli.profile_names import device_profile_of, service_profile_of
from bittern.cli.workspace import Workspace, run
from bittern.errors import Conflict, NotFound
from bittern.store.protocol import Store
from bittern.store.records import DeviceProfile, ServiceProfile
from bittern.types import EUI64, DevEUI

if TYPE_CHECKING:
    from bittern.api.device_registrar import DeviceRegistrar

TOGETHER = 500
"""Rows under way at once: what is added together is committed together."""

_EUI = re.compile(r"[0-9a-fA-F]{16}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LIKE_A_KEY = re.compile(r"\b[0-9a-f]{2}([-: ]?[0-9a-f]{2}){9,}[0-9a-f]?\b", re.IGNORECASE)
_PREFIX = re.compile(r"[0-9]+ validation errors? detected: ")


class Tally(msgspec.Struct):
    """What became of the rows."""

    rows: int = 0
    added: int = 0
    skipped: int = 0
    """Registered already."""
    refused: int = 0
    dry_run: bool = False
    """Nothing was added; it would have been."""


class Refused(Exception):
    """A row; the text is the reason."""


def import_(
    *,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="CSV or JSON; - reads standard input.")
    ],
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Without it: by the name of the file."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check: add nothing, and tell what would be.")
    ] = False,
    destination: Annotated[
        str | None, typer.Option(help="Of devices whose row names none.")
    ] = None,
    device_profile: Annotated[str | None, typer.Option(metavar="ID|NAME", help="Likewise.")] = None,
    service_profile: Annotated[
        str | None, typer.Option(metavar="ID|NAME", help="Likewise.")
    ] = None,
    on_duplicate: Annotated[
        Literal["skip", "fail"],
        typer.Option(help="What is done with a device that is registered already."),
    ] = "skip",
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the refused rows there, as CSV."),
    ] = None,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Add the devices of a file, each checked as CreateWirelessDevice checks it.

    CSV has a line that names the columns; JSON is a list of inputs of CreateWirelessDevice, or has
    one on each line. The same file may be imported again: what is there is skipped. Exit code 1 if
    a row was refused.
    """
    workspace = Workspace.of(data_dir, config, account)
    kind = form or _format_of(file)
    wanted = Defaults(destination, device_profile, service_profile)
    tally = Tally(dry_run=dry_run)
    with (
        _opened(file) as (raw, text),
        _reporting(report) as refuse,
        _progress(file, raw) as progress,
        contextlib.closing(Seen()) as seen,
    ):

        async def work() -> None:
            async with workspace.store(make=not dry_run) as store:
                importing = await _Importing.begun(store, workspace, wanted, dry_run=dry_run)
                importing.skips = on_duplicate == "skip"
                await importing.run(rows(text, kind), seen, tally, refuse, progress)

        broken = ""
        try:
            run(work())
        except FileFault as fault:
            if not tally.rows:
                raise typer.BadParameter(str(fault), param_hint="FILE") from None
            broken = f"{file}: {fault}; nothing behind {tally.rows} rows was read"
    _tell(tally, as_json)
    if broken:
        output.complain(broken)
    if broken or tally.refused:
        raise typer.Exit(1)


def _tell(tally: Tally, as_json: bool) -> None:
    if as_json:
        output.print_json(tally)
    added = "would be added" if tally.dry_run else "added"
    output.say(
        f"{tally.rows} rows: {tally.added} {added}, {tally.skipped} skipped as registered already,"
        f" {tally.refused} refused"
    )


@dataclass(frozen=True, slots=True)
class Defaults:
    """Of rows that say nothing of it."""

    destination: str | None
    device_profile: str | None
    service_profile: str | None


Refuse = Callable[[int, str, str], None]
"""Is told of the line, the DevEUI and the reason."""


@dataclass(slots=True)
class _Importing:
    """One run, into one account."""

    store: Store
    account: str
    registrar: DeviceRegistrar
    destination: str | None
    device_profile: DeviceProfile | None
    service_profile: ServiceProfile | None
    dry_run: bool
    skips: bool = True
    _profiles: dict[str, DeviceProfile] = field(default_factory=dict)
    _services: dict[str, ServiceProfile] = field(default_factory=dict)

    @classmethod
    async def begun(
        cls, store: Store, workspace: Workspace, wanted: Defaults, *, dry_run: bool
    ) -> _Importing:
        """Raises `NotFound` for a default that is not there."""
        from bittern.api.device_registrar import DeviceRegistrar

        account, region = workspace.account, workspace.configuration.api.region
        if wanted.destination and await store.destination(account, wanted.destination) is None:
            raise NotFound("destination", wanted.destination)
        device, service = wanted.device_profile, wanted.service_profile
        return cls(
            store=store,
            account=account,
            registrar=DeviceRegistrar(store, account, region=region, now=workspace.now()),
            destination=wanted.destination,
            device_profile=await device_profile_of(store, account, device) if device else None,
            service_profile=await service_profile_of(store, account, service) if service else None,
            dry_run=dry_run,
        )

    async def run(
        self,
        found: Iterator[Row],
        seen: Seen,
        tally: Tally,
        refuse: Refuse,
        progress: Callable[[], None],
    ) -> None:
        """Raises `FileFault`, behind whatever was read before."""
        fault: FileFault | None = None
        while fault is None:
            together: list[Row] = []
            try:
                for row in found:
                    together.append(row)
                    if len(together) == TOGETHER:
                        break
            except FileFault as error:
                fault = error
            if not together:
                break
            attempts = [self._settled(row, _repeated(row, seen)) for row in together]
            outcomes = await asyncio.gather(*attempts)
            for row, outcome in zip(together, outcomes, strict=True):
                _count(tally, row, outcome, refuse)
            progress()
        if fault is not None:
            raise fault

    async def _settled(self, row: Row, repeated: str) -> str | None:
        """Why it is refused; empty: it is registered already; None: it is added."""
        try:
            if row.fault or repeated:
                raise Refused(row.fault or repeated)
            return await self._added(await self._input(row))
        except (Refused, RowFault, NotFound, Conflict) as error:
            return str(error)

    async def _added(self, given: dict[str, Any]) -> str | None:
        from bittern.api.device_registrar import is_registered_already
        from bittern.api.errors import ApiError

        try:
            make = self.registrar.rehearse if self.dry_run else self.registrar.create
            await make(given)
        except ApiError as error:
            if self.skips and is_registered_already(error) and await self._is_ours(given):
                return ""
            raise Refused(_PREFIX.sub("", error.message)) from None
        return None

    async def _is_ours(self, given: dict[str, Any]) -> bool:
        """One of another account is not added, and is not here either."""
        device = await self.store.device(DevEUI(EUI64.from_hex(given["LoRaWAN"]["DevEui"])))
        return device is not None and device.account == self.account

    async def _input(self, row: Row) -> dict[str, Any]:
        """Of CreateWirelessDevice, completed by the defaults."""
        given = row.given if row.fields is None else await self._from_fields(row.fields)
        if self.destination is not None:
            given = {"DestinationName": self.destination} | given
        lorawan = given.get("LoRaWAN")
        if not isinstance(lorawan, dict):
            return dict(given)
        defaults = {
            name: profile.id
            for name, profile in (
                ("DeviceProfileId", self.device_profile),
                ("ServiceProfileId", self.service_profile),
            )
            if profile is not None
        }
        return given | {"LoRaWAN": defaults | lorawan}

    async def _from_fields(self, fields: Fields) -> dict[str, Any]:
        """Profiles may be named in them, and the device profile decides what the keys are."""
        profile, ids = self.device_profile, dict(fields)
        if name := fields.get("DeviceProfileId"):
            if name not in self._profiles:
                found = await device_profile_of(self.store, self.account, name)
                self._profiles[name] = found
            profile = self._profiles[name]
            ids["DeviceProfileId"] = profile.id
        if name := fields.get("ServiceProfileId"):
            if name not in self._services:
                self._services[name] = await service_profile_of(self.store, self.account, name)
            ids["ServiceProfileId"] = self._services[name].id
        if profile is None:
            raise Refused("no DeviceProfileId, in the row or by --device-profile")
        return device_input(ids, profile.mac_version)


def _repeated(row: Row, seen: Seen) -> str:
    """Why a device that was in the file before is refused; else empty."""
    dev_eui = _dev_eui(row)
    first = seen.first(dev_eui, row.line) if dev_eui else row.line
    return "" if first == row.line else f"line {first} has the same DevEUI"


def _dev_eui(row: Row) -> str:
    """What may be told of it: anything else in its place may be a key."""
    text: object = (row.fields or {}).get("DevEui", "")
    if isinstance(row.given, dict) and isinstance(row.given.get("LoRaWAN"), dict):
        text = row.given["LoRaWAN"].get("DevEui")
    return text if isinstance(text, str) and _EUI.fullmatch(text) else ""


def _count(tally: Tally, row: Row, outcome: str | None, refuse: Refuse) -> None:
    tally.rows += 1
    if outcome is None:
        tally.added += 1
    elif not outcome:
        tally.skipped += 1
    else:
        tally.refused += 1
        refuse(row.line, _dev_eui(row), without_keys(outcome))


def without_keys(text: str) -> str:
    """Whatever looks like a key, or most of one, is left out: keys stand in wrong columns too.
    Identities of profiles, which look like it, stay."""
    return _LIKE_A_KEY.sub(lambda found: found[0] if _UUID.fullmatch(found[0]) else "…", text)


def _format_of(file: str) -> Format:
    kind = SUFFIXES.get(Path(file).suffix.lower())
    if kind is None:
        raise typer.BadParameter(
            "csv, json or jsonl: the name of the file does not tell", param_hint="--format"
        )
    return kind


@contextlib.contextmanager
def _opened(file: str) -> Iterator[tuple[IO[bytes], Any]]:
    """The bytes, and the text that they are: Excel begins it with a byte order mark."""
    import io

    if file == "-":
        yield sys.stdin.buffer, io.TextIOWrapper(sys.stdin.buffer, "utf-8-sig", newline="")
        return
    with Path(file).open("rb") as raw:
        yield raw, io.TextIOWrapper(raw, "utf-8-sig", newline="")


@contextlib.contextmanager
def _reporting(report: Path | None) -> Iterator[Refuse]:
    """Into the report, or to the person."""
    if report is None:
        yield lambda line, dev_eui, reason: output.complain(
            f"line {line}: {dev_eui}{': ' if dev_eui else ''}{reason}"
        )
        return
    with report.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["Line", "DevEui", "Reason"])
        yield lambda line, dev_eui, reason: writer.writerow([line, dev_eui, reason])


@contextlib.contextmanager
def _progress(file: str, raw: IO[bytes]) -> Iterator[Callable[[], None]]:
    """A bar, where somebody sees it; how far the file is read is how far the work is."""
    if not sys.stderr.isatty() or file == "-":
        yield lambda: None
        return
    from rich.progress import Progress

    with Progress(console=output.console(error=True), transient=True) as bar:
        task = bar.add_task("devices", total=max(Path(file).stat().st_size, 1))
        yield lambda: bar.update(task, completed=raw.tell())
