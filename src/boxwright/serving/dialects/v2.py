"""The Open Inference Protocol V2 of KServe and Triton, in REST, with Triton's binary tensors.

The input is images of one size, UINT8 `[n, H, W, 3]`, or image files, BYTES `[n]`, which are base64
in JSON. The outputs are those of an exported model of the Object Detection API.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from boxwright import __version__
from boxwright.serving.dialects.bodies import (
    Reader,
    from_base64,
    images_of,
    json_object,
    kind_of,
    list_of,
    object_of,
    pixels_of,
    refuse_many,
    refuse_other_shape,
    shown,
    text_of,
)
from boxwright.serving.dialects.tensors import Tensors, numbers, shapes_of, tensors_of
from boxwright.serving.model import Model
from boxwright.serving.refusals import Refusal
from boxwright.serving.requests import request_id
from boxwright.serving.service import ServedImage, Service

LENGTH_OF_JSON = "Inference-Header-Content-Length"
SIZE, BINARY, ALL_BINARY = "binary_data_size", "binary_data", "binary_data_output"
PIXELS, FILES = "UINT8", "BYTES"
INPUT = "images"
PREFIX = 4  # bytes before an element of BYTES that state its length


def routes_of(service: Service) -> list[Route]:
    """`/v2`, its health, and `/v2/models/NAME`, with or without a version."""
    api = _Api(service)
    return [
        Route("/v2", api.server, methods=["GET"]),
        Route("/v2/health/live", api.live, methods=["GET"]),
        Route("/v2/health/ready", api.ready, methods=["GET"]),
    ] + [
        route
        for place in ("/v2/models/{name}/versions/{version:int}", "/v2/models/{name}")
        for route in (
            Route(place, api.metadata, methods=["GET"]),
            Route(f"{place}/ready", api.model_ready, methods=["GET"]),
            Route(f"{place}/infer", api.infer, methods=["POST"]),
        )
    ]


class _Api:
    def __init__(self, service: Service) -> None:
        self._service, self._reader = service, Reader()

    async def server(self, request: Request) -> Response:
        extensions = ["binary_tensor_data"]
        about = {"name": "boxwright", "version": __version__, "extensions": extensions}
        return JSONResponse(about)

    async def live(self, request: Request) -> Response:
        return JSONResponse({"live": True})

    async def ready(self, request: Request) -> Response:
        ready = self._service.ready
        return JSONResponse({"ready": ready}, 200 if ready else 503)

    async def model_ready(self, request: Request) -> Response:
        model = self._model(request)
        said = {"name": model.name, "ready": model.ready}
        return JSONResponse(said, 200 if model.ready else 503)

    async def metadata(self, request: Request) -> Response:
        model = self._model(request)
        shapes = shapes_of(model.artifact.max_detections)
        about = {
            "name": model.name,
            "versions": [str(model.version)],
            "platform": platform_of(model.kind),
            "inputs": [{"name": INPUT, "datatype": PIXELS, "shape": [-1, -1, -1, 3]}],
            "outputs": [
                {"name": name, "datatype": "FP32", "shape": shape} for name, shape in shapes.items()
            ],
            "parameters": {"classes": model.classes},
        }
        return JSONResponse(about)

    async def infer(self, request: Request) -> Response:
        model = self._model(request)
        length = request.headers.get(LENGTH_OF_JSON)
        asked = await self._reader.read(request_in, await request.body(), length)
        found = await self._service.detect(model.name, asked.images, request_id=request_id(request))
        about = {"model_name": model.name, "model_version": str(model.version)}
        if asked.id is not None:
            about["id"] = asked.id
        return _answer(about, tensors_of(found, model.artifact.max_detections), asked.outputs)

    def _model(self, request: Request) -> Model:
        return self._service.model(request.path_params["name"], request.path_params.get("version"))


def platform_of(kind: str) -> str:
    """The name of a platform for a kind of detector file."""
    words = re.sub(r"[^a-z0-9]+", "_", kind.lower()).strip("_")
    return f"boxwright_{words}"


@dataclass(frozen=True)
class Asked:
    """A request.

    Attributes:
        id: of the request, to be repeated in the answer.
        images: the content of its input.
        outputs: the tensors to send, and whether as binary data.
    """

    id: str | None
    images: list[ServedImage]
    outputs: dict[str, bool]


def request_in(content: bytes, length_of_json: str | None) -> Asked:
    """The request in a body. Raises Refusal 400."""
    text, binary = _split(content, length_of_json)
    body = json_object(text)
    inputs = list_of(body.get("inputs"), '"inputs"')
    if len(inputs) > 1:
        raise Refusal(400, f"There are {len(inputs)} inputs, but a detector has one.")
    name = body.get("id")
    return Asked(
        None if name is None else text_of(name, '"id"'),
        _images(object_of(inputs[0], "The input"), binary),
        _outputs(body.get("outputs"), _parameters(body).get(ALL_BINARY) is True),
    )


def _split(content: bytes, length_of_json: str | None) -> tuple[bytes, memoryview]:
    """The JSON of a body, and the binary data after it."""
    if length_of_json is None:
        return content, memoryview(b"")
    if not (length_of_json.isdecimal() and int(length_of_json[:12]) <= len(content)):
        raise Refusal(400, f"{LENGTH_OF_JSON} is not the length of the JSON in the body.")
    length = int(length_of_json[:12])
    return content[:length], memoryview(content)[length:]


def _images(tensor: Mapping[str, Any], binary: memoryview) -> list[ServedImage]:
    datatype, shape = tensor.get("datatype"), _shape(tensor.get("shape"))
    if datatype not in (PIXELS, FILES):
        said = shown(datatype) if isinstance(datatype, str) else kind_of(datatype)
        raise Refusal(400, f"The datatype of the input is {said}, not {PIXELS} or {FILES}.")
    size = _parameters(tensor).get(SIZE)
    if size is None and len(binary):
        raise Refusal(400, f'The input has no "{SIZE}", but there is binary data.')
    if size is not None and (type(size) is not int or size != len(binary)):
        raise Refusal(400, f'"{SIZE}" is not {len(binary)}, the number of bytes after the JSON.')
    if datatype == PIXELS:
        return list(_pixels(tensor, shape, None if size is None else binary))
    refuse_many(shape[0])
    if prod(shape) != shape[0]:
        raise Refusal(400, f"The shape of {FILES} is {_told(shape)}, not [n].")
    files: list[ServedImage] = [*(_values(tensor) if size is None else _elements(binary))]
    if len(files) != shape[0]:
        raise Refusal(400, f"There are {len(files)} files, but the shape is {_told(shape)}.")
    return files


def _pixels(
    tensor: Mapping[str, Any], shape: tuple[int, ...], binary: memoryview | None
) -> list[Any]:
    refuse_other_shape(shape, "The input")
    refuse_many(shape[0])
    if binary is None:
        pixels = pixels_of(tensor.get("data"), '"data"')
    else:
        pixels = np.frombuffer(binary, np.uint8)
    if pixels.size != prod(shape):
        raise Refusal(400, f"There are {pixels.size} numbers, but the shape is {_told(shape)}.")
    return images_of(pixels.reshape(shape), "The input")


def _values(tensor: Mapping[str, Any]) -> Iterator[bytes]:
    """The files of `data`, a list of base64 or one of such lists."""
    for each in list_of(tensor.get("data"), '"data"'):
        for value in each if isinstance(each, list) else [each]:
            yield from_base64(value, '"data"')


def _elements(binary: memoryview) -> Iterator[bytes]:
    """The elements of BYTES, each after its length."""
    start = 0
    while start < len(binary):
        first = start + PREFIX
        end = first + int.from_bytes(binary[start:first], "little")
        if end > len(binary):
            raise Refusal(400, f"The binary data of {FILES} ends before its last element.")
        yield bytes(binary[first:end])
        start = end


def _shape(value: Any) -> tuple[int, ...]:
    shape = list_of(value, '"shape"')
    if len(shape) > 4 or any(type(side) is not int or not 0 < side < 1 << 31 for side in shape):
        raise Refusal(400, f'"shape" is {shown(shape)}, not at most four sides from 1.')
    return tuple(shape)


def _told(shape: tuple[int, ...]) -> str:
    return str(list(shape))


def _parameters(value: Mapping[str, Any]) -> dict[str, Any]:
    return object_of(value.get("parameters", {}), '"parameters"')


def _outputs(value: Any, all_binary: bool) -> dict[str, bool]:
    """The tensors to send, in order, and whether as binary data."""
    known = shapes_of(0)
    if value is None or value == []:
        return dict.fromkeys(known, all_binary)
    outputs = {}
    for each in list_of(value, '"outputs"'):
        output = object_of(each, "An output")
        name = text_of(output.get("name"), "The name of an output")
        if name not in known:
            raise Refusal(400, f"There is no output {shown(name)!r}, only {', '.join(known)}.")
        outputs[name] = _parameters(output).get(BINARY, all_binary) is True
    return outputs


def _answer(about: Mapping[str, Any], tensors: Tensors, outputs: Mapping[str, bool]) -> Response:
    told, binary = [], b""
    for name, as_binary in outputs.items():
        tensor = tensors[name]
        output: dict[str, Any] = {"name": name, "datatype": "FP32", "shape": tensor.shape}
        if as_binary:
            content = tensor.astype("<f4").tobytes()
            output["parameters"] = {SIZE: len(content)}
            binary += content
        else:
            output["data"] = numbers(tensor.ravel())
        told.append(output)
    body = {**about, "outputs": told}
    if not binary:
        return JSONResponse(body)
    text = json.dumps(body).encode()
    headers = {LENGTH_OF_JSON: str(len(text))}
    return Response(text + binary, headers=headers, media_type="application/octet-stream")
