"""The REST protocol of TensorFlow Serving: `:predict`, status and metadata.

A model has the interface of an exported detector of the Object Detection API with one input, whose
name does not matter: files in base64, or pixels in nested lists.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from boxwright.serving.dialects.bodies import (
    Reader,
    from_base64,
    images_of,
    json_object,
    list_of,
    pixels_of,
    refuse_many,
    shown,
)
from boxwright.serving.dialects.tensors import numbers, shapes_of, tensors_of
from boxwright.serving.model import Model
from boxwright.serving.refusals import Refusal
from boxwright.serving.requests import request_id
from boxwright.serving.service import ServedImage, Service

ROWS, COLUMNS = "instances", "inputs"
SIGNATURE = "serving_default"
INPUT = "inputs"
BASE64 = "b64"


def routes_of(service: Service) -> list[Route]:
    """`/v1/models/NAME`, with or without a version."""
    api = _Api(service)
    return [
        route
        for place in ("/v1/models/{name}/versions/{version:int}", "/v1/models/{name}")
        for route in (
            Route(f"{place}:predict", api.predict, methods=["POST"]),
            Route(f"{place}/metadata", api.metadata, methods=["GET"]),
            Route(place, api.status, methods=["GET"]),
        )
    ]


class _Api:
    def __init__(self, service: Service) -> None:
        self._service, self._reader = service, Reader()

    async def predict(self, request: Request) -> Response:
        model = self._model(request)
        rows, images = await self._reader.read(images_in, await request.body())
        found = await self._service.detect(model.name, images, request_id=request_id(request))
        tensors = tensors_of(found, model.artifact.max_detections)
        outputs = {name: numbers(tensor) for name, tensor in tensors.items()}
        if not rows:
            return JSONResponse({"outputs": outputs})
        each = zip(*outputs.values(), strict=True)
        return JSONResponse({"predictions": [dict(zip(outputs, row, strict=True)) for row in each]})

    async def status(self, request: Request) -> Response:
        model = self._model(request)
        status = {
            "version": str(model.version),
            "state": "AVAILABLE" if model.ready else "LOADING",
            "status": {"error_code": "OK", "error_message": ""},
        }
        return JSONResponse({"model_version_status": [status]})

    async def metadata(self, request: Request) -> Response:
        model = self._model(request)
        about = {"name": model.name, "signature_name": "", "version": str(model.version)}
        rows = model.artifact.max_detections
        signature = {
            "inputs": {INPUT: _tensor(INPUT, "DT_UINT8", (-1, -1, -1, 3))},
            "outputs": {
                name: _tensor(name, "DT_FLOAT", shape) for name, shape in shapes_of(rows).items()
            },
            "method_name": "tensorflow/serving/predict",
        }
        signatures = {"signature_def": {SIGNATURE: signature}}
        return JSONResponse({"model_spec": about, "metadata": {"signature_def": signatures}})

    def _model(self, request: Request) -> Model:
        return self._service.model(request.path_params["name"], request.path_params.get("version"))


def images_in(content: bytes) -> tuple[bool, list[ServedImage]]:
    """Whether a body of `:predict` has rows, and its images. Raises Refusal 400."""
    body = json_object(content)
    signature = body.get("signature_name") or SIGNATURE
    if signature != SIGNATURE:
        raise Refusal(400, f"There is no signature {shown(signature)!r}, only {SIGNATURE!r}.")
    if (ROWS in body) == (COLUMNS in body):
        raise Refusal(400, f'The body needs "{ROWS}" or "{COLUMNS}", and not both.')
    if ROWS in body:
        values = [_value(each) for each in _some(body[ROWS], ROWS)]
        return True, [_image(each, ROWS) for each in values]
    return False, [_image(each, COLUMNS) for each in _some(_value(body[COLUMNS]), COLUMNS)]


def _some(value: Any, key: str) -> list[Any]:
    values = list_of(value, f'"{key}"')
    refuse_many(len(values))
    return values


def _value(given: Any) -> Any:
    """The value of the only input, with or without its name."""
    if isinstance(given, dict) and len(given) == 1 and BASE64 not in given:
        (value,) = given.values()
        return value
    return given


def _image(value: Any, key: str) -> ServedImage:
    if isinstance(value, dict) and value.keys() == {BASE64}:
        return from_base64(value[BASE64], f'"{BASE64}"')
    if isinstance(value, list):
        what = f'An image of "{key}"'
        (image,) = images_of(pixels_of([value], what), what)
        return image
    raise Refusal(400, f'"{key}" has an image that is neither {{"{BASE64}": ...}} nor pixels.')


def _tensor(name: str, dtype: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """A tensor of a signature, as the JSON of TensorFlow's `TensorInfo`."""
    sides = [{"size": str(side), "name": ""} for side in shape]
    return {
        "dtype": dtype,
        "tensor_shape": {"dim": sides, "unknown_rank": False},
        "name": f"{SIGNATURE}_{name}:0",
    }
