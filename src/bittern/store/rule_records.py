"""Rules as operators write them, and the messages that could not be delivered."""

from __future__ import annotations

from typing import Any

import msgspec

from bittern.store.records import DEFAULT_ACCOUNT
from bittern.types import DevEUI, Instant

Action = dict[str, Any]
"""As in AWS's ``TopicRulePayload``: one member, ``{"republish": {"topic": …}}``."""


class RuleRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A rule; the members of AWS's ``TopicRulePayload`` under our names."""

    account: str = DEFAULT_ACCOUNT
    name: str
    sql: str
    version: str = "2016-03-23"
    """``awsIotSqlVersion``."""
    description: str = ""
    enabled: bool = True
    """The contrary of ``ruleDisabled``."""
    actions: tuple[Action, ...]
    error_action: Action | None = None
    created_at: Instant


class DeadLetter(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A message that was given up, kept until a person decides or its time is over."""

    sequence: int = 0
    """Given by the store: how a person names it."""
    owed_as: int
    """Its sequence in the outbox."""
    lane: str = ""
    """Where it was owed; empty: it had come to no lane yet."""
    account: str = DEFAULT_ACCOUNT
    dev_eui: DevEUI
    message_id: str
    destination: str
    rule: str = ""
    action: str = ""
    """What a person calls the action: ``1 http``, counted from 1; ``error http``."""
    reason: str
    """One word: ``rejected``, ``gave_up``, ``rule_not_found`` …"""
    detail: str = ""
    """What the receiver, or the rule, said."""
    attempts: int = 0
    created_at: Instant
    failed_at: Instant
    document: bytes
    """What was owed, as it was owed."""


class DeadLetterFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which of them; every member that is set must hold."""

    account: str = DEFAULT_ACCOUNT
    dev_eui: DevEUI | None = None
    destination: str | None = None
    rule: str | None = None
    message_id: str | None = None


class DeliveryUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What deliveries take in the store."""

    bytes_used: int
    """Of the whole store; space that is free for reuse does not count."""
    owed: int
    dead_letters: int
    dead_letter_bytes: int
