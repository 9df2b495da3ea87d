"""The operations that have a real effect on the store: one file for each kind of resource."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from bittern.api.front import Handler
from bittern.api.operations import (
    certificates,
    cloud_control,
    data_endpoint,
    destinations,
    device_profiles,
    device_test,
    devices,
    downlinks,
    endpoints,
    event_configurations,
    firmware,
    fuota_members,
    fuota_tasks,
    gateway_certificates,
    gateways,
    iot_data,
    iot_policies,
    iot_tags,
    log_levels,
    multicast_devices,
    multicast_groups,
    multicast_sessions,
    network_analyzer,
    policy_targets,
    resource_positions,
    rules,
    service_profiles,
    tags,
    thing_principals,
    things,
    wireless_things,
)
from bittern.api.operations.common import Operation
from bittern.api.operations.services import Endpoints, Notify, Services

__all__ = ["Endpoints", "Notify", "Services", "handlers"]

_IOTWIRELESS: Mapping[str, Operation] = {
    "CreateDestination": destinations.create,
    "GetDestination": destinations.get,
    "ListDestinations": destinations.list_,
    "UpdateDestination": destinations.update,
    "DeleteDestination": destinations.delete,
    "CreateDeviceProfile": device_profiles.create,
    "GetDeviceProfile": device_profiles.get,
    "ListDeviceProfiles": device_profiles.list_,
    "DeleteDeviceProfile": device_profiles.delete,
    "CreateServiceProfile": service_profiles.create,
    "GetServiceProfile": service_profiles.get,
    "ListServiceProfiles": service_profiles.list_,
    "DeleteServiceProfile": service_profiles.delete,
    "CreateWirelessDevice": devices.create,
    "GetWirelessDevice": devices.get,
    "ListWirelessDevices": devices.list_,
    "UpdateWirelessDevice": devices.update,
    "DeleteWirelessDevice": devices.delete,
    "GetWirelessDeviceStatistics": devices.statistics,
    "TestWirelessDevice": device_test.test,
    "SendDataToWirelessDevice": downlinks.send,
    "ListQueuedMessages": downlinks.list_,
    "DeleteQueuedMessages": downlinks.delete,
    "CreateWirelessGateway": gateways.create,
    "GetWirelessGateway": gateways.get,
    "ListWirelessGateways": gateways.list_,
    "UpdateWirelessGateway": gateways.update,
    "DeleteWirelessGateway": gateways.delete,
    "GetWirelessGatewayStatistics": gateways.statistics,
    "GetWirelessGatewayFirmwareInformation": gateways.firmware_information,
    "AssociateWirelessGatewayWithCertificate": gateway_certificates.associate,
    "DisassociateWirelessGatewayFromCertificate": gateway_certificates.disassociate,
    "GetWirelessGatewayCertificate": gateway_certificates.get,
    "CreateWirelessGatewayTaskDefinition": firmware.create_definition,
    "GetWirelessGatewayTaskDefinition": firmware.get_definition,
    "ListWirelessGatewayTaskDefinitions": firmware.list_definitions,
    "DeleteWirelessGatewayTaskDefinition": firmware.delete_definition,
    "CreateWirelessGatewayTask": firmware.create_task,
    "GetWirelessGatewayTask": firmware.get_task,
    "DeleteWirelessGatewayTask": firmware.delete_task,
    "AssociateWirelessDeviceWithThing": wireless_things.associate_device,
    "DisassociateWirelessDeviceFromThing": wireless_things.disassociate_device,
    "AssociateWirelessGatewayWithThing": wireless_things.associate_gateway,
    "DisassociateWirelessGatewayFromThing": wireless_things.disassociate_gateway,
    "GetServiceEndpoint": endpoints.get,
    "CreateMulticastGroup": multicast_groups.create,
    "GetMulticastGroup": multicast_groups.get,
    "ListMulticastGroups": multicast_groups.list_,
    "UpdateMulticastGroup": multicast_groups.update,
    "DeleteMulticastGroup": multicast_groups.delete,
    "AssociateWirelessDeviceWithMulticastGroup": multicast_devices.associate,
    "DisassociateWirelessDeviceFromMulticastGroup": multicast_devices.disassociate,
    "StartBulkAssociateWirelessDeviceWithMulticastGroup": multicast_devices.bulk_associate,
    "StartBulkDisassociateWirelessDeviceFromMulticastGroup": multicast_devices.bulk_disassociate,
    "StartMulticastGroupSession": multicast_sessions.start,
    "GetMulticastGroupSession": multicast_sessions.get,
    "CancelMulticastGroupSession": multicast_sessions.cancel,
    "SendDataToMulticastGroup": multicast_sessions.send,
    "CreateFuotaTask": fuota_tasks.create,
    "GetFuotaTask": fuota_tasks.get,
    "ListFuotaTasks": fuota_tasks.list_,
    "UpdateFuotaTask": fuota_tasks.update,
    "DeleteFuotaTask": fuota_tasks.delete,
    "StartFuotaTask": fuota_tasks.start,
    "AssociateWirelessDeviceWithFuotaTask": fuota_members.associate_device,
    "DisassociateWirelessDeviceFromFuotaTask": fuota_members.disassociate_device,
    "AssociateMulticastGroupWithFuotaTask": fuota_members.associate_group,
    "DisassociateMulticastGroupFromFuotaTask": fuota_members.disassociate_group,
    "ListMulticastGroupsByFuotaTask": fuota_members.list_groups,
    "CreateNetworkAnalyzerConfiguration": network_analyzer.create,
    "GetNetworkAnalyzerConfiguration": network_analyzer.get,
    "ListNetworkAnalyzerConfigurations": network_analyzer.list_,
    "UpdateNetworkAnalyzerConfiguration": network_analyzer.update,
    "DeleteNetworkAnalyzerConfiguration": network_analyzer.delete,
    "GetResourcePosition": resource_positions.get,
    "UpdateResourcePosition": resource_positions.update,
    "GetLogLevelsByResourceTypes": log_levels.get_default,
    "UpdateLogLevelsByResourceTypes": log_levels.update_default,
    "GetResourceLogLevel": log_levels.get,
    "PutResourceLogLevel": log_levels.put,
    "ResetResourceLogLevel": log_levels.reset,
    "ResetAllResourceLogLevels": log_levels.reset_all,
    "GetEventConfigurationByResourceTypes": event_configurations.get_of_all,
    "UpdateEventConfigurationByResourceTypes": event_configurations.update_of_all,
    "GetResourceEventConfiguration": event_configurations.get,
    "UpdateResourceEventConfiguration": event_configurations.update,
    "ListEventConfigurations": event_configurations.list_,
    "TagResource": tags.tag,
    "UntagResource": tags.untag,
    "ListTagsForResource": tags.list_,
}


_CLOUD_CONTROL = cloud_control.operations(_IOTWIRELESS)

_IOT: Mapping[str, Operation] = {
    "DescribeEndpoint": data_endpoint.describe,
    "CreateKeysAndCertificate": certificates.create_with_keys,
    "CreateCertificateFromCsr": certificates.create_from_request,
    "RegisterCertificateWithoutCA": certificates.register,
    "DescribeCertificate": certificates.describe,
    "ListCertificates": certificates.list_,
    "UpdateCertificate": certificates.update,
    "DeleteCertificate": certificates.delete,
    "CreateThing": things.create,
    "DescribeThing": things.describe,
    "ListThings": things.list_,
    "UpdateThing": things.update,
    "DeleteThing": things.delete,
    "AttachThingPrincipal": thing_principals.attach,
    "DetachThingPrincipal": thing_principals.detach,
    "ListThingPrincipals": thing_principals.list_principals,
    "ListThingPrincipalsV2": thing_principals.list_principals_v2,
    "ListPrincipalThings": thing_principals.list_things,
    "ListPrincipalThingsV2": thing_principals.list_things_v2,
    "CreatePolicy": iot_policies.create,
    "GetPolicy": iot_policies.get,
    "ListPolicies": iot_policies.list_,
    "DeletePolicy": iot_policies.delete,
    "CreatePolicyVersion": iot_policies.create_version,
    "GetPolicyVersion": iot_policies.get_version,
    "ListPolicyVersions": iot_policies.list_versions,
    "DeletePolicyVersion": iot_policies.delete_version,
    "SetDefaultPolicyVersion": iot_policies.set_default,
    "AttachPolicy": policy_targets.attach,
    "DetachPolicy": policy_targets.detach,
    "ListAttachedPolicies": policy_targets.list_attached,
    "ListTargetsForPolicy": policy_targets.list_targets,
    "AttachPrincipalPolicy": policy_targets.attach_principal,
    "DetachPrincipalPolicy": policy_targets.detach_principal,
    "ListPrincipalPolicies": policy_targets.list_principal_policies,
    "ListPolicyPrincipals": policy_targets.list_policy_principals,
    "CreateTopicRule": rules.create,
    "GetTopicRule": rules.get,
    "ListTopicRules": rules.list_,
    "ReplaceTopicRule": rules.replace,
    "EnableTopicRule": rules.enable,
    "DisableTopicRule": rules.disable,
    "DeleteTopicRule": rules.delete,
    "TagResource": iot_tags.tag,
    "UntagResource": iot_tags.untag,
    "ListTagsForResource": iot_tags.list_,
}


_IOT_DATA: Mapping[str, Operation] = {
    "Publish": iot_data.publish,
    "GetRetainedMessage": iot_data.get_retained,
    "ListRetainedMessages": iot_data.list_retained,
}


def offered() -> Mapping[tuple[str, str], Operation]:
    """By service and operation, as botocore names them."""
    services = {
        "iotwireless": _IOTWIRELESS,
        "cloudcontrol": _CLOUD_CONTROL,
        "iot": _IOT,
        "iot-data": _IOT_DATA,
    }
    return {
        (service, name): operation
        for service, operations in services.items()
        for name, operation in operations.items()
    }


def handlers(services: Services) -> Mapping[tuple[str, str], Handler]:
    """What `Front` answers by."""
    return {name: partial(operation, services) for name, operation in offered().items()}
