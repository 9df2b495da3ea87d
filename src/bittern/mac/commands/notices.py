"""What an operator should see of MAC commands that did not do what they should."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class CommandProblem(StrEnum):
    """Why a command of a device was not obeyed: a metric label, a log word, a row in the docs."""

    NOT_ASKED = "answer_not_asked_for"
    ANSWERS_DISAGREE = "answers_disagree"
    """A block of LinkADRReq is answered as one, but was not."""
    OTHER_VERSION = "command_of_another_version"
    OTHER_ACTIVATION = "command_of_another_activation"
    """RekeyInd of a personalized device, ResetInd of one that joined."""
    RESERVED_VALUE = "reserved_value"
    CLASS_NOT_IN_PROFILE = "class_not_in_profile"
    UNREADABLE = "unreadable"
    """An unknown CID, or a command cut short: nobody can tell what comes behind it."""


class Ignored(msgspec.Struct, frozen=True):
    """A command of the device that changed nothing."""

    command: str
    problem: CommandProblem


class Declined(msgspec.Struct, frozen=True):
    """The device does not accept a request; it is not asked for the same again."""

    request: str
    answer: str


class Unanswered(msgspec.Struct, frozen=True):
    """The device was asked several times and has not answered; it is asked ever more seldom."""

    request: str
    attempts: int


Notice = Ignored | Declined | Unanswered
