"""The description of all addresses in OpenAPI 3.1, whose schemas are JSON Schema 2020-12."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus

from boxwright import __version__
from boxwright.serving.dialects import v2
from boxwright.serving.schemas import FRACTION, SCHEMAS, Json

AS_JSON = "application/json"
BINARY = "application/octet-stream"
PARAMETERS: Mapping[str, Json] = {  # in paths
    "name": {"type": "string"},
    "version": {"type": "integer", "minimum": 1},
}
ALWAYS = (401, 403)  # what may be answered to any request
NAMING = (404, 503)
DETECTING = (400, 404, 413, 415, 429, 500, 503, 504)
VERSIONED = "/versions/{version}"


def description() -> Json:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Boxwright",
            "version": __version__,
            "description": "Object detectors. Boxes of `/detect` are xmin, ymin, xmax, ymax in "
            "pixels of the upright image; those of the other protocols are as in these.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{}, {"token": []}],
        "paths": {
            path: {
                method: {**operation, "parameters": [*_in_path(path), *operation["parameters"]]}
                for method, operation in operations.items()
            }
            for path, operations in {**_own(), **_tf_serving(), **_v2(), **_label_studio()}.items()
        },
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _own() -> dict[str, Json]:
    image = {"content": {"image/*": {}, BINARY: {}}, "required": True}
    query = [
        _in_query("model", "of several", {"type": "string"}),
        _in_query("score", "the least; by default the detector's own", FRACTION),
        _in_query("classes", "names, separated by commas", {"type": "string"}),
    ]
    found = _answer("Detections", "The detections, or the image with them drawn")
    found["content"]["image/jpeg"] = {}
    file = {"description": "A file of the page", "content": {"*/*": {}}}
    page = _operation("A page where one drops an image", file)
    files = _operation("A file of this page", file, refusals=(404,))
    return {
        "/": {"get": page},
        "/page/{name}": {"get": files},
        "/web/page/{name}": {"get": files},
        "/openapi.json": {"get": _operation("This document", _answer({}, "OpenAPI 3.1"))},
        "/detect": {
            "post": _operation(
                "Detect in an image file",
                found,
                body=image,
                parameters=query,
                refusals=DETECTING,
            )
        },
        "/models": {"get": _operation("The detectors", _answer("Models", "Each with its classes"))},
        "/healthz": {
            "get": _operation("Whether the server is ready", _answer({}, "It is"), refusals=(503,))
        },
        "/metrics": {
            "get": _operation(
                "Numbers for Prometheus",
                {"description": "In its text format", "content": {"text/plain": {}}},
            )
        },
    }


def _tf_serving() -> dict[str, Json]:
    predict = _operation(
        "Detect in images, as TensorFlow Serving",
        _answer("Predicted", "By rows or by columns, as was asked"),
        body=_body("Predict"),
        refusals=DETECTING,
    )
    status = _operation("The state of a model", _answer("Status", "Each version"), refusals=NAMING)
    about = _operation(
        "Its inputs and outputs", _answer("Metadata", "A signature"), refusals=NAMING
    )
    return {
        f"/v1/models/{{name}}{version}{suffix}": operations
        for version in ("", VERSIONED)
        for suffix, operations in {
            ":predict": {"post": predict},
            "/metadata": {"get": about},
            "": {"get": status},
        }.items()
    }


def _v2() -> dict[str, Json]:
    body, found = _body("InferenceRequest"), _answer("InferenceResponse", "All tensors")
    body["content"][BINARY] = found["content"][BINARY] = {
        "schema": {"description": "The JSON, and after it the binary data of its tensors"}
    }
    length = {
        "name": v2.LENGTH_OF_JSON,
        "in": "header",
        "description": "bytes of JSON before binary data",
        "schema": {"type": "integer"},
    }
    infer = _operation(
        "Detect in images, as KServe and Triton",
        found,
        body=body,
        parameters=[length],
        refusals=DETECTING,
    )
    ready = _operation("Whether it is ready", _answer({}, "It is"), refusals=NAMING)
    about = _operation("Its tensors", _answer("ModelMetadata", "All of them"), refusals=NAMING)
    health = {"type": "object", "additionalProperties": {"type": "boolean"}}
    return {
        "/v2": {"get": _operation("The server", _answer("ServerMetadata", "Its extensions"))},
        "/v2/health/live": {
            "get": _operation("Whether the server is there", _answer(health, "It is"))
        },
        "/v2/health/ready": {
            "get": _operation(
                "Whether all models are ready", _answer(health, "They are"), refusals=(503,)
            )
        },
        **{
            f"/v2/models/{{name}}{version}{suffix}": operations
            for version in ("", VERSIONED)
            for suffix, operations in {
                "": {"get": about},
                "/ready": {"get": ready},
                "/infer": {"post": infer},
            }.items()
        },
    }


def _label_studio() -> dict[str, Json]:
    health = _operation("Whether it is ready", _answer({}, "It is"), refusals=(400, *NAMING))
    setup = _operation(
        "Whether a project has labels of the detector, as a backend of Label Studio",
        _answer("Setup", "It has"),
        body=_body("SetupRequest"),
        refusals=DETECTING,
    )
    predict = _operation(
        "Boxes for tasks, as a backend of Label Studio",
        _answer("Proposals", "For each task"),
        body=_body("Tasks"),
        refusals=DETECTING,
    )
    return {
        f"{place}/{suffix}": operations
        for place in ("", "/label-studio/{name}")
        for suffix, operations in {
            "health": {"get": health},
            "setup": {"post": setup},
            "predict": {"post": predict},
        }.items()
    }


def _operation(
    summary: str,
    answer: Json,
    *,
    body: Json | None = None,
    parameters: list[Json] | None = None,
    refusals: tuple[int, ...] = (),
) -> Json:
    refused = {
        str(status): {"description": HTTPStatus(status).phrase, "content": _content("Refusal")}
        for status in sorted({*ALWAYS, *refusals})
    }
    return {
        "summary": summary,
        "parameters": parameters or [],
        **({"requestBody": body} if body else {}),
        "responses": {"200": answer, **refused},
    }


def _answer(schema: str | Json, what: str) -> Json:
    return {"description": what, "content": _content(schema)}


def _body(schema: str) -> Json:
    return {"content": _content(schema), "required": True}


def _content(schema: str | Json) -> Json:
    """JSON of a schema, or of the named one."""
    return {AS_JSON: {"schema": _ref(schema) if isinstance(schema, str) else schema}}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _in_path(path: str) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": PARAMETERS[name]}
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _in_query(name: str, what: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": what, "schema": schema}
