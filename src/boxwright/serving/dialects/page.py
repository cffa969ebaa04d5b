"""The page where one drops an image, and the description of all addresses for programs."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from boxwright.serving.openapi import description
from boxwright.serving.service import Service
from boxwright.web.pages import page_routes

PAGE = Path(__file__).parents[1] / "page"
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'; object-src 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def routes_of(service: Service) -> list[Route]:
    """`/`, its files, and `/openapi.json`."""
    return [*page_routes(PAGE, HEADERS), Route("/openapi.json", _describe, methods=["GET"])]


async def _describe(request: Request) -> Response:
    return JSONResponse(description())
