"""Events for pages that are open, and for those that were away."""

from __future__ import annotations

import asyncio
import threading

import pytest

from boxwright.studio import events
from boxwright.studio.events import Hub


async def heard(hub: Hub, count: int, last_id: str = "") -> list[tuple[str, str, str]]:
    """Id, name and data of the next events."""
    found: list[tuple[str, str, str]] = []
    async for chunk in hub.listen(last_id):
        if chunk.startswith(b"id:"):
            lines = dict(line.split(": ", 1) for line in chunk.decode().strip().split("\n"))
            found.append((lines["id"], lines["event"], lines["data"]))
        if len(found) == count:
            break
    return found


def test_a_new_page_gets_the_last_states_and_then_what_happens() -> None:
    async def listening() -> None:
        hub = Hub()
        for step in (1, 2):
            hub.tell("training", {"step": step})
        hub.tell("image", {"index": 1})
        later = asyncio.get_running_loop().call_later
        later(0.05, hub.tell, "image", {"index": 2})
        events = await heard(hub, 2)
        assert [(name, data) for _, name, data in events] == [
            ("training", '{"step": 2}'),
            ("image", '{"index": 2}'),
        ]

    asyncio.run(listening())


def test_a_page_that_was_away_gets_what_it_missed() -> None:
    async def listening() -> None:
        hub = Hub()
        hub.tell("image", {"index": 0})
        [(first, _, _)] = [event async for event in once(hub)]
        for index in (1, 2):
            hub.tell("image", {"index": index})
        missed = await heard(hub, 2, last_id=first)
        assert [data for _, _, data in missed] == ['{"index": 1}', '{"index": 2}']

    async def once(hub: Hub):  # type: ignore[no-untyped-def]
        hub.tell("training", {"step": 0})
        for event in await heard(hub, 1):
            yield event

    asyncio.run(listening())


@pytest.mark.parametrize("last_id", ["other-1", "1", "-", "x" * 100, "{server}-x"])
def test_an_id_of_another_server_is_none(last_id: str) -> None:
    async def listening() -> None:
        hub = Hub()
        hub.tell("quality", {"points": []})
        hub.tell("image", {"index": 1})
        [(own, name, _)] = await heard(hub, 1, last_id)
        assert name == "quality"
        server, _, _ = own.partition("-")
        [(_, name, _)] = await heard(hub, 1, last_id.replace("{server}", server))
        assert name == "quality"

    asyncio.run(listening())


def test_events_of_another_thread_arrive() -> None:
    async def listening() -> None:
        hub = Hub()
        threading.Timer(0.05, hub.tell, ("image", {"index": 7})).start()
        [(_, _, data)] = await heard(hub, 1)
        assert data == '{"index": 7}'

    asyncio.run(listening())


def test_text_of_an_event_has_no_line_of_its_own() -> None:
    async def listening() -> None:
        hub = Hub()
        hub.tell("training", {"reason": "a\n\ndata: b\u2028"})
        [(_, _, data)] = await heard(hub, 1)
        assert data == '{"reason": "a\\n\\ndata: b\\u2028"}'

    asyncio.run(listening())


def test_a_quiet_stream_is_pinged_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "PING_SECONDS", 0.02)

    async def listening() -> None:
        hub, chunks = Hub(), []
        async for chunk in hub.listen():
            chunks.append(chunk)
            if len(chunks) == 3:
                hub.close()
        assert chunks[0].startswith(b":")
        assert len(chunks) in (3, 4)

    asyncio.run(listening())
