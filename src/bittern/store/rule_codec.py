"""Rules, what is owed in lanes, and dead letters to and from what a database keeps, in the manner
of `codec`."""

from __future__ import annotations

import msgspec

from bittern.keys.ring import Vault
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
    sealed = vault.seal(actions, _place_of_rule(rule.account, rule.name))
    return rule.account, rule.name, _rule.dump(rule).decode(), sealed


def rule_from_row(row: Row, vault: Vault) -> RuleRecord:
    account, name, record, sealed = row
    if sealed is None:
        return RuleRecord(account=account, name=name, **_with_actions.load(record))
    opened = _actions.decode(vault.open(sealed, _place_of_rule(account, name)))
    return RuleRecord(
        account=account,
        name=name,
        actions=opened.actions,
        error_action=opened.error_action,
        **_rule.load(record),
    )


def _place_of_rule(account: str, name: str) -> str:
    return f"rule.actions:{account}:{name}"


# Owed in lanes: sequence, lane, message_id, account, dev_eui, destination, created_at, document
# (sealed)


def lane_message_to_row(owed: Owed, vault: Vault) -> Row:
    return (
        owed.sequence,
        owed.lane,
        owed.message_id,
        owed.account,
        bytes(owed.dev_eui),
        owed.destination,
        owed.created_at,
        vault.seal(owed.document, _place_in_lane(owed.lane, owed.message_id)),
    )


def lane_message_from_row(row: Row, vault: Vault) -> Delivery:
    sequence, lane, message_id, account, dev_eui, destination, created_at, sealed = row
    return Delivery(
        message_id=message_id,
        account=account,
        dev_eui=DevEUI(EUI64(dev_eui)),
        destination=destination,
        document=vault.open(sealed, _place_in_lane(lane, message_id)),
        created_at=Instant(created_at),
        sequence=sequence,
        lane=lane,
    )


def _place_in_lane(lane: str, message_id: str) -> str:
    return f"lane_message.document:{lane}:{message_id}"


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
        vault.seal(letter.document, f"dead_letter.document:{letter.message_id}"),
    )


def dead_letter_from_row(row: Row, vault: Vault) -> DeadLetter:
    sealed = row[12]
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
        document=vault.open(sealed, f"dead_letter.document:{row[5]}"),
        **_dead_letter.load(row[11]),
    )
