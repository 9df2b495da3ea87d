"""Functions that are answered outside the engine: see `context.ExternalCall`.

Their arguments are AWS's, roles included, so that a statement runs in both places. Roles may be
any text here.

Source: AWS IoT Core developer guide, "Functions", by name; get_registry_data in its newer editions.
"""

from __future__ import annotations

from bittern.rules.functions.registry import Function
from bittern.rules.values import UNDEFINED


def _answered_outside(*_: object) -> object:
    """Never called: the compiler makes an `ExternalCall`."""
    return UNDEFINED


def _external(usage: str, *counts: int, since_2016: bool = True) -> Function:
    name, _, arguments = usage.rstrip(")").partition("(")
    return Function(
        name,
        tuple(arguments.replace("[", "").replace("]", "").split(", ")),
        min(counts),
        _answered_outside,
        external=True,
        since_2016=since_2016,
        counts=frozenset(counts),
        usage=usage,
    )


FUNCTIONS: tuple[Function, ...] = (
    _external("aws_lambda(functionArn, inputJson)", 2, since_2016=False),
    _external(
        "get_dynamodb(tableName, partitionKeyName, partitionKeyValue"
        "[, sortKeyName, sortKeyValue], roleArn)",
        *(4, 6),
    ),
    _external("get_secret(secretId, secretType[, key], roleArn)", 3, 4),
    _external("get_thing_shadow(thingName[, shadowName], roleArn)", 2, 3),
    _external("get_registry_data(registryAPI, thingName, roleArn)", 3),
    _external("machinelearning_predict(modelId, roleArn, record)", 3, since_2016=False),
)

ROLE = {
    "get_dynamodb": -1,
    "get_secret": -1,
    "get_thing_shadow": -1,
    "get_registry_data": -1,
    "machinelearning_predict": 1,
}
"""Where the role stands. It cannot be a variable ("SET clause", Using variables)."""
