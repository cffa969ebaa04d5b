"""The server's HTTP interface: the routes of all protocols, and what all requests share."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request

from boxwright.serving.service import Service


def application(service: Service) -> Starlette:
    """The routes of all protocols.

    A `Refusal` becomes `{"error": message}` with its status. A body of more than
    `Settings.max_bytes` is a `Refusal` 413 wherever it is read, so endpoints may call
    `request.body()`. Each response has the request's id in `X-Request-Id`.
    """
    raise NotImplementedError


def request_id(request: Request) -> str:
    """The id of a request: its own `X-Request-Id` if that is usable, else a new one."""
    raise NotImplementedError
