"""Boxwright's own protocol: an image in, detections or the drawn image out."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from boxwright.serving.metrics import MEDIA_TYPE
from boxwright.serving.model import SOON, Model
from boxwright.serving.refusals import Refusal
from boxwright.serving.requests import request_id
from boxwright.serving.service import Service

WRAPPED = ("multipart/", "application/json", "text/")  # media types of what is no image
PARAMETERS = frozenset({"score", "classes", "model"})


def routes_of(service: Service) -> list[Route]:
    """`/detect`, `/models`, `/healthz` and `/metrics`."""
    own = Own(service)
    return [
        Route("/detect", own.detect, methods=["POST"]),
        Route("/models", own.models, methods=["GET"]),
        Route("/healthz", own.health, methods=["GET"]),
        Route("/metrics", own.metrics, methods=["GET"]),
    ]


class Own:
    """What the routes do."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def detect(self, request: Request) -> Response:
        """Detect in the image that the body is.

        `?score=` is the lowest score, by default the detector's own; `?classes=` are names,
        separated by commas; `?model=` is needed where there are several. With `Accept: image/jpeg`
        the answer is the image with its boxes drawn.
        """
        query = request.query_params
        if unknown := sorted(query.keys() - PARAMETERS):
            listed = ", ".join(sorted(PARAMETERS))
            raise Refusal(400, f"There is no parameter {unknown[0]!r}, but {listed}.")
        media_type = request.headers.get("content-type", "").lower()
        if media_type.startswith(WRAPPED):
            raise Refusal(415, f"The body is to be the image itself, not {media_type}.")
        model = self._service.model(query.get("model"))
        names = [name for name in query.get("classes", "").split(",") if name]
        keep = partial(model.kept, score=_score(query.get("score")), classes=names or None)
        image, own_id = await request.body(), request_id(request)
        if "image/jpeg" in request.headers.get("accept", ""):
            drawn = await self._service.draw(model.name, image, keep, request_id=own_id)
            return Response(drawn, media_type="image/jpeg")
        (found,) = await self._service.detect(model.name, [image], request_id=own_id)
        width, height = found.image_size or (0, 0)
        about = {"model": model.name, "version": model.version, "width": width, "height": height}
        return JSONResponse({**about, "detections": keep(found).to_json()})

    async def models(self, request: Request) -> Response:
        """All models, with their classes."""
        return JSONResponse({"models": [_about(m) for m in self._service.models.values()]})

    async def health(self, request: Request) -> Response:
        """200 when all models are warmed up, 503 before."""
        if not self._service.ready:
            raise Refusal(503, "The models are being loaded.", SOON)
        versions = {model.name: model.version for model in self._service.models.values()}
        return JSONResponse({"status": "ready", "models": versions})

    async def metrics(self, request: Request) -> Response:
        """All metrics as text for Prometheus."""
        return Response(self._service.metrics.text(), headers={"Content-Type": MEDIA_TYPE})


def _score(text: str | None) -> float | None:
    """The number in a parameter. Raises Refusal 400."""
    try:
        return None if text is None else float(text)
    except ValueError:
        raise Refusal(400, f"A score is a number from 0 to 1, not {text!r}.") from None


def _about(model: Model) -> dict[str, object]:
    if not model.ready:
        return {"name": model.name, "ready": False}
    return {
        "name": model.name,
        "ready": True,
        "version": model.version,
        "kind": model.kind,
        "classes": list(model.classes),
        "thresholds": dict(zip(model.classes, model.artifact.thresholds, strict=True)),
    }
