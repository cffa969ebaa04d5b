"""What protects an application from its requests, and its pages."""

from __future__ import annotations

import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Send

HEADERS = {  # unless a response says otherwise
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'; object-src 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def limited(receive: Receive, headers: Headers, limit: int) -> Receive:
    """Receive a body of at most `limit` bytes; raises HTTPException 413 for a longer one."""
    received = 0
    stated = headers.get("content-length", "0")

    async def receiving() -> Message:
        nonlocal received
        if not stated.isdecimal() or int(stated[:20]) > limit:
            raise HTTPException(413, f"The request has more than {limit} bytes.")
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(413, f"The request has more than {limit} bytes.")
        return message

    return receiving


def with_headers(send: Send) -> Send:
    """Send responses with `HEADERS`, which forbid a page what it does not need."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def same(one: str, other: str) -> bool:
    """True for equal secrets; takes equally long for all others of this length."""
    return secrets.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
