"""/openapi.json describes all addresses, and what they answer."""

from __future__ import annotations

import base64
import re
from secrets import token_hex
from typing import Any

import pytest
from image_host import CONFIG, asked
from jsonschema import Draft202012Validator
from red_server import Client, png, serving

from boxwright.serving.dialects.registry import DIALECTS

FILE = {"b64": base64.b64encode(png()).decode()}
V2 = {"inputs": [{"name": "x", "shape": [1], "datatype": "BYTES", "data": [FILE["b64"]]}]}


@pytest.fixture(scope="module")
def document(client: Client) -> Any:
    return client.get("/openapi.json").json


def test_it_has_exactly_the_routes_of_the_server(document: Any, client: Client) -> None:
    routes = {
        (re.sub(r":\w+\}", "}", route.path), method.lower())
        for routes_of in DIALECTS
        for route in routes_of(client.server.service)
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {(path, method) for path, about in document["paths"].items() for method in about}
    assert described == routes


def test_each_operation_names_the_parameters_of_its_path(document: Any) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            named = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path)), path
            assert operation["summary"]
            assert "200" in operation["responses"]


def test_each_schema_is_one_and_is_used(document: Any) -> None:
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    used = set(re.findall(r"'#/components/schemas/(\w+)'", str(document)))
    assert used == schemas.keys()


def validator(document: Any, content: Any) -> Draft202012Validator:
    schema = content["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": document["components"]})


@pytest.mark.parametrize(
    ("method", "path", "address", "body"),
    [
        ("post", "/detect", "/detect?score=0", png()),
        ("get", "/models", "/models", None),
        ("get", "/healthz", "/healthz", None),
        ("post", "/v1/models/{name}:predict", "/v1/models/colors:predict", {"instances": [FILE]}),
        (
            "post",
            "/v1/models/{name}:predict",
            "/v1/models/colors:predict",
            {"inputs": {"x": [FILE]}},
        ),
        ("get", "/v1/models/{name}", "/v1/models/colors", None),
        ("get", "/v1/models/{name}/metadata", "/v1/models/colors/metadata", None),
        ("get", "/v2", "/v2", None),
        ("get", "/v2/health/ready", "/v2/health/ready", None),
        ("get", "/v2/models/{name}", "/v2/models/colors", None),
        ("post", "/v2/models/{name}/infer", "/v2/models/colors/infer", V2),
        ("post", "/setup", "/setup", {"schema": CONFIG, "project": "1.1"}),
    ],
)
def test_bodies_and_answers_are_as_described(
    method: str, path: str, address: str, body: Any, document: Any, client: Client
) -> None:
    operation = document["paths"][path][method]
    if isinstance(body, dict):
        validator(document, operation["requestBody"]["content"]).validate(body)
    answer = client.ask(method.upper(), address, body)
    assert answer.status == 200, answer.body
    validator(document, operation["responses"]["200"]["content"]).validate(answer.json)


@pytest.mark.parametrize(
    ("method", "path", "address", "body", "status"),
    [
        ("post", "/detect", "/detect", b"", 400),
        ("post", "/v1/models/{name}:predict", "/v1/models/colors:predict", {}, 400),
        ("get", "/v1/models/{name}", "/v1/models/half", None, 404),
        ("post", "/v2/models/{name}/infer", "/v2/models/colors/infer", {}, 400),
        ("post", "/predict", "/predict", asked("/a.png"), 400),
    ],
)
def test_refusals_are_as_described(
    method: str, path: str, address: str, body: Any, status: int, document: Any, client: Client
) -> None:
    answer = client.ask(method.upper(), address, body)
    assert answer.status == status
    described = document["paths"][path][method]["responses"][str(status)]
    validator(document, described["content"]).validate(answer.json)


def test_with_a_token_all_but_the_probes_ask_for_it(document: Any) -> None:
    with serving(token=token_hex()) as client:
        for path, operations in document["paths"].items():
            address = path.format(name="colors", version=1)
            for method in operations:
                status = client.ask(method.upper(), address).status
                probe = address in {"/healthz", "/v2/health/live", "/v2/health/ready"}
                assert status == (200 if probe else 401), path
