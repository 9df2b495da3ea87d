"""`bittern dead-letter`: messages that could not be delivered."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import typer

from bittern.cli import output, parameters
from bittern.cli.group import noun
from bittern.cli.workspace import Workspace, run
from bittern.errors import NotFound
from bittern.store.protocol import Store
from bittern.store.rule_records import DeadLetter, DeadLetterFilter
from bittern.types import EUI64, DevEUI

app = noun("Messages that could not be delivered.")

PAGE = 500

Numbers = Annotated[
    list[int] | None, typer.Argument(metavar="[NUMBER]...", help="As `list` shows them.")
]
All = Annotated[
    bool, typer.Option("--all", help="All of them, or those that the other options name.")
]
DevEuiOption = Annotated[
    EUI64 | None,
    typer.Option("--dev-eui", parser=parameters.parsed(EUI64.from_hex), help="Of this device."),
]
RuleOption = Annotated[str | None, typer.Option("--rule", help="Of this rule.")]
DestinationOption = Annotated[
    str | None, typer.Option("--destination", help="Of this destination.")
]
MessageOption = Annotated[str | None, typer.Option("--message", help="Of this MessageId.")]


@app.command("list")
def list_(
    *,
    dev_eui: DevEuiOption = None,
    rule: RuleOption = None,
    destination: DestinationOption = None,
    message: MessageOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the oldest first.")] = 100,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List dead letters."""
    workspace = Workspace.of(data_dir, config, account)
    wanted = _wanted(workspace, dev_eui, rule, destination, message)

    async def work() -> list[DeadLetter]:
        async with workspace.store() as store:
            return await store.dead_letters(wanted, limit=limit)

    letters = run(work())
    if as_json:
        output.print_json([_document(one) for one in letters])
        return
    output.table(
        ["NUMBER", "FAILED", "DEVEUI", "DESTINATION", "RULE", "ACTION", "REASON"],
        [
            [
                str(one.sequence),
                output.local_time(one.failed_at),
                str(one.dev_eui),
                one.destination,
                one.rule,
                one.action,
                f"{one.reason}: {one.detail}",
            ]
            for one in letters
        ],
        empty="no dead letters",
    )


@app.command("show")
def show(
    number: Annotated[int, typer.Argument(metavar="NUMBER")],
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Print a dead letter as JSON, with its message."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> DeadLetter | None:
        async with workspace.store() as store:
            return await store.dead_letter(number)

    letter = run(work())
    if letter is None or letter.account != workspace.account:
        raise NotFound("dead letter", str(number))
    output.print_json(_document(letter) | _message(letter))


@app.command("replay")
def replay(
    *,
    numbers: Numbers = None,
    all_: All = False,
    dev_eui: DevEuiOption = None,
    rule: RuleOption = None,
    destination: DestinationOption = None,
    message: MessageOption = None,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Owe dead letters anew where they failed, behind what is owed already."""
    workspace = Workspace.of(data_dir, config, account)
    wanted = _chosen(numbers, all_, _wanted(workspace, dev_eui, rule, destination, message))

    async def work() -> int:
        async with workspace.store() as store:
            return await store.replay_dead_letters(await _numbers(store, numbers, wanted))

    _tell(run(work()), "replayed")


@app.command("drop")
def drop(
    *,
    numbers: Numbers = None,
    all_: All = False,
    dev_eui: DevEuiOption = None,
    rule: RuleOption = None,
    destination: DestinationOption = None,
    message: MessageOption = None,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Drop dead letters for good."""
    workspace = Workspace.of(data_dir, config, account)
    wanted = _chosen(numbers, all_, _wanted(workspace, dev_eui, rule, destination, message))

    async def work() -> int:
        async with workspace.store() as store:
            return await store.drop_dead_letters(await _numbers(store, numbers, wanted))

    _tell(run(work()), "dropped")


def _wanted(
    workspace: Workspace,
    dev_eui: EUI64 | None,
    rule: str | None,
    destination: str | None,
    message: str | None,
) -> DeadLetterFilter:
    return DeadLetterFilter(
        account=workspace.account,
        dev_eui=None if dev_eui is None else DevEUI(dev_eui),
        rule=rule,
        destination=destination,
        message_id=message,
    )


def _chosen(numbers: list[int] | None, all_: bool, wanted: DeadLetterFilter) -> DeadLetterFilter:
    """Either numbers, or --all with or without a filter."""
    if numbers and (all_ or wanted != DeadLetterFilter(account=wanted.account)):
        raise typer.BadParameter("numbers and other choices exclude each other")
    if not numbers and not all_:
        raise typer.BadParameter("name dead letters by their numbers, or --all")
    return wanted


async def _numbers(store: Store, numbers: list[int] | None, wanted: DeadLetterFilter) -> list[int]:
    if numbers:
        letters = [await store.dead_letter(number) for number in numbers]
        return [one.sequence for one in letters if one and one.account == wanted.account]
    found: list[int] = []
    while page := await store.dead_letters(wanted, found[-1] if found else 0, PAGE):
        found += [one.sequence for one in page]
    return found


def _tell(count: int, what: str) -> None:
    output.say(f"{count} dead letter{'s' * (count != 1)} {what}")
    if not count:
        raise typer.Exit(1)


def _document(letter: DeadLetter) -> dict[str, Any]:
    return {
        "number": letter.sequence,
        "message_id": letter.message_id,
        "dev_eui": str(letter.dev_eui),
        "destination": letter.destination,
        "rule": letter.rule,
        "action": letter.action,
        "reason": letter.reason,
        "detail": letter.detail,
        "attempts": letter.attempts,
        "created_at": output.utc(letter.created_at),
        "failed_at": output.utc(letter.failed_at),
    }


def _message(letter: DeadLetter) -> dict[str, Any]:
    """What its receiver would have got; as JSON where it is that."""
    if not letter.lane:
        return {"message": _readable(letter.document)}
    from bittern.outputs.parts import opened

    envelope = opened(letter.document)
    told: dict[str, Any] = {"message": _readable(envelope.document)}
    if envelope.topic:
        told["topic"] = envelope.topic
    if envelope.parameters:
        told["parameters"] = envelope.parameters
    if envelope.original is not None:
        told["original"] = _readable(envelope.original)
    return told


def _readable(document: bytes) -> Any:
    import msgspec

    try:
        return msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {"base64": base64.b64encode(document).decode()}
