"""The protocols that the server speaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.routing import Route

from boxwright.serving.dialects import label_studio, own, page, tf_serving, v2
from boxwright.serving.service import Service

DIALECTS: Sequence[Callable[[Service], list[Route]]] = (
    own.routes_of,
    tf_serving.routes_of,
    v2.routes_of,
    label_studio.routes_of,
    page.routes_of,
)
