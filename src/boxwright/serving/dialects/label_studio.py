"""The protocol of Label Studio's machine learning backends: it proposes boxes for tasks.

A request has tasks and the labeling configuration, so that nothing is remembered between two. Only
`Settings.label_studio_url` names where images are, never a request.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, ParseError

from anyio import to_thread
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from boxwright.serving.dialects.bodies import (
    Reader,
    json_object,
    list_of,
    object_of,
    refuse_many,
    shown,
    text_of,
)
from boxwright.serving.model import Model
from boxwright.serving.origin import Origin
from boxwright.serving.refusals import Refusal
from boxwright.serving.requests import request_id
from boxwright.serving.service import Service
from boxwright.structures.detections import Detections

VARIABLE = "LABEL_STUDIO_API_KEY"  # with the token of a user, as for its own SDK
DECIMALS = 4  # of scores and percent
PREFIXES = ("/label-studio/{name}", "")  # of one of several models, or of the only one


def routes_of(service: Service) -> list[Route]:
    """`/health`, `/setup` and `/predict`, also below `/label-studio/NAME`."""
    api = _Api(service)
    return [
        route
        for prefix in PREFIXES
        for route in (
            Route(f"{prefix}/health", api.health, methods=["GET"]),
            Route(f"{prefix}/setup", api.setup, methods=["POST"]),
            Route(f"{prefix}/predict", api.predict, methods=["POST"]),
        )
    ]


class _Api:
    def __init__(self, service: Service) -> None:
        self._service, self._reader = service, Reader()
        self._limits = service.settings
        url = self._limits.label_studio_url
        self._origin = Origin(url, os.environ.get(VARIABLE)) if url else None

    async def health(self, request: Request) -> Response:
        model = self._model(request)
        return JSONResponse({"status": "UP", "model_class": model.loaded.kind})

    async def setup(self, request: Request) -> Response:
        model = self._model(request)
        body = await self._reader.read(json_object, await request.body())
        control_in(body.get("schema"), model.classes)
        return JSONResponse({"model_version": _version(model)})

    async def predict(self, request: Request) -> Response:
        model = self._model(request)
        body = await self._reader.read(json_object, await request.body())
        control = control_in(body.get("label_config"), model.classes)
        tasks = list_of(body.get("tasks"), '"tasks"')
        refuse_many(len(tasks))
        results = []
        for task in tasks:
            data = object_of(object_of(task, "A task").get("data"), 'The "data" of a task')
            content = await self._fetched(text_of(data.get(control.field), f'"{control.field}"'))
            (found,) = await self._service.detect(
                model.name, [content], request_id=request_id(request)
            )
            results.append(_prediction(model.kept(found), control, _version(model)))
        return JSONResponse({"results": results, "model_version": _version(model)})

    async def _fetched(self, address: str) -> bytes:
        if self._origin is None:
            raise Refusal(
                400, "Start the server with --label-studio-url, the address of Label Studio."
            )
        return await to_thread.run_sync(
            self._origin.fetch, address, self._limits.max_bytes, self._limits.timeout
        )

    def _model(self, request: Request) -> Model:
        return self._service.model(request.path_params.get("name"))


class Control(NamedTuple):
    """How a project labels boxes.

    Attributes:
        name, image: of its `RectangleLabels`, and of the `Image` that they are for.
        field: of a task's data, where the address of the image is.
        labels: the classes of the detector that the project has.
    """

    name: str
    image: str
    field: str
    labels: frozenset[str]


def control_in(config: Any, classes: tuple[str, ...]) -> Control:
    """How a labeling configuration labels boxes of these classes. Raises Refusal 400."""
    try:
        tree = fromstring(text_of(config, "The labeling configuration"))
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise Refusal(400, f"The labeling configuration cannot be read: {shown(error)}.") from error
    fields = {tag.get("name"): _field(tag) for tag in tree.iter("Image")}
    for tag in tree.iter("RectangleLabels"):
        name, image = tag.get("name"), tag.get("toName")
        if name and image and (field := fields.get(image)):
            known = {label.get("value") for label in tag.iter("Label")}
            labels = frozenset(known.intersection(classes))
            if not labels:
                asked = ", ".join(classes)
                raise Refusal(400, f"{name} has no label of the detector, which knows {asked}.")
            return Control(name, image, field, labels)
    raise Refusal(400, "The labeling configuration has no RectangleLabels for an Image.")


def _field(image: Element) -> str:
    """The field of a task that an `Image` shows; "" for none."""
    value = image.get("value", "")
    return value[1:] if value.startswith("$") else ""


def _prediction(found: Detections, control: Control, version: str) -> dict[str, Any]:
    """The boxes of an image, in percent of its sides, and their mean score."""
    kept = [each for each in found.resized((100, 100)) if each.name in control.labels]
    width, height = found.image_size or (0, 0)
    regions = [
        {
            "from_name": control.name,
            "to_name": control.image,
            "type": "rectanglelabels",
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "score": round(score, DECIMALS),
            "value": {
                "x": round(xmin, DECIMALS),
                "y": round(ymin, DECIMALS),
                "width": round(xmax - xmin, DECIMALS),
                "height": round(ymax - ymin, DECIMALS),
                "rotation": 0,
                "rectanglelabels": [name],
            },
        }
        for name, score, (xmin, ymin, xmax, ymax) in kept
    ]
    mean = sum(each.score for each in kept) / len(kept) if kept else 0.0
    return {"result": regions, "score": round(mean, DECIMALS), "model_version": version}


def _version(model: Model) -> str:
    """A name that changes with the file: Label Studio asks again only for a new one."""
    digest = hashlib.sha256(model.artifact.to_text().encode()).hexdigest()
    return f"{model.name} {digest[:8]}"
