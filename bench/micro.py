"""What the steps of one uplink cost by themselves: ``python -m bench.micro``.

Each step alone, in a loop, in microseconds: the best of several rounds, since whatever else the
machine does only ever adds. Together they are less than the server uses for an uplink; the rest is
sockets, TLS and the event loop, which only ``make bench`` sees.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench.fleet import REGION, Fleet
from bench.frames import DATA_RATE, FREQUENCIES_HZ, Load
from bench.provision import provision
from bittern import installation
from bittern.config import Configuration
from bittern.gateway.lns import LnsConnection, UplinkReceived
from bittern.gateway.router_config import GatewaySettings, router_config
from bittern.keys.ring import KeyRing
from bittern.lorawan import regions
from bittern.lorawan.frame import DataUp, parse
from bittern.lorawan.radio import Transmission
from bittern.mac.session import Session
from bittern.mac.uplink import Accepted, accept
from bittern.network.core import Network, NetworkSettings
from bittern.network.deduplication import Deduplicator, Gathered
from bittern.store.codec import delivery_to_row, session_step
from bittern.store.protocol import Store
from bittern.store.records import Delivery
from bittern.types import GatewayEUI, Instant, NetID

FLEET = Fleet(devices=2000, gateways=1)
NOW = Instant(1_700_000_000.0)
ROUNDS = 5
AT_ONCE = 50
"""How many uplinks are under way together where the store is involved."""

Step = tuple[str, float]
"""What, and microseconds."""


def clocked(times: int, rounds: Sequence[Callable[[], object]]) -> float:
    """Microseconds for one of `times` things that each of the rounds does."""
    took = []
    for run in rounds:
        began = time.perf_counter()
        run()
        took.append(time.perf_counter() - began)
    return 1e6 * min(took) / times


def each(work: Callable[[int], object]) -> float:
    """For the uplink of each device."""
    count = FLEET.devices

    def run() -> None:
        for index in range(count):
            work(index)

    return clocked(count, [run] * ROUNDS)


class _Nowhere:
    """Gateways and an outbox that take everything and do nothing."""

    is_full = False

    def transmit(self, gateway_eui: GatewayEUI, transmission: Transmission) -> bool:
        return True

    def is_connected(self, gateway_eui: GatewayEUI) -> bool:
        return True

    def round_trip_s(self, gateway_eui: GatewayEUI) -> float | None:
        return None

    def offer(self, delivery: Delivery) -> None:
        pass


def receptions(first_fcnt: int = 0) -> list[UplinkReceived]:
    """One uplink of each device, as the gateway's connection tells them."""
    connection = _open_connection()
    events = [connection.receive(message, NOW)[0] for message in _messages(first_fcnt)]
    return [event for event in events if isinstance(event, UplinkReceived)]


def _messages(first_fcnt: int = 0) -> list[bytes]:
    load = Load(fleet=FLEET, uplinks=FLEET.devices, run=1, first_fcnt=first_fcnt)
    return [copy.message for (copy,) in load.build()]


def _open_connection() -> LnsConnection:
    config = router_config(regions.plan(REGION), GatewaySettings())
    connection = LnsConnection(FLEET.gateway_eui(0), config, NOW)
    version = b'{"msgtype":"version","station":"2.0.6(linux/bench)","protocol":2}'
    connection.receive(version, NOW)
    return connection


def pure_steps(sessions: Callable[[DataUp], list[Session]]) -> Iterator[Step]:
    """Without the store, the loop and sockets."""
    messages, connection = _messages(), _open_connection()
    yield "gateway: message to frame", each(lambda i: connection.receive(messages[i], NOW))
    heard = receptions()
    yield "network: gather copies", clocked(len(heard), [lambda: _gather(heard)] * ROUNDS)
    yield "lorawan: parse", each(lambda i: parse(heard[i].phy_payload))
    frames = [frame for one in heard if isinstance(frame := parse(one.phy_payload), DataUp)]
    known = [sessions(frame) for frame in frames]

    def judge(i: int) -> Accepted:
        outcome = accept(
            frames[i],
            heard[i].phy_payload,
            known[i],
            data_rate=DATA_RATE,
            frequency_hz=FREQUENCIES_HZ[0],
            plan=plan,
            now=NOW,
        )
        assert isinstance(outcome, Accepted)
        return outcome

    plan = regions.plan(REGION)
    yield "mac: counter, MIC, decrypt", each(judge)
    outcomes = [judge(i) for i in range(len(frames))]
    yield (
        "store: session to row",
        each(lambda i: session_step(outcomes[i].before, outcomes[i].after)),
    )


