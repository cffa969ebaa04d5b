"""Parts of a guard in front of an application."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Send


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


def with_headers(send: Send, more: Mapping[str, str]) -> Send:
    """Send responses with these headers too, where they do not have them."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in more.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def same(one: str, other: str) -> bool:
    """True for equal secrets; takes equally long for all others of this length."""
    return secrets.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
