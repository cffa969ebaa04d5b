"""The server's HTTP interface: the routes of all protocols, and what all requests share."""

from __future__ import annotations

import base64
import binascii
import re
import time
import traceback
import uuid
from typing import cast

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send

from boxwright.serving.dialects.registry import DIALECTS
from boxwright.serving.model import SOON
from boxwright.serving.refusals import Refusal
from boxwright.serving.service import Service
from boxwright.serving.settings import Access
from boxwright.web.protection import limited, same, with_headers

ID = "X-Request-Id"
USABLE_ID = re.compile(r"[\x21-\x7e]{1,128}")
OPEN = frozenset({"/healthz", "/v2/health/live", "/v2/health/ready"})  # for probes, without token
GONE = 499  # the client did not wait; for the log alone
OTHER = "other"  # route of requests for none
AT_ONCE = 16  # of the largest bodies that are in memory, whoever sends them


def application(
    service: Service, access: Access, lifespan: Lifespan[Starlette] | None = None
) -> ASGIApp:
    """The routes of all protocols, behind the gate.

    A `Refusal` becomes `{"error": message}` with its status. A body of more than
    `Settings.max_bytes` is a 413 wherever it is read, so endpoints may call `request.body()`.
    """
    routes = [route for routes_of in DIALECTS for route in routes_of(service)]
    app: ASGIApp = Starlette(
        routes=routes,
        exception_handlers={
            Refusal: _refused,
            HTTPException: _not_routed,
            ClientDisconnect: _gone,
            Exception: _failed,
        },
        lifespan=lifespan,
    )
    app = TokenCheck(app, access.token) if access.token else app
    if access.origins:
        app = CORSMiddleware(
            app,
            allow_origins=access.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", ID],
            expose_headers=[ID, "Retry-After"],
        )
    return Gate(app, service, access, routes)


class Gate:
    """ASGI middleware in front of all others: names and origins, ids, sizes, log and metrics."""

    def __init__(self, app: ASGIApp, service: Service, access: Access, routes: list[Route]) -> None:
        self._app, self._access = app, access
        self._log, self._metrics = service.log, service.metrics
        self._max_bytes = service.settings.max_bytes
        self._held = 0  # bytes of all bodies that are in memory
        self._paths: dict[object, str] = {route.endpoint: route.path for route in routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()
        headers = Headers(scope=scope)
        given = headers.get(ID, "")
        own_id = given if USABLE_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = own_id
        status, held = GONE, 0

        async def receiving() -> Message:
            nonlocal held
            message = await receive()
            size = len(message.get("body", b""))
            held, self._held = held + size, self._held + size
            if self._held > AT_ONCE * self._max_bytes:
                raise Refusal(429, "There are too many large requests.", SOON)
            return message

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[ID] = own_id
            await send(message)

        protected = with_headers(sending)
        self._log.begin(own_id)
        try:
            if refusal := self._refusal(headers):
                await _answer(refusal)(scope, receive, protected)
            else:
                limit = limited(receiving, headers, self._max_bytes)
                await self._app(scope, limit, protected)
        except Exception:  # Starlette has answered it with 500
            self._log.note(own_id, traceback=traceback.format_exc())
        finally:
            self._held -= held
            seconds = time.monotonic() - begun
            route = self._paths.get(scope.get("endpoint"), OTHER)
            self._metrics.requests.labels(route, status).inc()
            self._metrics.seconds.labels(route).observe(seconds)
            self._log.end(
                own_id,
                client=(scope.get("client") or ("",))[0],
                method=scope["method"],
                path=scope["path"],
                status=status,
                seconds=round(seconds, 4),
            )

    def _refusal(self, headers: Headers) -> Refusal | None:
        """Why a request is not for this server, or from a page of another site."""
        hosts, origins = self._access.hosts, self._access.origins
        host = headers.get("host", "").lower()
        if hosts is not None and re.sub(r":\d*$", "", host) not in hosts:
            return Refusal(403, "This server has another name; --allow-host adds one.")
        origin = headers.get("origin", "").lower()
        own = ("", f"http://{host}", f"https://{host}", *map(str.lower, origins))
        if origin not in own and "*" not in origins:
            return Refusal(403, "Pages of other sites need --allow-origin.")
        return None


class TokenCheck:
    """ASGI middleware that wants a token, as a bearer token or as a password."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN or self._opens(scope):
            await self._app(scope, receive, send)
            return
        challenge = {"WWW-Authenticate": 'Basic realm="boxwright", charset="UTF-8"'}
        refusal = Refusal(401, "A token is needed: Authorization: Bearer ...", challenge)
        await _answer(refusal)(scope, receive, send)

    def _opens(self, scope: Scope) -> bool:
        authorization = Headers(scope=scope).get("authorization", "")
        kind, _, value = authorization.partition(" ")
        if kind.lower() == "basic":
            try:
                text = base64.b64decode(value, validate=True).decode("utf-8", "replace")
            except binascii.Error:
                return False
            return same(text.partition(":")[2], self._token)
        return kind.lower() == "bearer" and same(value.strip(), self._token)


def _answer(refusal: Refusal) -> Response:
    return JSONResponse({"error": refusal.message}, refusal.status, dict(refusal.headers))


async def _refused(request: Request, error: Exception) -> Response:
    return _answer(cast(Refusal, error))


async def _not_routed(request: Request, error: Exception) -> Response:
    said = cast(HTTPException, error)
    return _answer(Refusal(said.status_code, said.detail, said.headers or {}))


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=GONE)


async def _failed(request: Request, error: Exception) -> Response:
    return _answer(Refusal(500, f"Internal error: {type(error).__name__}."))
