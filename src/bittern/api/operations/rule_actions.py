"""Actions of rules as the API shows them: what AWS's model has of them, and no secret.

A rule that the command line made may have more than the model knows: kinds of our own, and
parameters of our own in AWS's kinds. A header that carries a credential is shown as `HIDDEN`, and
whoever replaces the rule by what was shown keeps the credential.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from bittern.api.model import Shape, service
from bittern.store.rule_records import Action

HIDDEN = "(hidden)"
_CREDENTIAL = re.compile(
    r"authorization|cookie|api-?key|token|secret|passw|credential|signature", re.IGNORECASE
)
"""Of a header's name. A template is no secret: it is filled in from the message."""


def shown(actions: Sequence[Action]) -> list[Action]:
    """In their order, without those of a kind that the model does not have."""
    known = _action_shape().members
    return [_shown(action) for action in actions if not action.keys() - known.keys()]


def not_shown(actions: Sequence[Action]) -> list[str]:
    """Kinds that the model does not have."""
    return sorted({name for action in actions for name in action} - _action_shape().members.keys())


def with_credentials(actions: Sequence[Action], before: Sequence[Action]) -> tuple[Action, ...]:
    """`actions` with what stands in the rule `before` wherever they have `HIDDEN` for a header."""
    kept = {
        (action["http"].get("url"), header["key"].lower()): header["value"]
        for action in before
        for header in _headers(action)
        if _is_credential(header)
    }
    return tuple(_restored(action, kept) for action in actions)


def _shown(action: Action) -> Action:
    found: Action = _modelled(action, _action_shape())
    if not _headers(found):
        return found
    headers = [
        {**header, "value": HIDDEN} if _is_credential(header) else header
        for header in _headers(found)
    ]
    return {"http": {**found["http"], "headers": headers}}


def _restored(action: Action, kept: Mapping[tuple[str | None, str], str]) -> Action:
    if not any(header["value"] == HIDDEN for header in _headers(action)):
        return action
    url = action["http"].get("url")
    headers = [
        {**header, "value": kept.get((url, header["key"].lower()), HIDDEN)}
        if header["value"] == HIDDEN
        else header
        for header in _headers(action)
    ]
    return {"http": {**action["http"], "headers": headers}}


def _headers(action: Action) -> Sequence[Mapping[str, str]]:
    found: Sequence[Mapping[str, str]] = action.get("http", {}).get("headers", ())
    return found


def _is_credential(header: Mapping[str, str]) -> bool:
    return bool(_CREDENTIAL.search(header["key"])) and "${" not in header["value"]


def _modelled(value: Any, shape: Shape) -> Any:
    match shape.type_name:
        case "structure":
            return {
                name: _modelled(value[name], member)
                for name, member in shape.members.items()
                if value.get(name) is not None
            }
        case "list":
            return [_modelled(item, shape.member) for item in value]
        case "map":
            return {key: str(item) for key, item in value.items()}
        case _:
            return value


@cache
def _action_shape() -> Shape:
    return service("iot").shape("Action")
