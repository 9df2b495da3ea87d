"""Rules of destinations."""

from __future__ import annotations

from typing import Protocol

from bittern.store.rule_records import RuleRecord


class Rules(Protocol):
    """Rules of destinations. A destination may name one that is not there, as with AWS."""

    async def add_rule(self, rule: RuleRecord) -> None:
        """Raises `Conflict` for a taken name."""
        ...

    async def rule(self, account: str, name: str) -> RuleRecord | None: ...
    async def rules(self, account: str) -> list[RuleRecord]:
        """In order of name."""
        ...

    async def replace_rule(self, rule: RuleRecord) -> None:
        """The whole record of its account and name; `NotFound` without one."""
        ...

    async def remove_rule(self, account: str, name: str) -> None:
        """Raises `NotFound`. What its actions are owed still is."""
        ...
