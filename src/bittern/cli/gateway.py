"""`bittern gateway`: the gateways that may connect, how they are, and the files they have."""

from __future__ import annotations

from bittern.cli import (
    gateway_add,
    gateway_certificate,
    gateway_firmware,
    gateway_remote,
    gateway_set,
    output,
    parameters,
)
from bittern.cli.gateway_text import Shown, gateway_document, last_seen, numbers, state_word
from bittern.cli.group import noun
from bittern.cli.owned import gateway_of
from bittern.cli.workspace import Workspace, run
from bittern.store.forgetting import forget
from bittern.store.gateway_records import GatewayState
from bittern.store.protocol import Store
from bittern.store.records import Gateway
from bittern.types import GatewayEUI

app = noun("Gateways that may connect, how they are, and the files they have.")
app.command("add")(gateway_add.add)
app.command("set")(gateway_set.set_)
app.command("run")(gateway_remote.run_)
app.command("shell")(gateway_remote.shell)
app.add_typer(gateway_certificate.app, name="certificate")
app.add_typer(gateway_firmware.app, name="firmware")


@app.command("list")
def list_(
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """List all gateways, and how they were last seen."""
    workspace = Workspace.of(data_dir, config, account)
    served = workspace.is_served()

    async def work() -> list[tuple[Gateway, GatewayState]]:
        async with workspace.store() as store:
            states = await _states(store)
            unseen = GatewayState()
            return [
                (one, states.get(one.gateway_eui, unseen))
                for one in await gateway_set.all_gateways(store, workspace.account)
            ]

    gateways = run(work())
    if as_json:
        output.print_json([_listed(*one, served) for one in gateways])
        return
    output.table(
        ["EUI", "REGION", "SUB-BANDS", "NAME", "STATE", "LAST SEEN"],
        [
            [
                str(one.gateway_eui),
                one.region,
                numbers(one.sub_bands),
                one.name,
                state_word(state.connection, served),
                "" if (seen := last_seen(state)) is None else output.local_time(seen),
            ]
            for one, state in gateways
        ],
        empty="no gateways",
    )


def _listed(gateway: Gateway, state: GatewayState, served: bool) -> dict[str, object]:
    seen = last_seen(state)
    return gateway_document(gateway) | {
        "state": state_word(state.connection, served),
        "last_seen_at": None if seen is None else output.utc(seen),
    }


async def _states(store: Store) -> dict[GatewayEUI, GatewayState]:
    found: dict[GatewayEUI, GatewayState] = {}
    after: GatewayEUI | None = None
    while page := await store.gateway_states(after):
        found.update(page)
        after = page[-1][0]
    return found


@app.command("show")
def show(
    eui: parameters.GatewayEuiArgument,
    as_json: parameters.AsJson = False,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Explain a gateway: its connection, certificates, CUPS, firmware and its last refusal."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> Shown:
        async with workspace.store() as store:
            served = workspace.is_served()
            return await Shown.read(
                store, workspace.account, GatewayEUI(eui), served, workspace.now()
            )

    shown = run(work())
    if as_json:
        output.print_json(shown.document())
        return
    output.properties(*shown.told())


@app.command("remove")
def remove(
    eui: parameters.GatewayEuiArgument,
    account: parameters.Account = None,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Remove a gateway: its certificates no longer let anybody in."""
    workspace = Workspace.of(data_dir, config, account)

    async def work() -> None:
        async with workspace.store() as store:
            gateway = await gateway_of(store, workspace.account, GatewayEUI(eui))
            await store.remove_gateway(gateway.gateway_eui)
            await forget(store, workspace.account, f"WirelessGateway/{gateway.id}")

    run(work())
    output.say(f"gateway {eui} removed")
