"""Boxwright's own protocol: `POST /detect`."""

from __future__ import annotations

from starlette.routing import Route

from boxwright.serving.service import Service


def routes_of(service: Service) -> list[Route]:
    """`/detect`, `/models`, `/healthz`, `/metrics`."""
    raise NotImplementedError
