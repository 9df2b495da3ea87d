"""The types of resources, by CloudFormation's names, and what is particular to each.

Most of a type follows from the models of its operations: what ``CreateX`` takes can be set, what
``UpdateX`` takes can change, what only ``GetX`` tells is read-only. The tables here hold the rest:
names that differ, properties that stand for operations of their own, members that are no property.
CloudFormation's schemas know fewer properties than the API; those that only the API has are offered
too (``LoRaWAN.MaxEirp`` of a gateway), since a client that does not know them ignores them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from bittern.api.errors import ApiError
from bittern.api.model import Operation, Shape, location, service

Model: TypeAlias = dict[str, Any]
"""The properties of one resource, as JSON has them."""

_ACTIVATIONS = {
    "OtaaV10x": "OtaaV1_0_x",
    "OtaaV11": "OtaaV1_1",
    "AbpV10x": "AbpV1_0_x",
    "AbpV11": "AbpV1_1",
}
_NO_PROPERTIES = frozenset({"ClientRequestToken", "Sidewalk", "CreatedAt"})
"""Members of operations that no type has as a property."""


@dataclass(frozen=True, slots=True)
class Link:
    """A property that is the other end of an association."""

    property: str
    associate: str
    """The operation; `member` of its input takes the property's value."""
    member: str
    disassociate: str = ""
    """What ends it when the property goes. Empty: nothing does, the property is an order."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ResourceType:
    """One type of resources. `kind` is the word in the names of its operations and ARNs."""

    name: str
    kind: str
    identifier: str = "Id"
    """The property that is its primary identifier."""
    spelled: Mapping[str, str] = field(default_factory=dict)
    """Members by the properties that are spelled otherwise, wherever they stand."""
    constant: Mapping[str, str] = field(default_factory=dict)
    """Properties that every resource of the type has alike."""
    links: tuple[Link, ...] = ()
    outside: frozenset[str] = frozenset()
    """Members of ``LoRaWAN`` that ``UpdateX`` takes beside it."""
    by_difference: frozenset[str] = frozenset()
    """Lists of which ``UpdateX`` takes what to add and what to remove."""

    @cached_property
    def create(self) -> Operation:
        return self._operation("Create")

    @cached_property
    def get(self) -> Operation:
        return self._operation("Get")

    @cached_property
    def update(self) -> Operation | None:
        """None: but for its tags, a resource never changes."""
        try:
            return self._operation("Update")
        except KeyError:
            return None

    @cached_property
    def delete(self) -> Operation:
        return self._operation("Delete")

    @cached_property
    def list(self) -> Operation:
        return self._operation("List", "s")

    @cached_property
    def listed(self) -> str:
        """The member of ``ListXs`` that has the resources."""
        assert self.list.output is not None
        members = self.list.output.members.items()
        found: str = next(name for name, shape in members if shape.type_name == "list")
        return found

    def addressed(self, operation: Operation, identifier: str) -> dict[str, str]:
        """The parameters by which an operation finds a resource."""
        assert operation.input is not None
        members = operation.input.members
        label = next(name for name, shape in members.items() if location(shape) == "uri")
        found = {label: identifier}
        if "IdentifierType" in members:
            found["IdentifierType"] = f"{self.kind}Id"
        return found

    @cached_property
    def orders(self) -> frozenset[str]:
        """Properties that no operation tells: they are what was asked for last."""
        return frozenset(link.property for link in self.links if not link.disassociate)

    @cached_property
    def settable(self) -> Mapping[str, Shape]:
        """What ``CreateX`` takes, by property."""
        return self.properties_of(self.create.input)

    @cached_property
    def changeable(self) -> Mapping[str, Shape]:
        """What ``UpdateX`` takes, by property; what is `outside` stands under ``LoRaWAN``."""
        found = self.properties_of(self.update.input) if self.update is not None else {}
        return {name: shape for name, shape in found.items() if location(shape) is None}

    @cached_property
    def read_only(self) -> frozenset[tuple[str, ...]]:
        """Paths of what ``GetX`` tells and ``CreateX`` does not take."""
        told, own = self.properties_of(self.get.output), {link.property for link in self.links}
        top = {(name,) for name in {self.identifier, *told} - self.settable.keys() - own}
        if "LoRaWAN" not in told or "LoRaWAN" not in self.settable:
            return frozenset(top)
        inside = (self.properties_of(each["LoRaWAN"]) for each in (told, self.settable))
        more, given = (each.keys() for each in inside)
        return frozenset(top | {("LoRaWAN", name) for name in more - given})

    def properties_of(self, shape: Shape | None) -> dict[str, Shape]:
        """The members of a structure, by property."""
        back = {member: name for name, member in self.spelled.items()}
        members = shape.members.items() if shape is not None else ()
        return {back.get(name, name): one for name, one in members if name not in _NO_PROPERTIES}

    def _operation(self, verb: str, ending: str = "") -> Operation:
        return service("iotwireless").operation(f"{verb}{self.kind}{ending}")


def _thing(kind: str) -> Link:
    return Link(
        "ThingArn",
        f"Associate{kind}WithThing",
        "ThingArn",
        disassociate=f"Disassociate{kind}FromThing",
    )


def _members(whole: str) -> tuple[Link, ...]:
    """Of a group or an update: one device to take in, and one to let go."""
    return (
        Link(
            "DisassociateWirelessDevice",
            f"DisassociateWirelessDeviceFrom{whole}",
            "WirelessDeviceId",
        ),
        Link("AssociateWirelessDevice", f"AssociateWirelessDeviceWith{whole}", "WirelessDeviceId"),
    )


TYPES = (
    ResourceType(name="AWS::IoTWireless::Destination", kind="Destination", identifier="Name"),
    ResourceType(name="AWS::IoTWireless::DeviceProfile", kind="DeviceProfile"),
    ResourceType(name="AWS::IoTWireless::ServiceProfile", kind="ServiceProfile"),
    ResourceType(
        name="AWS::IoTWireless::WirelessDevice",
        kind="WirelessDevice",
        spelled=_ACTIVATIONS,
        links=(_thing("WirelessDevice"),),
    ),
    ResourceType(
        name="AWS::IoTWireless::WirelessGateway",
        kind="WirelessGateway",
        links=(_thing("WirelessGateway"),),
        outside=frozenset({"JoinEuiFilters", "NetIdFilters", "MaxEirp"}),
    ),
    ResourceType(
        name="AWS::IoTWireless::TaskDefinition",
        kind="WirelessGatewayTaskDefinition",
        constant={"TaskDefinitionType": "UPDATE"},
    ),
    ResourceType(
        name="AWS::IoTWireless::MulticastGroup",
        kind="MulticastGroup",
        links=_members("MulticastGroup"),
    ),
    ResourceType(
        name="AWS::IoTWireless::FuotaTask",
        kind="FuotaTask",
        spelled={"FuotaTaskStatus": "Status"},
        links=(
            *_members("FuotaTask"),
            Link(
                "DisassociateMulticastGroup",
                "DisassociateMulticastGroupFromFuotaTask",
                "MulticastGroupId",
            ),
            Link(
                "AssociateMulticastGroup",
                "AssociateMulticastGroupWithFuotaTask",
                "MulticastGroupId",
            ),
        ),
    ),
    ResourceType(
        name="AWS::IoTWireless::NetworkAnalyzerConfiguration",
        kind="NetworkAnalyzerConfiguration",
        identifier="Name",
        by_difference=frozenset({"WirelessDevices", "WirelessGateways", "MulticastGroups"}),
    ),
)
_BY_NAME = {one.name: one for one in TYPES}
_OF_SIDEWALK = frozenset(
    {"AWS::IoTWireless::PartnerAccount", "AWS::IoTWireless::WirelessDeviceImportTask"}
)


def resource_type(name: str) -> ResourceType:
    """ApiError for one that is not known."""
    if name in _OF_SIDEWALK:
        raise ApiError(
            "UnsupportedActionException",
            f"{name} is of Amazon Sidewalk, which is not offered by this server",
        )
    found = _BY_NAME.get(name)
    if found is None:
        raise ApiError("TypeNotFoundException", f"Type {name} is not known to this server")
    return found
