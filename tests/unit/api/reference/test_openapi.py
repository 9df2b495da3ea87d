from __future__ import annotations

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from bittern.api.model import service
from bittern.api.operations import offered
from bittern.api.reference.openapi import openapi, path_of

SERVICES = sorted({name for name, _ in offered()})
URL = "https://example.com"


def operations_of(name: str) -> list[str]:
    return sorted(operation for of, operation in offered() if of == name)


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_offered_is_described_and_the_description_is_valid(name: str) -> None:
    found = openapi(name, operations_of(name), version="1.2.3", url=URL)
    OpenAPIV31SpecValidator(found).validate()
    described = [
        operation["operationId"] for path in found["paths"].values() for operation in path.values()
    ]
    assert sorted(described) == operations_of(name)
    assert found["servers"] == [{"url": URL}]


def test_an_operation_has_its_parameters_its_body_and_its_errors() -> None:
    found = openapi("iotwireless", ["UpdateDestination", "TagResource"], version="1", url=URL)
    update = found["paths"]["/destinations/{Name}"]["patch"]
    assert [one["name"] for one in update["parameters"]] == ["Name"]
    body = update["requestBody"]["content"]["application/json"]["schema"]
    assert "Expression" in body["properties"]
    assert "Name" not in body["properties"]
    assert set(update["responses"]) == {"204", "400", "403", "404", "429", "500"}
    tag = found["paths"]["/tags"]["post"]
    assert tag["parameters"][0]["in"] == "query"
    assert tag["parameters"][0]["required"]
    assert tag["responses"]["400"]["description"].count(" or ") == 1


def test_operations_of_other_protocols_have_a_path_each() -> None:
    it = service("sts")
    assert path_of(it.operation("GetCallerIdentity")) == "/#GetCallerIdentity"
    labelled = service("iot").operation("ListPrincipalThings")
    assert "?" not in path_of(labelled)
