"""The AWS services that one endpoint speaks for, read from botocore's own service models.

botocore is imported when a service is first asked for: a command that speaks to no API must not
wait for it. Shapes are botocore's; everything that the other modules need beside them is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, TypeAlias

Shape: TypeAlias = Any
"""``botocore.model.Shape`` and its kinds; botocore ships no types."""

SIGNING_NAMES: Mapping[str, str] = {
    "iotwireless": "iotwireless",
    "iot": "iot",
    "iotdata": "iot-data",
    "sts": "sts",
    "cloudcontrolapi": "cloudcontrol",
}
"""The service's name in a signature's scope, and in botocore."""

_IAM_PREFIXES = {"iot-data": "iot", "cloudcontrol": "cloudformation"}
_READING = ("Get", "List", "Describe")
_BOXES = ("structure", "list", "map")


@dataclass(frozen=True, slots=True)
class ErrorShape:
    """An error that an operation may answer with."""

    code: str
    status: int
    shape: Shape = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation: where it is on the wire, what goes in, what comes out."""

    service: Service = field(repr=False)
    name: str
    method: str
    uri: str
    """A template: ``/wireless-devices/{Id}``; a label that ends in ``+`` takes slashes too."""
    status: int
    """Of success."""
    input: Shape | None = field(repr=False)
    output: Shape | None = field(repr=False)
    errors: Mapping[str, ErrorShape] = field(repr=False)
    """By code."""
    documentation: str = field(repr=False, default="")
    """Of the model, in HTML."""
    result_wrapper: str | None = None

    @property
    def action(self) -> str:
        """What a policy calls it: ``iotwireless:GetWirelessDevice``."""
        return f"{self.service.iam_prefix}:{self.name}"

    @property
    def changes_state(self) -> bool:
        """Whether carrying it out twice may differ from once."""
        return not self.name.startswith(_READING)


class Service:
    """One service of the model. Operations are made when they are asked for."""

    def __init__(self, name: str, document: Mapping[str, Any]) -> None:
        """`document` is the service model as it stands in its file."""
        from botocore.model import ServiceModel

        model = ServiceModel(document, name)
        self.name = name
        self._model = model
        # botocore's shapes leave the trait out.
        self._faults = {key for key, raw in document["shapes"].items() if raw.get("fault")}
        self.signing_name: str = model.signing_name
        self.protocol: str = model.metadata["protocol"]
        """``rest-json``; ``json``: the operation in a header; ``query``: forms, answers in XML."""
        self.target_prefix: str = model.metadata.get("targetPrefix", "")
        self.xml_namespace: str = model.metadata.get("xmlNamespace", "")
        self.iam_prefix = _IAM_PREFIXES.get(name, name)
        self._operations: dict[str, Operation] = {}

    def __repr__(self) -> str:
        return f"Service({self.name})"

    @property
    def operation_names(self) -> list[str]:
        return list(self._model.operation_names)

    def operation(self, name: str) -> Operation:
        """KeyError if the service has none of that name."""
        if name not in self._operations:
            if name not in self._model.operation_names:
                raise KeyError(name)
            self._operations[name] = self._made(self._model.operation_model(name))
        return self._operations[name]

    def shape(self, name: str) -> Shape:
        return self._model.shape_for(name)

    @cached_property
    def errors(self) -> Mapping[str, ErrorShape]:
        """Of all operations, by code."""
        return self._by_code(self._model.error_shapes)

    @cached_property
    def message_member(self) -> str:
        """``Message``, or ``message`` where the service's errors have it in lower case."""
        shapes = [made.shape for made in self.errors.values()]
        return "message" if shapes and "message" in shapes[0].members else "Message"

    def _made(self, model: Any) -> Operation:
        output = model.output_shape
        return Operation(
            service=self,
            name=model.name,
            method=model.http["method"],
            uri=model.http["requestUri"],
            status=model.http.get("responseCode", 200),
            input=model.input_shape,
            output=output,
            errors=self._by_code(model.error_shapes),
            documentation=model.documentation or "",
            result_wrapper=output.serialization.get("resultWrapper") if output else None,
        )

    def _by_code(self, shapes: Iterable[Shape]) -> Mapping[str, ErrorShape]:
        return {made.code: made for made in map(self._error, shapes)}

    def _error(self, shape: Shape) -> ErrorShape:
        traits = shape.metadata.get("error", {})
        fallback = 500 if shape.name in self._faults else 400
        return ErrorShape(
            code=traits.get("code", shape.name),
            status=traits.get("httpStatusCode", fallback),
            shape=shape,
        )


@cache
def service(name: str) -> Service:
    """By botocore's name. Only models inside the installed botocore are read: a model that a user
    keeps for his own client must not change what the server does."""
    from botocore.loaders import Loader

    loader = Loader(
        extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False
    )
    return Service(name, loader.load_service_model(name, "service-2"))


def wire_name(member: str, shape: Shape) -> str:
    """What a member is called on the wire."""
    return str(shape.serialization.get("name", member))


def location(shape: Shape) -> str | None:
    """``uri``, ``querystring``, ``header`` or ``statusCode``; None: in the body."""
    place: str | None = shape.serialization.get("location")
    return place


def payload_member(shape: Shape) -> str | None:
    """The member that is the whole body, if one is."""
    name: str | None = shape.serialization.get("payload")
    return name


def is_box(shape: Shape) -> bool:
    """Whether it holds other shapes."""
    return shape.type_name in _BOXES
