"""`bittern gateway set`: change what is registered of gateways, and move them elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

import msgspec
import typer

from bittern.cli import output, parameters
from bittern.cli.gateway_add import check_settings, sub_bands
from bittern.cli.gateway_text import gateway_document
from bittern.cli.owned import gateway_of
from bittern.cli.workspace import Workspace, run
from bittern.gateway.eui_text import parse_eui
from bittern.store.gateway_records import CupsContact
from bittern.store.names import checked_name
from bittern.store.pages import everything
from bittern.store.protocol import Store
from bittern.store.records import Gateway
from bittern.types import EUI64, GatewayEUI

NONE = "none"
DEFAULT = "default"


def _or(word: str, parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """`word` instead of a value takes back what was set."""
    return parameters.parsed(lambda text: word if text == word else parse(text))


def set_(
    *,
    euis: Annotated[
        list[EUI64] | None,
        typer.Argument(
            metavar="EUI", parser=parameters.parsed(parse_eui), help="One gateway or several."
        ),
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="All gateways.")] = False,
    name: Annotated[
        str | None, typer.Option(parser=parameters.parsed(checked_name), help="For people.")
    ] = None,
    description: Annotated[str | None, typer.Option()] = None,
    sub_band: parameters.SubBands = None,
    boards: parameters.Boards = None,
    max_eirp: Annotated[
        Any,
        typer.Option(
            metavar=f"DBM|{NONE}",
            parser=_or(NONE, float),
            help="Limit of the transmission power, dBm EIRP.",
        ),
    ] = None,
    beacons: Annotated[
        bool | None,
        typer.Option("--beacons/--no-beacons", help="Class B beacons, where it has a GPS."),
    ] = None,
    allow_remote_shell: Annotated[
        bool | None,
        typer.Option(
            "--allow-remote-shell/--forbid-remote-shell",
            help="Whether an administrator may open a shell on it.",
        ),
    ] = None,
    allow_remote_commands: Annotated[
        bool | None,
        typer.Option(
            "--allow-remote-commands/--forbid-remote-commands",
            help="Whether an administrator may have it run commands.",
        ),
    ] = None,
    join_eui_range: parameters.JoinEuiRange = None,
    net_id: parameters.NetIdFilter = None,
    no_filters: Annotated[
        bool,
        typer.Option(
            "--no-filters",
            help="Take back both filters.",
            rich_help_panel=parameters.FILTERS,
        ),
    ] = False,
    lns_uri: Annotated[
        str | None,
        typer.Option(
            metavar=f"wss://NAME:PORT|{DEFAULT}",
            parser=_or(DEFAULT, parameters.station_uri),
            help="Where CUPS sends it: another LNS, or that of this installation.",
        ),
    ] = None,
    cups_uri: Annotated[
        str | None,
        typer.Option(
            metavar=f"https://NAME:PORT|{DEFAULT}",
            parser=_or(DEFAULT, parameters.cups_uri),
            help="Where it asks CUPS from then on.",
        ),
    ] = None,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Change gateways. What is not named stays as it is.

    What concerns the radio takes effect at once: a connected gateway connects anew. Addresses
    reach a gateway when it asks CUPS next, at most a day later; one that does not answer is
    withheld, and `gateway show` says so.
    """
    chosen = [GatewayEUI(one) for one in euis or ()]
    if everyone == bool(chosen):
        raise typer.BadParameter("name the gateways, or --all of them", param_hint="EUI")
    if name is not None and (everyone or len(chosen) > 1):
        raise typer.BadParameter("is of one gateway", param_hint="--name")
    if no_filters and (join_eui_range or net_id):
        raise typer.BadParameter(
            "takes back filters, and others set one", param_hint="--no-filters"
        )
    given: dict[str, Any] = {
        "name": name,
        "description": description,
        "boards": boards,
        "max_eirp_dbm": max_eirp,
        "beaconing": beacons,
        "remote_shell": allow_remote_shell,
        "remote_commands": allow_remote_commands,
        "join_eui_filters": () if no_filters else tuple(join_eui_range or ()) or None,
        "net_id_filters": () if no_filters else tuple(map(int, net_id or ())) or None,
        "lns_uri": lns_uri,
        "cups_uri": cups_uri,
    }
    changes = {
        field: None if value in (NONE, DEFAULT) and field in _TAKEN_BACK else value
        for field, value in given.items()
        if value is not None
    }
    if not changes and not sub_band:
        raise typer.BadParameter("nothing to change: say what by an option", param_hint="EUI")
    workspace = Workspace.of(data_dir, config, account)
    changed, unasked = run(
        _change(workspace, None if everyone else chosen, changes, sub_band or ())
    )
    if as_json:
        output.print_json([gateway_document(one) for one in changed])
        return
    output.say("no gateways" if not changed else f"changed: {_named(changed)}")
    if unasked:
        output.say(f"never asked CUPS, so told of no address by it: {_named(unasked)}")


_TAKEN_BACK = ("max_eirp_dbm", "lns_uri", "cups_uri")


async def _change(
    workspace: Workspace,
    chosen: Sequence[GatewayEUI] | None,
    changes: dict[str, Any],
    bands: Sequence[int],
) -> tuple[list[Gateway], list[Gateway]]:
    """Every gateway as it is now, and those of them that an address cannot reach. Nothing is
    changed where one of them cannot be."""
    async with workspace.store() as store:
        before = (
            await all_gateways(store, workspace.account)
            if chosen is None
            else await _found(store, workspace.account, chosen)
        )
        after = [_changed(one, changes, bands) for one in before]
        for gateway in after:
            check_settings(gateway)
        for gateway in after:
            await store.replace_gateway(gateway)
        if "lns_uri" not in changes and "cups_uri" not in changes:
            return after, []
        return after, [one for one in after if await _contact(store, one) is None]


def _changed(gateway: Gateway, changes: dict[str, Any], bands: Sequence[int]) -> Gateway:
    changed = msgspec.structs.replace(gateway, **changes)
    chosen = sub_bands(gateway.region, bands or gateway.sub_bands, changed.boards)
    return msgspec.structs.replace(changed, sub_bands=chosen) if bands else changed


async def _found(store: Store, account: str, chosen: Sequence[GatewayEUI]) -> list[Gateway]:
    """Raises `NotFound`."""
    return [await gateway_of(store, account, eui) for eui in dict.fromkeys(chosen)]


async def _contact(store: Store, gateway: Gateway) -> CupsContact | None:
    return (await store.gateway_state(gateway.gateway_eui)).cups


async def all_gateways(store: Store, account: str) -> list[Gateway]:
    page = partial(store.gateways_of, account)
    return [one async for one in everything(page, lambda one: one.gateway_eui)]


_NAMED = 5


def _named(gateways: Sequence[Gateway]) -> str:
    """The first of them, and how many more."""
    first = " ".join(str(one.gateway_eui) for one in gateways[:_NAMED])
    more = len(gateways) - _NAMED
    return f"{first} and {more} more" if more > 0 else first
