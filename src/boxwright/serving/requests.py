"""What all protocols need of a request."""

from __future__ import annotations

from starlette.requests import Request


def request_id(request: Request) -> str:
    """The id of a request: its own `X-Request-Id` if that is usable, else a new one."""
    return str(request.state.request_id)
