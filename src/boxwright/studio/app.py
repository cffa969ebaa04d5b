"""The studio's HTTP interface: each route says which part of the studio answers it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from boxwright.console import unexpected
from boxwright.errors import ArgumentError, BoxwrightError, DataError
from boxwright.studio import wire
from boxwright.studio.child import FAILED
from boxwright.studio.current import set_current
from boxwright.studio.keys import OWN
from boxwright.studio.pixels import etag_of, pixels
from boxwright.studio.queue import next_image
from boxwright.studio.review import ACCEPTED, findings, queue, suspected
from boxwright.studio.store import ConflictError, Labels, LabelStore
from boxwright.studio.studio import Studio
from boxwright.studio.told import error_json
from boxwright.studio.viewed_labels import read_only
from boxwright.web.pages import page_routes

PAGE = Path(__file__).with_name("page")
STATUS = {  # of labels that are only shown, a full disk, a folder that cannot be written
    "BW185": 403,
    "BW902": 507,
    "BW903": 403,
}
MAX_ROWS = 10_000
WATCH_SECONDS, FLUSH_TICKS = 1.0, 10  # at most 30 s between two


def application(studio: Studio, quit: Callable[[], None] = lambda: None) -> Starlette:
    """The routes, without the guard.

    Args:
        studio: the studio.
        quit: ends the server; a page can ask for it where labels are only shown.
    """
    api = Api(studio, quit)

    @asynccontextmanager
    async def watching(app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(_watch(studio))
        try:
            yield
        finally:
            task.cancel()

    get, post = ["GET"], ["POST"]
    changes = [
        Route("/api/images/{index}", api.write, methods=["PUT"]),
        Route("/api/images/{index}/undo", api.undo, methods=post),
        Route("/api/images/{index}/redo", api.redo, methods=post),
        Route("/api/images/{index}/aside", api.aside, methods=post),
        Route("/api/images/{index}/history", api.shelve, methods=post),
        Route("/api/review", api.accept, methods=post),
        Route("/api/classes", api.classes, methods=post),
        Route("/api/current", api.current, methods=post),
        Route("/api/keys", api.keys, methods=post),
        Route("/api/finish/train", api.train, methods=post),
        Route("/api/finish/export", api.export, methods=post),
        Route("/api/finish/report", api.report, methods=post),
        Route("/api/try", api.attempt, methods=post),
    ]
    if studio.read_only:
        changes = [Route(one.path, api.refuse, methods=one.methods) for one in changes]
        changes.append(Route("/api/quit", api.quit, methods=post))
    return Starlette(
        routes=[
            *page_routes(PAGE),
            Route("/pixels/{index}", api.pixels, methods=get),
            Route("/api/folder", api.folder, methods=get),
            Route("/api/rows", api.rows, methods=get),
            Route("/api/next", api.next, methods=get),
            Route("/api/review", api.review, methods=get),
            Route("/api/events", api.events, methods=get),
            Route("/api/images/{index}", api.image, methods=get),
            *changes,
        ],
        exception_handlers={
            BoxwrightError: _coded,
            HTTPException: _refused,
            Exception: _unexpected,
        },
        lifespan=watching,
    )


class Answer(JSONResponse):
    """JSON in ASCII: the name of a file that is not UTF-8 has halves of surrogate pairs."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


