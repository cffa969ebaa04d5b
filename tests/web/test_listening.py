"""The socket of a server."""

from __future__ import annotations

import asyncio
import socket

import pytest

from boxwright.web.listening import LOOPBACK, bound


@pytest.mark.tiny
def test_responses_do_not_wait_for_more() -> None:
    """Without TCP_NODELAY, the body of a response waits some 40 ms for the browser to confirm its
    headers."""

    async def is_sent_at_once() -> bool:
        accepted: asyncio.Queue[bool] = asyncio.Queue()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            used = writer.get_extra_info("socket")
            await accepted.put(bool(used.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
            writer.close()

        async with await asyncio.start_server(connected, sock=bound(LOOPBACK, 0)) as server:
            address = server.sockets[0].getsockname()
            _, writer = await asyncio.open_connection(*address)
            try:
                return await accepted.get()
            finally:
                writer.close()
                await writer.wait_closed()

    assert asyncio.run(is_sent_at_once())
