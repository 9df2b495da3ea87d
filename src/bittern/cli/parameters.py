"""Arguments and options that several verbs take, and how text becomes their values."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeVar

import typer

from bittern.gateway.cups import check_uri
from bittern.gateway.eui_text import parse_eui
from bittern.lorawan import regions
from bittern.lorawan.regional_parameters import RegionalParameters
from bittern.lorawan.versions import MacVersion
from bittern.store.names import checked_name
from bittern.types import (
    EUI64,
    AES128Key,
    AppKey,
    AppSKey,
    DevAddr,
    FNwkSIntKey,
    NetID,
    NwkKey,
    NwkSEncKey,
    SNwkSIntKey,
)

T = TypeVar("T")
K = TypeVar("K", bound=AES128Key)


def parsed(parse: Callable[[str], T]) -> Callable[[str], T]:
    """What `parse` does not take is wrong usage, told in its words."""

    def parsing(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return parsing


def secret(kind: type[K]) -> Callable[[str], K]:
    """A key as 32 digits, `@FILE`, or `-` for a line of standard input (asked for, in a terminal).

    The last two keep it out of the shell's history and the list of processes.
    """

    def parsing(text: str) -> K:
        if text == "-":
            text = _asked(kind.__name__)
        elif text.startswith("@"):
            text = _first_line(Path(text[1:]))
        try:
            return kind.from_hex(text.strip())
        except ValueError as error:
            raise typer.BadParameter(f"{error}, or @FILE, or - for standard input") from None

    return parsing


def _asked(name: str) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt(name, hide_input=True, err=True))
    return sys.stdin.readline()


def _first_line(path: Path) -> str:
    try:
        with path.expanduser().open(encoding="ascii") as file:
            return file.readline()
    except OSError as error:
        raise typer.BadParameter(f"{path}: {(error.strerror or 'unreadable').lower()}") from None
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{path}: not a key in hexadecimal digits") from None


def _region(text: str) -> str:
    return regions.plan(text).name


def account_id(text: str) -> str:
    if len(text) != 12 or not (text.isascii() and text.isdigit()):
        raise ValueError(f"an account has 12 digits, unlike {text!r}")
    return text


def station_uri(text: str) -> str:
    """`wss://NAME:PORT` and nothing else, as a station wants it."""
    check_uri(text, "lns")
    return text


def cups_uri(text: str) -> str:
    """`https://NAME:PORT` and nothing else, as a station wants it."""
    check_uri(text, "cups")
    return text


class EuiRange(NamedTuple):
    """The first and the last of a row of EUIs."""

    first: int
    last: int


def _range(text: str) -> EuiRange:
    """`FIRST-LAST` of two EUIs, or one EUI."""
    match = re.fullmatch(r"([0-9A-Fa-f]{16})(?:-([0-9A-Fa-f]{16}))?", text)
    if match is None:
        raise ValueError(f"FIRST-LAST, each 16 hexadecimal digits, not {text!r}")
    first, last = int(match[1], 16), int(match[2] or match[1], 16)
    if first > last:
        raise ValueError(f"{match[1]} is behind {match[2]}")
    return EuiRange(first, last)


WHERE = "Where"
FILTERS = "What the gateway passes on (without: everything)"
OTAA = "Keys of a device that joins (OTAA)"
SESSION = "Session of a device that does not join (ABP)"

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help="Folder of everything bittern keeps. Without it: BITTERN_DATA_DIR, data_dir of the"
        " configuration file, ./data.",
        rich_help_panel=WHERE,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration file, TOML. Without it: BITTERN_CONFIG, or none.",
        envvar="BITTERN_CONFIG",
        show_envvar=False,
        rich_help_panel=WHERE,
    ),
]
Account = Annotated[
    str | None,
    typer.Option(
        "--account",
        metavar="ACCOUNT",
        parser=parsed(account_id),
        help="Whose resources: 12 digits. Without it: BITTERN_ACCOUNT, or 000000000000.",
        envvar="BITTERN_ACCOUNT",
        show_envvar=False,
        rich_help_panel=WHERE,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

ForPeople = Annotated[str, typer.Option("--name", parser=parsed(checked_name), help="For people.")]

DevEuiArgument = Annotated[
    EUI64,
    typer.Argument(metavar="DEVEUI", parser=parsed(EUI64.from_hex), help="16 hexadecimal digits."),
]
GatewayEuiArgument = Annotated[
    EUI64,
    typer.Argument(
        metavar="EUI",
        parser=parsed(parse_eui),
        help="As printed on the gateway (0016C001FF000001, also with - or :), or as its station"
        " writes it (16:c001:ff00:1).",
    ),
]
Region = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(regions.names()),
        parser=parsed(_region),
        help="Without it: network.region of the configuration.",
    ),
]
JoinEuiRange = Annotated[
    list[EuiRange] | None,
    typer.Option(
        "--join-eui-range",
        metavar="FIRST-LAST",
        parser=parsed(_range),
        help="Join-requests with these JoinEUIs only. May be repeated.",
        rich_help_panel=FILTERS,
    ),
]
NetIdFilter = Annotated[
    list[NetID] | None,
    typer.Option(
        "--net-id",
        metavar="NETID",
        parser=parsed(NetID.from_hex),
        help="Data frames of these networks only. May be repeated.",
        rich_help_panel=FILTERS,
    ),
]
Boards = Annotated[
    int | None,
    typer.Option(
        "--boards",
        min=1,
        max=8,
        help="Concentrator boards; each takes the channels of one sub-band. Without it: 1.",
    ),
]
SubBands = Annotated[
    list[int] | None,
    typer.Option(
        "--sub-band",
        min=1,
        max=12,
        help="Of a region with 64 channels, such as US915. May be repeated, with --boards."
        " Without it: 2.",
    ),
]
Only = Annotated[
    Literal["cups", "lns"] | None,
    typer.Option("--only", help="Files for CUPS or for the LNS alone. Without it: for both."),
]
LnsUri = Annotated[
    str | None,
    typer.Option(
        "--uri",
        "--lns-uri",
        metavar="wss://NAME:PORT",
        parser=parsed(station_uri),
        help="How the gateway reaches the LNS. Without it: lns.uri, or the first of server.names"
        " with lns.port.",
    ),
]
CupsUri = Annotated[
    str | None,
    typer.Option(
        "--cups-uri",
        metavar="https://NAME:PORT",
        parser=parsed(cups_uri),
        help="How the gateway reaches CUPS. Without it: cups.uri, or the first of server.names"
        " with cups.port.",
    ),
]
JoinEuiOption = Annotated[
    EUI64 | None,
    typer.Option(
        "--join-eui",
        metavar="EUI",
        parser=parsed(EUI64.from_hex),
        help="JoinEUI, formerly AppEUI. Without it: zero.",
        rich_help_panel=OTAA,
    ),
]
GenerateKeys = Annotated[
    bool,
    typer.Option(
        "--generate-keys",
        help="Draw the root keys that are not given at random, and print them.",
        rich_help_panel=OTAA,
    ),
]
KeysInToken = Annotated[
    bool,
    typer.Option(
        "--keys-in-token",
        help="Keep the root keys in the token of keys.pkcs11_token, which never lets them out.",
        rich_help_panel=OTAA,
    ),
]
ByJoinServer = Annotated[
    bool,
    typer.Option(
        "--join-server",
        help="Its root keys are at the join server of join_server.uri, and not here.",
        rich_help_panel=OTAA,
    ),
]
DevAddrOption = Annotated[
    DevAddr | None,
    typer.Option(
        "--dev-addr",
        metavar="DEVADDR",
        parser=parsed(DevAddr.from_hex),
        help="Address of a personalized device.",
        rich_help_panel=SESSION,
    ),
]
FcntStart = Annotated[
    int | None,
    typer.Option(
        "--fcnt-start",
        min=0,
        max=0xFFFF_FFFF,
        help="First uplink counter to expect. Without it: 0.",
        rich_help_panel=SESSION,
    ),
]
Version = Annotated[
    MacVersion,
    typer.Option(
        "--version",
        metavar=f"{next(iter(MacVersion))}…{list(MacVersion)[-1]}",
        parser=parsed(MacVersion.parse),
        help="LoRaWAN version.",
    ),
]

Revision = Annotated[
    str,
    typer.Option(
        "--revision",
        metavar="REVISION",
        help="Revision of the regional parameters that the device has: RP002-1.0.1, 1.0.2rB."
        f" Without it: {list(RegionalParameters)[-1]}.",
    ),
]

AppKeyOption = Annotated[
    AppKey | None,
    typer.Option(
        "--app-key",
        metavar="KEY",
        parser=secret(AppKey),
        help="Root key; in LoRaWAN 1.1 of the application's side.",
        rich_help_panel=OTAA,
    ),
]
NwkKeyOption = Annotated[
    NwkKey | None,
    typer.Option(
        "--nwk-key",
        metavar="KEY",
        parser=secret(NwkKey),
        help="LoRaWAN 1.1: root key of the network's side.",
        rich_help_panel=OTAA,
    ),
]
NwkSKeyOption = Annotated[
    FNwkSIntKey | None,
    typer.Option(
        "--nwk-s-key",
        metavar="KEY",
        parser=secret(FNwkSIntKey),
        help="LoRaWAN 1.0.x: network session key.",
        rich_help_panel=SESSION,
    ),
]
AppSKeyOption = Annotated[
    AppSKey | None,
    typer.Option(
        "--app-s-key",
        metavar="KEY",
        parser=secret(AppSKey),
        help="Application session key.",
        rich_help_panel=SESSION,
    ),
]
FNwkSIntKeyOption = Annotated[
    FNwkSIntKey | None,
    typer.Option(
        "--f-nwk-s-int-key",
        metavar="KEY",
        parser=secret(FNwkSIntKey),
        help="LoRaWAN 1.1, as the two below.",
        rich_help_panel=SESSION,
    ),
]
SNwkSIntKeyOption = Annotated[
    SNwkSIntKey | None,
    typer.Option(
        "--s-nwk-s-int-key",
        metavar="KEY",
        parser=secret(SNwkSIntKey),
        rich_help_panel=SESSION,
    ),
]
NwkSEncKeyOption = Annotated[
    NwkSEncKey | None,
    typer.Option(
        "--nwk-s-enc-key",
        metavar="KEY",
        parser=secret(NwkSEncKey),
        rich_help_panel=SESSION,
    ),
]
