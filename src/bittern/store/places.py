"""Where each sealed value belongs: table, column, account and identity of its row.

A place is associated data of its value: what is moved to another row, another table or another
account does not open. Parts that a person chooses stand last, so that no two rows have one place.
Beside it stands how an earlier version named the same place; that counts only for what was sealed
by a data key of that version (`keys.keychain`).
"""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    now: str
    formerly: str | None = None


def of_session_keys(dev_eui: bytes, generation: int) -> Place:
    return Place(f"session.keys:{dev_eui.hex()}:{generation}")


def of_activation(account: str, dev_eui: bytes) -> Place:
    eui = dev_eui.hex()
    return Place(f"device.activation:{account}:{eui}", f"device.activation:{eui}")


def of_downlink(dev_eui: bytes, message_id: str) -> Place:
    return Place(f"downlink.payload:{dev_eui.hex()}:{message_id}", f"downlink.payload:{message_id}")


def of_outbox(account: str, dev_eui: bytes, message_id: str, destination: str) -> Place:
    return Place(
        f"outbox.document:{account}:{dev_eui.hex()}:{message_id}:{destination}",
        f"outbox.document:{message_id}",
    )


def of_lane_message(account: str, dev_eui: bytes, message_id: str, lane: str) -> Place:
    return Place(
        f"lane_message.document:{account}:{dev_eui.hex()}:{message_id}:{lane}",
        f"lane_message.document:{lane}:{message_id}",
    )


def of_dead_letter(account: str, dev_eui: bytes, owed_as: int, message_id: str, lane: str) -> Place:
    return Place(
        f"dead_letter.document:{account}:{dev_eui.hex()}:{owed_as}:{message_id}:{lane}",
        f"dead_letter.document:{message_id}",
    )


def of_actions(account: str, name: str) -> Place:
    return Place(f"rule.actions:{account}:{name}")


def of_access_secret(account: str, key_id: str) -> Place:
    return Place(f"access_key.secret:{account}:{key_id}")


def of_audit_key() -> Place:
    return Place("audit_chain.key:1")


def of_note(account: str, kind: str, name: str) -> Place:
    return Place(f"note.body:{account}:{kind}:{name}")
