"""`bittern frame`: take a frame apart when a device misbehaves."""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from bittern.cli import output, parameters
from bittern.cli.group import noun
from bittern.lorawan.inspection import FrameContext, FrameKeys, Tree, inspect_frame
from bittern.lorawan.versions import MacVersion
from bittern.types import EUI64, DevEUI, JoinEUI

if TYPE_CHECKING:
    from rich.tree import Tree as RichTree

app = noun("Frames, as they are on air.")

CONTEXT = "What is not in the frame"
JOIN = "Of the request that a LoRaWAN 1.1 join-accept answers"


@app.command("decode")
def decode(
    *,
    phy_payload: Annotated[
        str,
        typer.Argument(
            metavar="FRAME",
            help="PHYPayload, hexadecimal or base64. - reads it from standard input.",
        ),
    ],
    version: Annotated[
        MacVersion | None,
        typer.Option(
            metavar=f"{next(iter(MacVersion))}…{list(MacVersion)[-1]}",
            parser=parameters.parsed(MacVersion.parse),
            help="LoRaWAN version. Without it: 1.1 if a key of 1.1 is given, else 1.0.x.",
        ),
    ] = None,
    nwk_s_key: parameters.NwkSKeyOption = None,
    app_s_key: parameters.AppSKeyOption = None,
    f_nwk_s_int_key: parameters.FNwkSIntKeyOption = None,
    s_nwk_s_int_key: parameters.SNwkSIntKeyOption = None,
    nwk_s_enc_key: parameters.NwkSEncKeyOption = None,
    app_key: parameters.AppKeyOption = None,
    nwk_key: parameters.NwkKeyOption = None,
    fcnt_msb: Annotated[
        int,
        typer.Option(
            min=0,
            max=0xFFFF,
            help="Upper 16 bits of the frame counter.",
            rich_help_panel=CONTEXT,
        ),
    ] = 0,
    conf_fcnt: Annotated[
        int,
        typer.Option(
            min=0,
            max=0xFFFF_FFFF,
            help="1.1: counter of the confirmed frame that this one acknowledges.",
            rich_help_panel=CONTEXT,
        ),
    ] = 0,
    tx_dr: Annotated[
        int | None,
        typer.Option(min=0, max=255, help="1.1, uplink: data rate.", rich_help_panel=CONTEXT),
    ] = None,
    tx_ch: Annotated[
        int | None,
        typer.Option(min=0, max=255, help="1.1, uplink: channel.", rich_help_panel=CONTEXT),
    ] = None,
    dev_eui: Annotated[
        EUI64 | None,
        typer.Option(
            metavar="DEVEUI", parser=parameters.parsed(EUI64.from_hex), rich_help_panel=JOIN
        ),
    ] = None,
    join_eui: Annotated[
        EUI64 | None,
        typer.Option(
            metavar="JOINEUI", parser=parameters.parsed(EUI64.from_hex), rich_help_panel=JOIN
        ),
    ] = None,
    dev_nonce: Annotated[
        int | None,
        typer.Option(min=0, max=0xFFFF, help="Or RJcount.", rich_help_panel=JOIN),
    ] = None,
    join_req_type: Annotated[
        int, typer.Option(min=0, max=255, help="255, or the rejoin's type.", rich_help_panel=JOIN)
    ] = 255,
    as_json: parameters.AsJson = False,
) -> None:
    """Show every field of a frame; with keys also its payload, its MAC commands and whether its
    MIC is right.

    A key may be given as 32 hexadecimal digits, as @FILE, or as -.
    """
    keys = FrameKeys(
        nwk_s_key=nwk_s_key,
        f_nwk_s_int_key=f_nwk_s_int_key,
        s_nwk_s_int_key=s_nwk_s_int_key,
        nwk_s_enc_key=nwk_s_enc_key,
        app_s_key=app_s_key,
        app_key=app_key,
        nwk_key=nwk_key,
    )
    context = FrameContext(
        version=version,
        fcnt_msb=fcnt_msb,
        conf_fcnt=conf_fcnt,
        tx_dr=tx_dr,
        tx_ch=tx_ch,
        dev_eui=None if dev_eui is None else DevEUI(dev_eui),
        join_eui=None if join_eui is None else JoinEUI(join_eui),
        dev_nonce=dev_nonce,
        join_req_type=join_req_type,
    )
    tree = inspect_frame(_bytes(phy_payload), keys, context)
    if as_json:
        output.print_json(tree)
    else:
        output.console().print(_drawn(tree))


def _bytes(text: str) -> bytes:
    """Hexadecimal where it can be that, since few frames in base64 look like it; else base64."""
    text = "".join((sys.stdin.read() if text == "-" else text).split())
    digits = text.removeprefix("0x").replace(":", "").replace("-", "")
    if re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", digits):
        return bytes.fromhex(digits)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise typer.BadParameter("neither hexadecimal nor base64", param_hint="FRAME") from None


def _drawn(tree: Tree) -> RichTree:
    from rich.tree import Tree as RichTree

    header = tree["MHDR"]
    assert isinstance(header, Mapping)
    root = RichTree(f"[bold]{header['MType']}[/]", guide_style="dim")
    _grow(root, tree)
    return root


def _grow(branch: RichTree, values: Mapping[str, object]) -> None:
    from rich.text import Text

    for name, value in values.items():
        match value:
            case Mapping():
                _grow(branch.add(Text(name, style="bold")), value)
            case list() if value and all(isinstance(one, Mapping) for one in value):
                _grow_list(branch.add(Text(name, style="bold")), value)
            case list():
                for one in value:
                    branch.add(Text.assemble((name, "dim"), " ", str(one)))
            case _:
                branch.add(Text.assemble((name, "dim"), " ", _leaf(name, value)))


def _grow_list(branch: RichTree, values: list[Mapping[str, object]]) -> None:
    """MAC commands: each by its name, with its fields below."""
    from rich.text import Text

    for one in values:
        fields = one.get("Fields")
        head = f"{one.get('Command')} {one.get('CID')} in {one.get('In')}"
        node = branch.add(Text(head, style="cyan"))
        if isinstance(fields, Mapping):
            _grow(node, fields)


def _leaf(name: str, value: object) -> tuple[str, str]:
    """The value as text, and its style."""
    if name == "Valid":
        if value is None:
            return "cannot be told", "yellow"
        return ("yes", "bold green") if value else ("NO", "bold red")
    if value is None:
        return "-", "dim"
    if isinstance(value, bool):
        return ("yes" if value else "no"), ""
    if value == "":
        return "(empty)", "dim"
    return f"{value}{_as_text(value) if name == 'DecryptedFRMPayload' else ''}", ""


def _as_text(digits: object) -> str:
    """What a payload says, where it is text."""
    content = bytes.fromhex(str(digits))
    readable = content.isascii() and content.decode("ascii").isprintable()
    return f" {content.decode()!r}" if readable else ""
