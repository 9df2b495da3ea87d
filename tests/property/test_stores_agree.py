"""Whatever is done to them, the SQLite store and the one in memory give the same answers."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from bittern.mac.session import Session
from bittern.store.gateway_records import FirmwareTask, StatePart
from bittern.store.ports.sessions import Deliver, DownlinkAttempted, DownlinkDone, Effect
from bittern.store.protocol import Store
from bittern.testing import examples
from bittern.types import DevAddr

sys.path.insert(0, str(Path(__file__).parent))
from two_stores import SETTINGS, TwoStores, outcome

DEVICES = st.integers(0, 2)
MESSAGES = st.integers(0, 4)
GENERATIONS = st.integers(0, 3)
REVISIONS = st.none() | st.integers(0, 2)
GATEWAYS = st.integers(0, 1)
STATUSES = st.sampled_from(("PENDING", "IN_PROGRESS", "COMPLETED"))
PARTS = (examples.CONNECTION, examples.CUPS_CONTACT, examples.REFUSED)
EFFECTS = st.lists(
    st.builds(lambda n: Deliver(examples.delivery(n)), MESSAGES)
    | st.builds(lambda n: DownlinkDone(examples.downlink(n).message_id), MESSAGES)
    | st.builds(lambda n: DownlinkAttempted(examples.downlink(n).message_id), MESSAGES),
    max_size=3,
)
Step = tuple[Session, Session, list[Effect]]


class Stores(TwoStores):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Session] = []

    @initialize()
    def begin(self) -> None:
        self.both(lambda store: examples.register(store, devices=2))

    @rule(number=DEVICES, personalized=st.booleans())
    def add_device(self, number: int, personalized: bool) -> None:
        session = examples.session(number, generation=0) if personalized else None
        self.both(lambda store: store.add_device(examples.device(number), session))
        self.see(number)

    @rule(number=DEVICES)
    def remove_device(self, number: int) -> None:
        self.both(lambda store: store.remove_device(examples.dev_eui(number)))

    @rule(
        number=DEVICES,
        before=REVISIONS,
        generation=GENERATIONS,
        pending=st.booleans(),
        address=st.integers(0, 1),
    )
    def activate(
        self, number: int, before: int | None, generation: int, pending: bool, address: int
    ) -> None:
        known = None if before is None else examples.join_state(number, revision=before)
        after = examples.join_state(number, revision=0 if before is None else before + 1)
        session = examples.session(
            number, generation=generation, pending=pending, dev_addr=DevAddr.from_int(address)
        )
        self.both(lambda store: store.activate(known, after, session))
        self.see(number)

    @rule(number=DEVICES, generation=GENERATIONS, pending=st.booleans())
    def join(self, number: int, generation: int, pending: bool) -> None:
        """From the join state as it is, which the rule above seldom hits."""
        state = self.runner.run(self.memory.join_state(examples.dev_eui(number)))
        self.activate(number, state and state.revision, generation, pending, 0)

    @rule(data=st.data())
    def advance(self, data: st.DataObject) -> None:
        if self.seen:
            before, after, effects = self.draw_step(data)
            self.both(lambda store: store.advance(before, after, *effects))
            self.seen.append(after)

    @rule(data=st.data(), count=st.integers(2, 6))
    def advance_together(self, data: st.DataObject, count: int) -> None:
        """In one group, with the outcomes of one after the other."""
        if not self.seen:
            return
        steps: list[Step] = []
        for _ in range(count):
            before, after, effects = self.draw_step(data)
            deliveries = [effect for effect in effects if isinstance(effect, Deliver)]
            # Those that end other sessions have their place behind the plain ones of a group.
            after = msgspec.structs.replace(after, pending=before.pending)
            steps.append((before, after, list(deliveries)))
            self.seen.append(after)

        async def together(store: Store) -> list[object]:
            calls = [outcome(store.advance(before, after, *fx)) for before, after, fx in steps]
            return list(await asyncio.gather(*calls))

        self.both(together)

    def draw_step(self, data: st.DataObject) -> Step:
        # The last ones are often still valid, the earlier ones stale.
        place = data.draw(st.integers(1, min(len(self.seen), 6)))
        before = self.seen[-place]
        pending = before.pending and data.draw(st.booleans())
        return before, examples.next_session(before, pending=pending), data.draw(EFFECTS)

    @rule(number=DEVICES, message=MESSAGES, confirmed=st.booleans())
    def enqueue(self, number: int, message: int, confirmed: bool) -> None:
        downlink = examples.downlink(message, dev_eui=examples.dev_eui(number), confirmed=confirmed)
        self.both(lambda store: store.enqueue(downlink))

    @rule(number=DEVICES, message=st.none() | MESSAGES)
    def unqueue(self, number: int, message: int | None) -> None:
        message_id = None if message is None else examples.downlink(message).message_id
        self.both(lambda store: store.unqueue(examples.dev_eui(number), message_id))

    @rule(sequences=st.lists(st.integers(0, 12), max_size=5))
    def deliver(self, sequences: list[int]) -> None:
        self.both(lambda store: store.delivered(sequences))

    @rule(after=st.integers(0, 8), limit=st.integers(0, 4))
    def read_the_outbox(self, after: int, limit: int) -> None:
        self.both(lambda store: store.owed(after, limit))

    @rule(number=GATEWAYS)
    def add_gateway(self, number: int) -> None:
        self.both(lambda store: store.add_gateway(gateway(number)))

    @rule(number=GATEWAYS)
    def remove_gateway(self, number: int) -> None:
        self.both(lambda store: store.remove_gateway(gateway(number).gateway_eui))

    @rule(number=GATEWAYS, fingerprint=st.sampled_from("ab"))
    def add_certificate(self, number: int, fingerprint: str) -> None:
        certificate = msgspec.structs.replace(
            examples.CERTIFICATE,
            fingerprint=fingerprint,
            gateway_eui=gateway(number).gateway_eui,
        )
        self.both(lambda store: store.add_certificate(certificate))

    @rule(fingerprint=st.sampled_from("ab"), active=st.booleans())
    def set_certificate_active(self, fingerprint: str, active: bool) -> None:
        self.both(lambda store: store.set_certificate_active(fingerprint, active))

    @rule(number=GATEWAYS, name=st.sampled_from("ab"), id_of=GATEWAYS)
    def replace_gateway(self, number: int, name: str, id_of: int) -> None:
        changed = msgspec.structs.replace(gateway(number), name=name, id=str(id_of))
        self.both(lambda store: store.replace_gateway(changed))

    @rule(number=GATEWAYS, fingerprint=st.sampled_from("ab"), pem=st.sampled_from(("", "pem")))
    def replace_certificate(self, number: int, fingerprint: str, pem: str) -> None:
        certificate = msgspec.structs.replace(
            examples.CERTIFICATE,
            fingerprint=fingerprint,
            gateway_eui=gateway(number).gateway_eui,
            pem=pem,
        )
        self.both(lambda store: store.replace_certificate(certificate))

    @rule(number=GATEWAYS, part=st.sampled_from(PARTS))
    def put_gateway_state(self, number: int, part: StatePart) -> None:
        self.both(lambda store: store.put_gateway_state(gateway(number).gateway_eui, part))

    @rule(name=st.sampled_from("ab"))
    def add_firmware(self, name: str) -> None:
        definition = msgspec.structs.replace(examples.FIRMWARE, id=name)
        self.both(lambda store: store.add_firmware(definition))

    @rule(name=st.sampled_from("ab"))
    def remove_firmware(self, name: str) -> None:
        self.both(lambda store: store.remove_firmware(name))

    @rule(number=GATEWAYS, name=st.sampled_from("ab"))
    def add_firmware_task(self, number: int, name: str) -> None:
        self.both(lambda store: store.add_firmware_task(task(number, name)))

    @rule(number=GATEWAYS, name=st.sampled_from("ab"), before=STATUSES, after=STATUSES)
    def replace_firmware_task(self, number: int, name: str, before: str, after: str) -> None:
        moved = task(number, name, before), task(number, name, after)
        self.both(lambda store: store.replace_firmware_task(*moved))

    @rule(number=GATEWAYS)
    def remove_firmware_task(self, number: int) -> None:
        self.both(lambda store: store.remove_firmware_task(gateway(number).gateway_eui))

    @rule(number=DEVICES, name=st.sampled_from("ab"), id_of=DEVICES)
    def replace_device(self, number: int, name: str, id_of: int) -> None:
        changed = examples.device(number, name=name, id=examples.device(id_of).id)
        self.both(lambda store: store.replace_device(changed))

    @rule(expression=st.sampled_from("ab"))
    def replace_destination(self, expression: str) -> None:
        changed = msgspec.structs.replace(examples.DESTINATION, expression=expression)
        self.both(lambda store: store.replace_destination(changed))

    @rule()
    def remove_destination(self) -> None:
        place = examples.DESTINATION.account, examples.DESTINATION.name
        self.both(lambda store: store.remove_destination(*place))

    @rule()
    def add_destination(self) -> None:
        self.both(lambda store: store.add_destination(examples.DESTINATION))

    @rule(back=st.integers(0, 30))
    def read_the_changes(self, back: int) -> None:
        async def since(store: Store) -> object:
            return await store.changes(max(await store.last_change() - back, 0))

        self.both(since)

    @invariant()
    def hold_the_same(self) -> None:
        async def everything(store: Store) -> list[Any]:
            devices = [examples.dev_eui(number) for number in range(3)]
            return [
                await store.devices(),
                [await store.sessions_of(device) for device in devices],
                [await store.sessions_at(DevAddr.from_int(number)) for number in range(2)],
                [await store.join_state(device) for device in devices],
                [await store.queued(device) for device in devices],
                await store.owed(0, 100),
                await store.owed_count(),
                await store.gateways(),
                [await store.certificates_of(gateway(number).gateway_eui) for number in range(2)],
                await store.foreign_certificates(),
                await store.gateway_states(),
                await store.destinations(examples.DESTINATION.account),
                await store.firmware_definitions(examples.FIRMWARE.account),
                [await store.firmware_tasks(name) for name in "ab"],
                await store.last_change(),
            ]

        self.both(everything)

    def see(self, number: int) -> None:
        self.seen += self.runner.run(self.memory.sessions_of(examples.dev_eui(number)))


def gateway(number: int) -> Any:
    return msgspec.structs.replace(
        examples.GATEWAY, id=str(number), gateway_eui=examples.dev_eui(number)
    )


def task(number: int, definition: str, status: str = "PENDING") -> FirmwareTask:
    return msgspec.structs.replace(
        examples.FIRMWARE_TASK,
        gateway_eui=gateway(number).gateway_eui,
        definition_id=definition,
        status=status,
    )


TestStores = Stores.TestCase
TestStores.settings = SETTINGS
