"""What becomes of a message that a rule or an output will never take: the rule's error action
gets it, or it is buried as a dead letter."""

from __future__ import annotations

import logging
from collections.abc import Callable

from bittern.errors import RuleError
from bittern.outputs.actions import ReadyRule
from bittern.outputs.ledger import Ledger
from bittern.outputs.parts import Cause, Failure, Part, envelope_of, letter_of
from bittern.outputs.port import Delivery
from bittern.types import Instant

log = logging.getLogger(__name__)

OweError = Callable[[ReadyRule, Part], None]
"""Owe a part to the error action of its rule."""


class GivingUp:
    def __init__(
        self,
        ledger: Ledger,
        owe_error: OweError,
        now: Callable[[], Instant],
        logged: int,
    ) -> None:
        """The first `logged` are logged one by one; then they are counted, until `log_again`."""
        self._ledger = ledger
        self._owe_error = owe_error
        self._now = now
        self._logged_at_most = logged
        self._logged = 0
        self.dead_letters = 0
        self.error_actions = 0

    def log_again(self) -> None:
        self._logged = 0

    def give_up(
        self, rule: ReadyRule | None, failed: list[tuple[Delivery, str, Failure]], topic: str
    ) -> None:
        """Shares of one message that failed, all of `rule`; with the lane of each."""
        causes = tuple(
            Cause(lane, _document(delivery), failure) for delivery, lane, failure in failed
        )
        delivery = failed[0][0]
        self._log(delivery, rule, causes)
        if isinstance(delivery, Part) and delivery.causes:
            self._bury(delivery, rule, _with_error(delivery.causes, failed[0][2]))
        elif rule is None or rule.error_action is None:
            self._bury(delivery, rule, causes)
        else:
            original = delivery.original if isinstance(delivery, Part) else delivery.document
            try:
                part = rule.error_part(delivery, original, topic, causes)
            except RuleError as error:
                failure = rule.error_action.failure("rejected", str(error), 0)
                self._bury(delivery, rule, _with_error(causes, failure))
            else:
                self.error_actions += 1
                self._owe_error(rule, part)

    def _bury(self, delivery: Delivery, rule: ReadyRule | None, causes: tuple[Cause, ...]) -> None:
        name = "" if rule is None else rule.name
        for cause in causes:
            named = name or _rule_in(cause.lane)
            self.dead_letters += 1
            self._ledger.bury(letter_of(delivery, cause, named, self._now()))

    def _log(self, delivery: Delivery, rule: ReadyRule | None, causes: tuple[Cause, ...]) -> None:
        self._logged += 1
        if self._logged > self._logged_at_most:
            return
        for cause in causes:
            log.warning(
                "dev_eui=%s message_id=%s destination=%s rule=%s action=%r %s reason=%r",
                delivery.dev_eui,
                delivery.message_id,
                delivery.destination,
                "" if rule is None else rule.name,
                cause.failure.action,
                cause.failure.reason,
                cause.failure.detail,
            )


def _document(delivery: Delivery) -> bytes:
    """As it is to be owed again: of a lane in its envelope, else as it is."""
    return envelope_of(delivery) if isinstance(delivery, Part) else delivery.document


def _with_error(causes: tuple[Cause, ...], error: Failure) -> tuple[Cause, ...]:
    """The first reasons, and why the error action did not help."""
    return tuple(
        Cause(
            cause.lane,
            cause.envelope,
            Failure(
                reason=cause.failure.reason,
                detail=f"{cause.failure.detail}; error action: {error.detail}",
                attempts=cause.failure.attempts,
                action=cause.failure.action,
            ),
        )
        for cause in causes
    )


def _rule_in(lane: str) -> str:
    return lane.split("/")[1] if lane.count("/") == 3 else ""