def _gather(heard: list[UplinkReceived]) -> list[Gathered]:
    deduplicator = Deduplicator(0.2)
    for one in heard:
        deduplicator.add(one.phy_payload, one.reception, NOW)
    return deduplicator.due(Instant(NOW + 1.0))


def sealing(vault: KeyRing) -> Step:
    delivery = Delivery(
        message_id="00000000-0000-4000-8000-000000000000",
        dev_eui=FLEET.device(0).dev_eui,
        destination="bench",
        document=bytes(700),
        created_at=NOW,
    )
    return "store: seal a delivery", each(lambda i: delivery_to_row(delivery, vault))


def sealing_alone(vault: KeyRing) -> Step:
    """What the step above has of the cipher: it is to stay below a twentieth of an uplink."""
    document, place = bytes(700), "outbox.document:000000000000:70b3d57ed0000001:plant"
    return "keys: seal a document", each(lambda i: vault.seal(document, place))


async def path(store: Store) -> Step:
    """`UplinkPath.handle` with the durable store: all but TLS, gathering and publishing."""
    nowhere = _Nowhere()
    network = Network(
        NetworkSettings(net_id=NetID(bytes(3))),
        store=store,
        gateways=nowhere,
        outbox=nowhere,
        now=lambda: NOW,
        randomness=random.Random(1),
    )
    took = []
    for fcnt in range(ROUNDS):
        gathered = [
            Gathered(phy_payload=one.phy_payload, receptions=(one.reception,))
            for one in receptions(fcnt)
        ]
        # Of the processor, all threads: the wait for others and for the disk is no work.
        began = time.process_time()
        await _in_groups([network.uplinks.handle(one) for one in gathered])
        took.append(time.process_time() - began)
    if network.journal.refusals:
        raise SystemExit(f"uplinks were refused: {dict(network.journal.refusals)}")
    return f"network: handle, {AT_ONCE} at once, stored", 1e6 * min(took) / FLEET.devices


async def _in_groups(work: Sequence[Awaitable[object]]) -> None:
    for first in range(0, len(work), AT_ONCE):
        await asyncio.gather(*work[first : first + AT_ONCE])


async def measure(folder: Path) -> list[Step]:
    configuration = msgspec.structs.replace(Configuration(), data_dir=folder / "data")
    await provision(configuration, FLEET, folder / "gateways", "wss://localhost:1")
    async with installation.opened_store(configuration, NOW) as store:
        known = {
            (session := (await store.sessions_of(device.dev_eui))[0]).dev_addr: [session]
            for device in map(FLEET.device, range(FLEET.devices))
        }
        steps = list(pure_steps(lambda frame: known[frame.dev_addr]))
        steps.append(sealing(KeyRing({1: bytes(range(32))})))
        steps.append(sealing_alone(KeyRing({1: bytes(range(32))})))
        steps.append(await path(store))
    return steps


@contextmanager
def scratch() -> Iterator[Path]:
    """On the disk of the working directory: /tmp may be memory."""
    build = Path("build")
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="micro-", dir=build) as folder:
        yield Path(folder).absolute()


def main() -> None:
    import uvloop

    with scratch() as folder:
        steps = uvloop.run(measure(folder))
    shown = Table("step", title="one uplink, step by step")
    shown.add_column("µs", justify="right")
    for what, microseconds in steps:
        shown.add_row(what, f"{microseconds:.1f}")
    Console().print(shown)


if __name__ == "__main__":
    main()