class Api:
    """What the routes do."""

    def __init__(self, studio: Studio, quit: Callable[[], None]) -> None:
        self._quit = quit
        self._desk, self._hub = studio.desk, studio.hub
        self._assistant, self._finish = studio.assistant, studio.finish
        self._suspects, self._keys = studio.suspects, studio.keys
        self._clock, self._opened = count(1), dict[int, int]()  # when an image was opened last

    async def pixels(self, request: Request) -> Response:
        index, side = await self._index(request), _number(request, "side")
        path = await self._desk.do(lambda store: store.path(index))
        try:
            etag = etag_of(path, side)
        except OSError as error:
            raise HTTPException(404) from error
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}  # ask if it has changed
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        sent = await run_in_threadpool(pixels, path, side)
        if sent.file:
            return FileResponse(sent.file, headers=headers, media_type="image/jpeg")
        return Response(sent.jpeg, headers=headers, media_type="image/jpeg")

    async def folder(self, request: Request) -> Response:
        about = await self._desk.do(wire.folder_json)
        own = {"keys": OWN, "own_keys": self._keys} if self._keys else {}
        return Answer({**about, "assist": self._assistant.state, **own})

    async def rows(self, request: Request) -> Response:
        start, count = _number(request, "start", 0), _number(request, "count", 1000)
        start, count = max(start, 0), min(max(count, 0), MAX_ROWS)
        rows: list[Any] = []
        for first in range(start, start + max(count, 1), wire.ROWS):
            part = partial(wire.rows_json, start=first, count=min(wire.ROWS, start + count - first))
            told = await self._desk.do(part)
            rows += told["rows"]
        return Answer({**told, "rows": rows})

    async def next(self, request: Request) -> Response:
        after, kind = max(_number(request, "after", -1), -1), request.query_params.get("kind")
        opened = self._opened if kind == "queue" else None
        found = await self._desk.do(lambda store: next_image(store, after, opened))
        return Answer({"index": found})

    async def review(self, request: Request) -> Response:
        def prepared(store: LabelStore) -> tuple[Any, ...]:
            store.flush()
            accepted = store.journal.get(ACCEPTED, [])
            names = tuple(store.names)
            return wire.any_labeled(store), store.folder, store.format, names, {*accepted}

        labeled, folder, form, names, accepted = await self._desk.do(prepared)
        items = suspected(self._suspects, names)
        if labeled:
            items = await run_in_threadpool(findings, folder, form, names) + items
        return Answer(queue(items, accepted))

    async def accept(self, request: Request) -> Response:
        key = wire.text_from(await _json(request), "key")
        await self._desk.do(lambda store: wire.remember(store, ACCEPTED, key))
        return Response(status_code=204)

    async def events(self, request: Request) -> Response:
        stream = self._hub.listen(request.headers.get("last-event-id", ""))
        return StreamingResponse(stream, media_type="text/event-stream")

    async def image(self, request: Request) -> Response:
        index = await self._index(request)
        self._assistant.opened(index)
        self._opened[index] = next(self._clock)
        return Answer(await self._desk.do(lambda store: wire.image_json(store, index)))

    async def write(self, request: Request) -> Response:
        index, etag, body = await self._index(request), _etag(request), await _json(request)
        labels, settled = wire.labels_from(body, etag), wire.keys_from(body, "settled")

        def write(store: LabelStore) -> None:
            store.write(index, labels, wire.untagged(store, etag), settled)

        return await self._edited(index, write)

    async def shelve(self, request: Request) -> Response:
        index, etag, body = await self._index(request), _etag(request), await _json(request)
        labels = wire.labels_from(body, etag)

        def shelve(store: LabelStore) -> None:
            store.shelve(index, labels, wire.untagged(store, etag))

        return await self._edited(index, shelve)

    async def undo(self, request: Request) -> Response:
        return await self._stepped(request, LabelStore.undo)

    async def redo(self, request: Request) -> Response:
        return await self._stepped(request, LabelStore.redo)

    async def aside(self, request: Request) -> Response:
        index, aside = await self._index(request), (await _json(request)).get("aside")
        if not isinstance(aside, bool):
            raise wire.malformed("aside")
        return await self._edited(index, lambda store: store.set_aside(index, aside))

    async def classes(self, request: Request) -> Response:
        body = await _json(request)
        answer = await self._desk.do(lambda store: wire.change_classes(store, body))
        if not body.get("preview"):
            self._hub.tell("classes", {name: answer[name] for name in ("classes", "moves")})
        return Answer(answer)

    async def current(self, request: Request) -> Response:
        index = (await _json(request)).get("index")
        count = await self._desk.do(lambda store: len(store.names))
        if not isinstance(index, int) or not 0 <= index < count:
            raise wire.malformed("index")
        await self._desk.do(lambda store: set_current(store, index))
        return Response(status_code=204)

    async def keys(self, request: Request) -> Response:
        preset = wire.text_from(await _json(request), "preset")
        await self._desk.do(lambda store: store.journal.set("keys", preset))
        return Response(status_code=204)

    async def train(self, request: Request) -> Response:
        budget = wire.text_from(await _json(request), "budget")
        await self._desk.do(lambda store: store.flush())
        return Answer(self._finish.train(budget))

    async def export(self, request: Request) -> Response:
        return Answer(self._finish.export(wire.text_from(await _json(request), "to")))

    async def report(self, request: Request) -> Response:
        tested = await self._desk.do(lambda store: wire.any_labeled(store, store.blind()))
        return Answer(self._finish.report(tested=tested))

    async def attempt(self, request: Request) -> Response:
        image = await request.body()
        told = await run_in_threadpool(self._finish.detect, image)
        return Answer(told, 422 if told["state"] == FAILED else 200)

    async def refuse(self, request: Request) -> Response:
        raise read_only()

    async def quit(self, request: Request) -> Response:
        self._quit()
        return Response(status_code=204)

    async def _index(self, request: Request) -> int:
        """The image of a path. Raises HTTPException 404."""
        text = request.path_params["index"]
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise HTTPException(404)
        index = int(text)
        if index >= await self._desk.do(lambda store: len(store.names)):
            raise HTTPException(404)
        return index

    async def _edited(self, index: int, edit: Callable[[LabelStore], object]) -> Response:
        """Edit an image and tell the other pages; 412 if it is no longer what the page knows."""

        def work(store: LabelStore) -> tuple[bool, dict[str, Any]]:
            try:
                edit(store)
            except ConflictError:
                return False, {"theirs": wire.image_json(store, index), **wire.classes_json(store)}
            return True, wire.image_json(store, index)

        done, image = await self._desk.do(work)
        if not done:
            return Answer(image, 412)
        keys = [one["key"] for one in image["proposals"]]
        self._hub.tell("image", {"index": index, "etag": image["etag"], "proposals": keys})
        self._assistant.edited(index)
        return Answer(image)

    async def _stepped(
        self, request: Request, step: Callable[[LabelStore, int, str], Labels | None]
    ) -> Response:
        index, etag = await self._index(request), _etag(request)
        stepped = True

        def work(store: LabelStore) -> None:
            nonlocal stepped
            stepped = step(store, index, wire.untagged(store, etag)) is not None

        answer = await self._edited(index, work)
        return answer if stepped else Response(status_code=204)


