from __future__ import annotations

from typing import Any

from bittern.api.model import Service
from bittern.api.reference.schemas import Schemas

MODEL = {
    "metadata": {"protocol": "rest-json", "signingName": "x", "endpointPrefix": "x"},
    "operations": {},
    "shapes": {
        "Tree": {
            "type": "structure",
            "required": ["Name"],
            "members": {
                "Name": {"shape": "Name"},
                "Leaves": {"shape": "Leaves"},
                "Kind": {"shape": "Kind", "locationName": "kind"},
                "Sizes": {"shape": "Sizes"},
                "At": {"shape": "At"},
                "When": {"shape": "When"},
                "Data": {"shape": "Data"},
                "Alive": {"shape": "Alive"},
                "Where": {"shape": "Name", "location": "header", "locationName": "X-Where"},
            },
        },
        "Name": {"type": "string", "min": 1, "max": 9, "pattern": "[a-z]+"},
        "Leaves": {"type": "list", "member": {"shape": "Tree"}, "max": 3},
        "Kind": {"type": "string", "enum": ["oak", "elm"]},
        "Sizes": {"type": "map", "key": {"shape": "Name"}, "value": {"shape": "Size"}},
        "Size": {"type": "integer", "min": 0},
        "At": {"type": "timestamp"},
        "When": {"type": "timestamp", "timestampFormat": "iso8601"},
        "Data": {"type": "blob"},
        "Alive": {"type": "boolean"},
        "One": {
            "type": "structure",
            "union": True,
            "members": {"A": {"shape": "Name"}, "B": {"shape": "Size"}},
        },
        "Raw": {
            "type": "structure",
            "payload": "Data",
            "members": {"Data": {"shape": "Data"}, "Name": {"shape": "Name", "location": "uri"}},
        },
        "OnlyPath": {
            "type": "structure",
            "members": {"Name": {"shape": "Name", "location": "uri"}},
        },
    },
}


def shape(name: str) -> Any:
    return Service("x", MODEL).shape(name)


def test_a_structure_that_holds_itself_is_named() -> None:
    schemas = Schemas()
    assert schemas.of(shape("Tree")) == {"$ref": "#/components/schemas/Tree"}
    made = schemas.kept["Tree"]["properties"]
    assert made["Leaves"] == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/Tree"},
        "maxItems": 3,
    }
    assert schemas.kept["Tree"]["required"] == ["Name"]


def test_every_kind_of_shape_has_its_schema() -> None:
    schemas = Schemas("iso8601")
    schemas.of(shape("Tree"))
    made = schemas.kept["Tree"]["properties"]
    assert made["Name"] == {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "[a-z]+"}
    assert made["kind"] == {"type": "string", "enum": ["oak", "elm"]}
    assert made["Sizes"]["additionalProperties"]["minimum"] == 0
    assert made["At"]["format"] == made["When"]["format"] == "date-time"
    assert made["Data"] == {"type": "string", "contentEncoding": "base64"}
    assert made["Alive"] == {"type": "boolean"}
    assert Schemas().of(shape("At"))["type"] == "number"


def test_a_union_has_one_of_its_members() -> None:
    schemas = Schemas()
    schemas.of(shape("One"))
    assert (schemas.kept["One"]["minProperties"], schemas.kept["One"]["maxProperties"]) == (1, 1)


def test_the_body_is_what_stands_nowhere_else() -> None:
    schemas = Schemas()
    body = schemas.body(shape("Tree"))
    assert body is not None
    assert "X-Where" not in body["properties"]
    assert schemas.body(shape("Raw")) == {"type": "string", "contentEncoding": "base64"}
    assert schemas.body(shape("OnlyPath")) is None
