"""Operations of `iot` and `iot-data` on a store, in any order and however they are asked."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bittern.api.front import Caller, Front
from bittern.api.model import Operation, service
from bittern.api.operations import Endpoints, Services, handlers
from bittern.api.operations.certificates import Kept
from bittern.api.operations.iot_policies import Policy
from bittern.api.operations.things import Thing
from bittern.api.policy import ready
from bittern.api.sigv4 import SecretAccessKey
from bittern.store.notes import Note
from bittern.testing.memory_store import MemoryStore
from bittern.types import Instant

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/api"))
from oracle import NOW, SECRET, inputs, signed

ACCOUNT = "123456789012"
PREFIX = f"arn:aws:iot:eu-west-1:{ACCOUNT}:cert/"
CERTIFICATES = ["1" * 64, "2" * 64]
NAMES = ["a", "b"]
DOCUMENT = '{"Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}}'
PAYLOAD = {
    "sql": "SELECT * FROM 'a'",
    "actions": [{"republish": {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/r", "topic": "b"}}],
}
MADE = {"CreateKeysAndCertificate", "CreateCertificateFromCsr", "RegisterCertificateWithoutCA"}
"""They cost a key, and have tests of their own."""

MEETING = {
    "thingName": st.sampled_from(NAMES),
    "policyName": st.sampled_from(NAMES),
    "ruleName": st.sampled_from(NAMES),
    "policyVersionId": st.sampled_from(["1", "2"]),
    "principal": st.sampled_from([PREFIX + one for one in (*CERTIFICATES, "3" * 64)]),
    "target": st.sampled_from([PREFIX + one for one in (*CERTIFICATES, "3" * 64)]),
    "certificateId": st.sampled_from(CERTIFICATES),
    "expectedVersion": st.integers(1, 3),
    "policyDocument": st.just(DOCUMENT),
    "topicRulePayload": st.just(PAYLOAD),
}
"""Values by which operations are about the same few things."""


def self_signed() -> str:
    name, key = x509.Name([]), ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    now = datetime.fromtimestamp(NOW, UTC)
    made = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


PEM = self_signed()


class Nobody:
    """A broker."""

    tells_retained = True

    async def publish(self, message: Any) -> None: ...

    def retained(self, topic: str) -> None: ...

    def retained_page(self, after: str, limit: int) -> list[Any]:
        return []


def front_of(store: MemoryStore, faults: list[Exception]) -> Front:
    caller = Caller(
        ACCOUNT, "AKID", "arn:aws:iam::1:user/x", ready("administrator"), SecretAccessKey(SECRET)
    )

    async def credentials(access_key_id: str) -> Caller | None:
        return caller

    services = Services(
        store=store,
        now=lambda: NOW,
        randomness=random.Random(1),
        secret=bytes(32),
        authority=lambda: None,  # type: ignore[arg-type, return-value]
        endpoints=Endpoints("https://c.example:1", "wss://l.example:1"),
        broker=Nobody(),
        broker_account=ACCOUNT,
    )
    return Front(
        handlers(services),
        credentials,
        region="eu-west-1",
        on_fault=lambda operation, request_id, fault: faults.append(fault),
    )


def offered(name: str) -> list[Operation]:
    front = front_of(MemoryStore(), [])
    return [one for one in front._handlers if one.service is service(name)]


OPERATIONS = [one for of in ("iot", "iot-data") for one in offered(of) if one.name not in MADE]
OFTEN = [
    *("CreateThing", "CreatePolicy", "AttachThingPrincipal", "AttachPolicy", "DetachPolicy"),
    *("DetachThingPrincipal", "DeleteThing", "DeletePolicy", "DeleteCertificate"),
]


@st.composite
def requests(draw: st.DrawFn) -> tuple[Operation, dict[str, Any]]:
    """Most are about what is there; of those that anything is drawn for, some are."""
    meets = draw(st.integers(0, 4)) > 0
    few = [one for one in OPERATIONS if one.name in OFTEN]
    operation = draw(st.sampled_from(few if meets else OPERATIONS))
    drawn = draw(inputs(operation))
    if meets and operation.input is not None:
        drawn = {name: drawn[name] for name in operation.input.required_members}
    for member in drawn:
        if member in MEETING:
            drawn[member] = draw(MEETING[member])
    return operation, drawn


BEGINNING = [
    ("CreateThing", {"thingName": "a"}),
    ("CreatePolicy", {"policyName": "a", "policyDocument": DOCUMENT}),
    ("AttachThingPrincipal", {"thingName": "a", "principal": PREFIX + CERTIFICATES[0]}),
    ("AttachPolicy", {"policyName": "a", "target": PREFIX + CERTIFICATES[0]}),
]


async def certificates(store: MemoryStore) -> None:
    for identity in CERTIFICATES:
        kept = Kept(
            id=identity,
            pem=PEM,
            status="INACTIVE",
            signed_here=False,
            created_at=NOW,
            changed_at=NOW,
        )
        body = msgspec.json.encode(kept).decode()
        await store.put_notes(
            Note(account=ACCOUNT, kind="certificate", name=identity, at=NOW, body=body)
        )


async def carried_out(asked: list[tuple[Operation, dict[str, Any]]]) -> MemoryStore:
    store, faults = MemoryStore(), list[Exception]()
    await certificates(store)
    front = front_of(store, faults)
    begun = [(service("iot").operation(name), given) for name, given in BEGINNING]
    for number, (operation, parameters) in enumerate([*begun, *asked]):
        # A second each: the same request twice is no replay.
        now = Instant(NOW + number)
        request = signed(operation, parameters, now=now)
        answer = await front.answer(request, now=now, request_id="r")
        assert not faults, (operation.name, parameters)
        assert answer.status < 500, answer.body
        assert answer.status != 404 or b"does not exist" in answer.body, answer.body
    return store


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(requests(), min_size=5, max_size=20))
def test_whatever_is_asked_links_have_two_ends_and_are_counted(
    asked: list[tuple[Operation, dict[str, Any]]],
) -> None:
    store = asyncio.run(carried_out(asked))
    asyncio.run(check_links(store))


async def check_links(store: MemoryStore) -> None:
    for kind, forth, back, form, count in (
        ("thing", "thing_principal", "principal_thing", Thing, "principals"),
        ("policy", "policy_target", "target_policy", Policy, "targets"),
    ):
        links = await store.notes(ACCOUNT, forth, limit=1000)  # type: ignore[arg-type]
        others = await store.notes(ACCOUNT, back, limit=1000)  # type: ignore[arg-type]
        ends = [tuple(one.name.split(" ")) for one in links]
        assert sorted(end[::-1] for end in ends) == sorted(
            tuple(one.name.split(" ")) for one in others
        )
        documents = await store.notes(ACCOUNT, kind, limit=1000)  # type: ignore[arg-type]
        counted = {
            one.name: getattr(json_of(one, form), count)
            for one in documents
            if getattr(json_of(one, form), count)
        }
        wanted: dict[str, int] = {}
        for one, _ in ends:
            wanted[one] = wanted.get(one, 0) + 1
        assert counted == wanted
        certificates = await store.notes(ACCOUNT, "certificate", limit=1000)
        assert {other for _, other in ends} <= {one.name for one in certificates}


def json_of(note: Note, form: Any) -> Any:
    assert json.loads(note.body)
    return msgspec.json.decode(note.body, type=form)
