"""Rules, what is owed in lanes, and dead letters to and from what a database keeps, in the manner
of `codec`."""

from __future__ import annotations

import msgspec

from bittern.keys.ring import Vault
from bittern.store import places
from bittern.store.codec import Rest, Row
from bittern.store.ports.outbox import Buried, Owed
from bittern.store.records import Delivery
from bittern.store.rule_records import Action, DeadLetter, RuleRecord
from bittern.types import EUI64, DevEUI, Instant

# Rules: account, name, record (the rest), actions (sealed)

_with_actions = Rest(RuleRecord, ("account", "name"), "json")
"""As rules were kept before their actions were sealed."""
_rule = Rest(RuleRecord, ("account", "name", "actions", "error_action"), "json")


class _Actions(msgspec.Struct, frozen=True):
    actions: tuple[Action, ...]
    error_action: Action | None


_actions = msgspec.json.Decoder(_Actions)


def rule_to_row(rule: RuleRecord, vault: Vault) -> Row:
    actions = msgspec.json.encode(_Actions(rule.actions, rule.error_action))
    sealed = vault.seal(actions, places.of_actions(rule.account, rule.name).now)
    return rule.account, rule.name, _rule.dump(rule).decode(), sealed


def rule_from_row(row: Row, vault: Vault) -> RuleRecord:
    account, name, record, sealed = row
    if sealed is None:
        return RuleRecord(account=account, name=name, **_with_actions.load(record))
    opened = _actions.decode(vault.open(sealed, *places.of_actions(account, name)))
    return RuleRecord(
        account=account,
        name=name,
        actions=opened.actions,
        error_action=opened.error_action,
        **_rule.load(record),
    )


# Owed in lanes: sequence, lane, message_id, account, dev_eui, destination, created_at, document
# (sealed)


def lane_message_to_row(owed: Owed, vault: Vault) -> Row:
    place = places.of_lane_message(owed.account, owed.dev_eui, owed.message_id, owed.lane)
    return (
        owed.sequence,
        owed.lane,
        owed.message_id,
        owed.account,
        bytes(owed.dev_eui),
        owed.destination,
        owed.created_at,
        vault.seal(owed.document, place.now),
    )


def lane_message_from_row(row: Row, vault: Vault) -> Delivery:
    sequence, lane, message_id, account, dev_eui, destination, created_at, sealed = row
    return Delivery(
        message_id=message_id,
        account=account,
        dev_eui=DevEUI(EUI64(dev_eui)),
        destination=destination,
        document=vault.open(sealed, *places.of_lane_message(account, dev_eui, message_id, lane)),
        created_at=Instant(created_at),
        sequence=sequence,
        lane=lane,
    )


# Dead letters: sequence, owed_as, lane, account, dev_eui, message_id, destination, rule,
# created_at, failed_at, size, record (the rest), document (sealed)

_dead_letter = Rest(
    DeadLetter,
    (
        "sequence",
        "owed_as",
        "lane",
        "account",
        "dev_eui",
        "message_id",
        "destination",
        "rule",
        "created_at",
        "failed_at",
        "document",
    ),
    "json",
)


def dead_letter_to_row(letter: Buried, vault: Vault) -> Row:
    """Without its sequence, which the engine gives."""
    place = places.of_dead_letter(
        letter.account, letter.dev_eui, letter.owed_as, letter.message_id, letter.lane
    )
    return (
        letter.owed_as,
        letter.lane,
        letter.account,
        bytes(letter.dev_eui),
        letter.message_id,
        letter.destination,
        letter.rule,
        letter.created_at,
        letter.failed_at,
        len(letter.document),
        _dead_letter.dump_from(letter).decode(),
        vault.seal(letter.document, place.now),
    )


def dead_letter_from_row(row: Row, vault: Vault) -> DeadLetter:
    place = places.of_dead_letter(row[3], row[4], row[1], row[5], row[2])
    return DeadLetter(
        sequence=row[0],
        owed_as=row[1],
        lane=row[2],
        account=row[3],
        dev_eui=DevEUI(EUI64(row[4])),
        message_id=row[5],
        destination=row[6],
        rule=row[7],
        created_at=Instant(row[8]),
        failed_at=Instant(row[9]),
        document=vault.open(row[12], *place),
        **_dead_letter.load(row[11]),
    )