async def _watch(studio: Studio) -> None:
    """Tell the pages what other programs change, and fold edits into one-file formats."""
    ticks, problem = 0, None
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        ticks += 1
        try:
            for index, etag in await studio.desk.do(changed_labels):
                studio.assistant.edited(index)
                studio.hub.tell("image", {"index": index, "etag": etag})
            if ticks % FLUSH_TICKS == 0:
                await studio.desk.do(lambda store: store.flush())
        except Exception as error:
            said = error_json(error if isinstance(error, BoxwrightError) else unexpected(error))
            if said != problem:  # or it would be told every second
                studio.hub.tell("problem", said)
            problem = said


def changed_labels(store: LabelStore) -> list[tuple[int, str]]:
    """The images whose labels others have changed, with their etags; one that cannot be read has
    none, and whoever opens it is told why."""
    changed = []
    for index in store.changed():
        etag = ""
        with suppress(DataError):
            etag = wire.tag(store, store.read(index).etag)
        changed.append((index, etag))
    return changed


async def _json(request: Request) -> Mapping[str, Any]:
    """The object in a request. Raises ArgumentError BW808."""
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise wire.malformed("JSON") from error
    if not isinstance(body, dict):
        raise wire.malformed("JSON")
    return body


def _etag(request: Request) -> str:
    etag = request.headers.get("if-match")
    if etag is None:
        raise wire.malformed("If-Match")
    return etag


def _number(request: Request, name: str, default: Any = None) -> Any:
    """A number in the address of a request. Raises ArgumentError BW808."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise wire.malformed(name)
    return int(text)


async def _coded(request: Request, error: Exception) -> Response:
    said = cast(BoxwrightError, error)
    usual = 400 if isinstance(said, ArgumentError) else 422
    return Answer(error_json(said), STATUS.get(said.code, usual))


async def _refused(request: Request, error: Exception) -> Response:
    refusal = cast(HTTPException, error)
    said = {"code": "", "message": refusal.detail, "remedy": ""}
    return Answer(said, refusal.status_code)


async def _unexpected(request: Request, error: Exception) -> Response:
    said = error_json(unexpected(error))  # its text is in the log alone
    return Answer({**said, "message": f"internal error: {type(error).__name__}."}, 500)
