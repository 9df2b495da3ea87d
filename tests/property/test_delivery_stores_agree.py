"""What is owed, given up, kept beside: the SQLite store and the one in memory agree on it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from bittern.store.notes import Note, NoteExchange
from bittern.store.protocol import Store
from bittern.store.rule_records import DeadLetterFilter
from bittern.testing import examples
from bittern.types import Instant

sys.path.insert(0, str(Path(__file__).parent))
from two_stores import SETTINGS, TwoStores

LANES = st.sampled_from(("mqtt", "000000000000/meters/0/http", "000000000000/meters/error/file"))
SEQUENCES = st.lists(st.integers(0, 12), max_size=4)
IN_LANES = st.integers(1001, 1012)
"""Those that lanes are given here: the stores themselves give low ones."""
NUMBERS = st.lists(st.integers(0, 8), max_size=4)
DOCUMENTS = st.binary(max_size=40)
NAMES = st.sampled_from("ab")
KEY_IDS = st.sampled_from((examples.ACCESS_KEY.id, "AKIAEXAMPLE000000002"))
ACCOUNTS = st.sampled_from(("000000000000", examples.ACCOUNT.id))
TIMES = st.integers(0, 4).map(lambda n: Instant(examples.NOW + n))
KINDS = st.sampled_from(("tags", "attempt"))
BODIES = st.none() | st.sampled_from(("{}", "[]"))
OWED = st.builds(
    lambda number, lane, sequence, document: examples.delivery(
        number, lane=lane, sequence=sequence, document=document
    ),
    st.integers(0, 4),
    LANES,
    IN_LANES,
    DOCUMENTS,
)
LETTERS = st.builds(
    lambda number, lane, name, at, document, account, device: examples.dead_letter(
        number,
        lane=lane,
        rule=name,
        destination=name,
        failed_at=at,
        document=document,
        account=account,
        dev_eui=examples.dev_eui(device),
    ),
    st.integers(1, 6),
    LANES | st.just(""),
    NAMES,
    TIMES,
    DOCUMENTS,
    ACCOUNTS,
    st.integers(0, 1),
)
FILTERS = st.builds(
    DeadLetterFilter,
    account=ACCOUNTS,
    dev_eui=st.none() | st.integers(0, 1).map(examples.dev_eui),
    destination=st.none() | NAMES,
    rule=st.none() | NAMES,
    message_id=st.none() | st.integers(1, 6).map(lambda n: examples.dead_letter(n).message_id),
)


class DeliveryStores(TwoStores):
    # What is owed

    @rule(number=st.integers(0, 4), document=DOCUMENTS, lane=LANES | st.just(""))
    def owe(self, number: int, document: bytes, lane: str) -> None:
        message = examples.delivery(number, document=document, lane=lane)
        self.both(lambda store: store.owe(message))

    @rule(
        delivered=SEQUENCES,
        delivered_in=st.dictionaries(LANES, st.lists(IN_LANES, max_size=3) | SEQUENCES, max_size=2),
        owed=st.lists(OWED, max_size=4),
        letters=st.lists(LETTERS, max_size=3),
    )
    def settle(self, **settled: Any) -> None:
        self.both(lambda store: store.settle(**settled))

    @rule(sequences=SEQUENCES)
    def strike_off(self, sequences: list[int]) -> None:
        self.both(lambda store: store.delivered(sequences))

    @rule(after=st.integers(0, 12), limit=st.integers(0, 4), lane=LANES | st.just(""))
    def read_what_is_owed(self, after: int, limit: int, lane: str) -> None:
        self.both(lambda store: store.owed(after, limit, lane))

    # Dead letters

    @rule(wanted=FILTERS, after=st.integers(0, 6), limit=st.integers(1, 4))
    def find_letters(self, wanted: DeadLetterFilter, after: int, limit: int) -> None:
        self.both(lambda store: store.dead_letters(wanted, after, limit))

    @rule(number=st.integers(0, 8))
    def look_at_a_letter(self, number: int) -> None:
        self.both(lambda store: store.dead_letter(number))

    @rule(numbers=NUMBERS)
    def replay(self, numbers: list[int]) -> None:
        self.both(lambda store: store.replay_dead_letters(numbers))

    @rule(numbers=NUMBERS)
    def drop(self, numbers: list[int]) -> None:
        self.both(lambda store: store.drop_dead_letters(numbers))

    @rule(before=TIMES, most=st.integers(0, 120))
    def trim(self, before: Instant, most: int) -> None:
        self.both(lambda store: store.trim_dead_letters(before, most))

    # Rules and codecs

    @rule(account=ACCOUNTS, name=NAMES, enabled=st.booleans(), anew=st.booleans())
    def put_rule(self, account: str, name: str, enabled: bool, anew: bool) -> None:
        changed = msgspec.structs.replace(
            examples.RULE, account=account, name=name, enabled=enabled
        )
        self.both(lambda store: (store.add_rule if anew else store.replace_rule)(changed))

    @rule(account=ACCOUNTS, name=NAMES)
    def remove_rule(self, account: str, name: str) -> None:
        self.both(lambda store: store.remove_rule(account, name))

    @rule(account=ACCOUNTS, name=NAMES, script=NAMES, anew=st.booleans())
    def put_codec(self, account: str, name: str, script: str, anew: bool) -> None:
        changed = msgspec.structs.replace(examples.CODEC, account=account, name=name, script=script)
        self.both(lambda store: (store.add_codec if anew else store.replace_codec)(changed))

    @rule(account=ACCOUNTS, name=NAMES)
    def remove_codec(self, account: str, name: str) -> None:
        self.both(lambda store: store.remove_codec(account, name))

    # Accounts

    @rule(number=ACCOUNTS)
    def add_account(self, number: str) -> None:
        account = msgspec.structs.replace(examples.ACCOUNT, id=number)
        self.both(lambda store: store.add_account(account))

    @rule(number=ACCOUNTS, key_id=KEY_IDS)
    def add_key(self, number: str, key_id: str) -> None:
        key = msgspec.structs.replace(examples.ACCESS_KEY, account=number, id=key_id)
        self.both(lambda store: store.add_access_key(key))

    @rule(key_id=KEY_IDS, active=st.booleans())
    def set_key_active(self, key_id: str, active: bool) -> None:
        self.both(lambda store: store.set_access_key_active(key_id, active))

    @rule(key_id=KEY_IDS, at=TIMES)
    def use_key(self, key_id: str, at: Instant) -> None:
        self.both(lambda store: store.access_key_used(key_id, at))

    @rule(key_id=KEY_IDS)
    def remove_key(self, key_id: str) -> None:
        self.both(lambda store: store.remove_access_key(key_id))

    # Notes

    @rule(
        account=ACCOUNTS,
        kind=KINDS,
        names=st.lists(NAMES, max_size=2, unique=True),
        at=TIMES,
        older=st.none() | TIMES,
    )
    def put_notes(
        self, account: str, kind: Any, names: list[str], at: Instant, older: Instant | None
    ) -> None:
        notes = [
            Note(account=account, kind=kind, name=name, at=at, body="{}", only_if_older_than=older)
            for name in names
        ]
        self.both(lambda store: store.put_notes(*notes))

    @rule(account=ACCOUNTS, kind=KINDS, name=NAMES, at=TIMES, before=BODIES, after=BODIES)
    def exchange_note(self, **told: Any) -> None:
        self.both(lambda store: store.exchange_notes(NoteExchange(**told)))

    @rule(account=ACCOUNTS, kind=KINDS, name=NAMES)
    def remove_note(self, account: str, kind: Any, name: str) -> None:
        self.both(lambda store: store.remove_note(account, kind, name))

    @rule(kind=KINDS, before=TIMES)
    def trim_notes(self, kind: Any, before: Instant) -> None:
        self.both(lambda store: store.trim_notes(kind, before))

    @rule(back=st.integers(0, 30))
    def read_the_changes(self, back: int) -> None:
        async def since(store: Store) -> object:
            return await store.changes(max(await store.last_change() - back, 0))

        self.both(since)

    def teardown(self) -> None:
        try:
            self.hold_the_same()
        finally:
            super().teardown()

    @rule()
    def hold_the_same(self) -> None:
        """Not after each step: with all that is looked at, that takes most of the time."""

        async def everything(store: Store) -> list[Any]:
            usage = await store.delivery_usage()
            lanes = await store.lanes()
            accounts = ["000000000000", examples.ACCOUNT.id]
            return [
                await store.owed(0, 100),
                lanes,
                [await store.owed(0, 100, lane) for lane in lanes],
                await store.owed_count(),
                [await store.dead_letters(DeadLetterFilter(account=one)) for one in accounts],
                # Only an engine with a file knows what it takes.
                msgspec.structs.replace(usage, bytes_used=0),
                [await store.rules(account) for account in accounts],
                [await store.codecs(account) for account in accounts],
                await store.accounts(),
                await store.access_keys(),
                [await store.access_keys(account) for account in accounts],
                [
                    await store.notes(account, kind)
                    for account in accounts
                    for kind in ("tags", "attempt")
                ],
                await store.last_change(),
            ]

        self.both(everything)


TestDeliveryStores = DeliveryStores.TestCase
TestDeliveryStores.settings = settings(SETTINGS, max_examples=60)
