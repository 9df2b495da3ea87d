"""AWS's Cloud Control API over the operations of ``iotwireless``.

Terraform's provider ``awscc`` and Pulumi's ``aws-native`` speak it.

`types` describes the kinds of resource, `properties` turns the properties of one into parameters of
operations and back, `underlying` carries those out as the caller, `resources` makes, reads, changes
and removes one, `memory` keeps in which words it was asked for, `patching` is RFC 6902, and
`requests` keeps what became of each request.
"""
