"""Who may talk to the studio: one browser that got its address from the terminal, and its own page.

A page of another site can send requests to this computer from the user's browser, and a name of
another site can point to this computer. So the studio answers only to its own names (against DNS
rebinding), only with a cookie that scripts cannot read and other sites cannot send, and changes
something only for a request with a header that other sites cannot add.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from boxwright.web import listening
from boxwright.web.protection import limited, same, with_headers

READS = frozenset({"GET", "HEAD"})
OWN_SITES = frozenset({"same-origin", "none"})  # Sec-Fetch-Site; `none` is the address bar
BODY = 4 << 20  # bytes of a request
IMAGE = 64 << 20  # bytes of an image to try
LIMITS = {"/api/try": IMAGE}
REFUSED = "Open the address that the terminal shows."


class Door:
    """The one-time token in the address, and the key that a browser gets for it.

    Args:
        port: part of the cookie's name, because browsers send cookies to all ports of a host.
        used: called with the next token after one was used, so that the user can open another
            browser.
    """

    def __init__(self, port: int, used: Callable[[str], None] = lambda token: None) -> None:
        self.cookie = f"boxwright-{port}"
        self.token = secrets.token_urlsafe()
        self._key = secrets.token_urlsafe()
        self._used = used

    def key_for(self, token: str) -> str | None:
        """The key for the present token, which is then no longer valid; None for another one."""
        if not same(token, self.token):
            return None
        self.token = secrets.token_urlsafe()
        self._used(self.token)
        return self._key

    def opens(self, cookies: str) -> bool:
        """True if a Cookie header has the key."""
        try:
            morsel = SimpleCookie(cookies).get(self.cookie)
        except CookieError:
            return False
        return morsel is not None and same(morsel.value, self._key)


def names_of(host: str, port: int) -> frozenset[str]:
    """The Host headers to answer to."""
    return frozenset(f"{name}:{port}" for name in listening.names_of(host))


class Guard:
    """ASGI middleware that lets nobody in but the browser with the key.

    It answers 403 to any other request, before anything is routed or read from the disk.
    """

    def __init__(self, app: ASGIApp, door: Door, names: frozenset[str]) -> None:
        self._app, self._door, self._names = app, door, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        send = with_headers(send)
        headers = Headers(scope=scope)
        if scope["type"] != "http" or not self._is_own(headers):
            await PlainTextResponse(REFUSED, 403)(scope, receive, send)
        elif key := self._exchanged(scope):
            response = RedirectResponse("/", 303)
            response.set_cookie(self._door.cookie, key, httponly=True, samesite="strict")
            await response(scope, receive, send)
        elif not self._may(scope["method"], headers):
            await PlainTextResponse(REFUSED, 403)(scope, receive, send)
        else:
            limit = LIMITS.get(scope["path"], BODY)
            await self._app(scope, limited(receive, headers, limit), send)

    def _is_own(self, headers: Headers) -> bool:
        """True if the request is for a name of this studio, and not from another site's page."""
        host, origin = headers.get("host", "").lower(), headers.get("origin")
        from_here = origin is None or origin.lower() == f"http://{host}"
        site = headers.get("sec-fetch-site", "none")
        named = len(headers.getlist("host")) == 1 and host in self._names
        return named and from_here and site in OWN_SITES

    def _exchanged(self, scope: Scope) -> str | None:
        """The key for a token in the address of the page; None without one."""
        if scope["path"] != "/" or scope["method"] not in READS:
            return None
        tokens = parse_qs(scope["query_string"].decode("latin-1")).get("token", ())
        return self._door.key_for(tokens[0]) if len(tokens) == 1 else None

    def _may(self, method: str, headers: Headers) -> bool:
        """True with the key; to change something also with the header of the studio's page."""
        has_key = self._door.opens(headers.get("cookie", ""))
        return has_key and (method in READS or headers.get("x-boxwright") == "1")
