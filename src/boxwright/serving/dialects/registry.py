"""The protocols that the server speaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.routing import Route

from boxwright.serving.dialects import own
from boxwright.serving.service import Service

DIALECTS: Sequence[Callable[[Service], list[Route]]] = (own.routes_of,)
