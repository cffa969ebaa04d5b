"""The files of a page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

SHARED = Path(__file__).with_name("page")  # by all pages
MEDIA_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


def page_routes(page: Path, headers: Mapping[str, str] = NO_HEADERS) -> list[Route]:
    """Its document at `/`, its files below `/page`, and those of all pages below `/web/page`.

    A module imports a shared one as `../../web/page/NAME`, which leads there from its address and
    from its place in the source.

    Args:
        page: the folder.
        headers: of the responses.
    """
    own, shared = _Files(page, headers), _Files(SHARED, headers)
    return [
        Route("/", own.answer, methods=["GET"]),
        Route("/page/{name}", own.answer, methods=["GET"]),
        Route("/web/page/{name}", shared.answer, methods=["GET"]),
    ]


class _Files:
    """The files of a folder, read once: no name of a request reaches the disk."""

    def __init__(self, folder: Path, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self._files = {
            file.name: (MEDIA_TYPES[file.suffix], file.read_bytes())
            for file in folder.glob("*")
            if file.suffix in MEDIA_TYPES
        }

    async def answer(self, request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in self._files:
            raise HTTPException(404)
        media_type, content = self._files[name]
        return Response(content, headers=dict(self._headers), media_type=media_type)
