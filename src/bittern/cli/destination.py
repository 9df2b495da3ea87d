"""`bittern destination`: where the messages of devices go."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from bittern.cli import output, parameters
from bittern.cli.group import noun
from bittern.cli.workspace import Workspace, run
from bittern.errors import DeliveryRejected
from bittern.outputs.routing import checked_topic
from bittern.store.forgetting import forget
from bittern.store.names import checked_destination
from bittern.store.pages import everything
from bittern.store.records import Destination

app = noun("Where the messages of devices go.")


def _topic(text: str) -> str:
    try:
        return checked_topic(text)
    except DeliveryRejected as error:
        raise ValueError(str(error)) from None


Name = Annotated[str, typer.Argument(metavar="NAME")]
Topic = Annotated[
    str | None,
    typer.Option(
        "--topic", parser=parameters.parsed(_topic), help="MQTT topic to publish messages to."
    ),
]


@app.command("add")
def add(
    *,
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", parser=parameters.parsed(checked_destination)),
    ],
    topic: Topic = None,
    rule: Annotated[
        str | None, typer.Option("--rule", help="Rule that takes the messages, by its name.")
    ] = None,
    description: Annotated[str, typer.Option()] = "",
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Add a destination: an MQTT topic, or a rule, which may be added later."""
    if (topic is None) == (rule is None):
        raise typer.BadParameter("one of --topic and --rule is needed")
    workspace = Workspace.of(data_dir, config, account)
    destination = Destination(
        account=workspace.account,
        name=name,
        expression_type="MqttTopic" if rule is None else "RuleName",
        expression=topic or rule or "",
        description=description,
        created_at=workspace.now(),
    )

    async def work() -> None:
        async with workspace.store(make=True) as store:
            await store.add_destination(destination)

    run(work())
    if as_json:
        output.print_json(_document(destination))
    else:
        where = f"MQTT topic {topic}" if rule is None else f"rule {rule}"
        output.say(f"destination {name} added: {where}")


@app.command("list")
def list_(
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List all destinations."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> list[Destination]:
        async with workspace.store() as store:
            page = partial(store.destinations, workspace.account)
            return [one async for one in everything(page, lambda one: one.name)]

    destinations = run(work())
    if as_json:
        output.print_json([_document(destination) for destination in destinations])
        return
    output.table(
        ["NAME", "TYPE", "EXPRESSION", "DESCRIPTION"],
        [[one.name, one.expression_type, one.expression, one.description] for one in destinations],
        empty="no destinations",
    )


@app.command("remove")
def remove(
    name: Name,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Remove a destination that no device uses."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> None:
        async with workspace.store() as store:
            await store.remove_destination(workspace.account, name)
            await forget(store, workspace.account, f"Destination/{name}")

    run(work())
    output.say(f"destination {name} removed")


def _document(destination: Destination) -> dict[str, object]:
    return {
        "name": destination.name,
        "expression_type": destination.expression_type,
        "expression": destination.expression,
        "description": destination.description,
        "created_at": output.utc(destination.created_at),
    }
