"""A server of detectors, from its first to its last request."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from functools import partial
from typing import TypeVar

from boxwright.console import unexpected
from boxwright.errors import BoxwrightError
from boxwright.serving.app import application
from boxwright.serving.connections import Patience, protocol
from boxwright.serving.log import Handler, Log
from boxwright.serving.metrics import Metrics
from boxwright.serving.model import Model
from boxwright.serving.service import Service
from boxwright.serving.settings import Access, Settings
from boxwright.web.listening import address, bound
from boxwright.web.server import Server

WATCH_SECONDS = 1.0  # between two checks whether a file was replaced
STOP_SECONDS = 9  # for requests in progress; all ends within 10
PATIENCE = Patience()
Result = TypeVar("Result")


def serve(
    models: Sequence[Model],
    settings: Settings,
    access: Access,
    ready: Callable[[str], None],
    *,
    host: str,
    port: int,
) -> None:
    """Serve detectors until Ctrl-C or SIGTERM.

    Args:
        models: the detectors, not loaded yet. Requests are answered with 503 meanwhile.
        settings, access: the user's decisions.
        ready: called with the address when all are warmed up.
        host, port: the address to listen at; port 0 for a free one.

    Raises:
        BoxwrightError: as `Model.load` and `bound`.
    """
    log = Log()
    with bound(host, port) as sock:
        url = address(host, sock.getsockname()[1])
        service, loader, server = assembled(models, settings, access, lambda: ready(url), log)
        with closing(service), _errors_to(log), suppress(KeyboardInterrupt):  # the usual end
            server.run([sock])
        if loader.failure:
            raise loader.failure


def assembled(
    models: Sequence[Model],
    settings: Settings,
    access: Access,
    ready: Callable[[], None],
    log: Log,
    patience: Patience = PATIENCE,
) -> tuple[Service, Loader, Server]:
    """The parts of a server, put together."""
    metrics = Metrics()
    service = Service(models, settings, metrics, log)
    loader = Loader(service, ready, lambda: server.stop())
    app = application(service, access, loader.at_work)
    connections = protocol(patience, metrics)
    server = Server(
        app, stopping=connections.refuse, stop_seconds=STOP_SECONDS, protocol=connections
    )
    return service, loader, server


class Loader:
    """Loads the models of a service, and loads them again when their files are replaced.

    Args:
        service: the service.
        ready: called when all models are warmed up.
        stop: ends the server after a failure.

    Attributes:
        failure: why the models cannot be served; None if they can.
    """

    def __init__(
        self, service: Service, ready: Callable[[], None], stop: Callable[[], None]
    ) -> None:
        self._service, self._ready, self._stop = service, ready, stop
        self._log, self._metrics = service.log, service.metrics
        self.failure: BoxwrightError | None = None

    @asynccontextmanager
    async def at_work(self, app: object) -> AsyncIterator[None]:
        """The lifespan of the application."""
        task = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            task.cancel()

    async def _keep(self) -> None:
        models = self._service.models.values()
        try:
            for model in models:
                await _in_thread(model.load)
                self._loaded(model)
            self._ready()
        except Exception as error:
            self.failure = error if isinstance(error, BoxwrightError) else unexpected(error)
            self._stop()
            return
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for model in models:
                if await _in_thread(model.is_replaced):
                    await self._replace(model)

    async def _replace(self, model: Model) -> None:
        """Load a file beside the one in use, which stays if the new one cannot be used."""
        try:
            await _in_thread(model.load)
        except Exception as error:
            said = error if isinstance(error, BoxwrightError) else unexpected(error)
            self._metrics.replacements.labels(model.name, "refused").inc()
            self._log.event("refused", model=model.name, version=model.version, reason=str(said))
        else:
            self._metrics.replacements.labels(model.name, "loaded").inc()
            self._loaded(model)

    def _loaded(self, model: Model) -> None:
        self._metrics.version.labels(model.name).set(model.version)
        self._log.event(
            "loaded",
            model=model.name,
            version=model.version,
            kind=model.kind,
            file=str(model.path),
            classes=len(model.classes),
        )


async def _in_thread(work: Callable[[], Result]) -> Result:
    """The result of `work` in a thread that the end of the program does not wait for."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(setting: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the server has stopped
            loop.call_soon_threadsafe(lambda: None if future.done() else setting())

    def working() -> None:
        try:
            result = work()
        except BaseException as error:  # whatever it is, the caller gets it
            settle(partial(future.set_exception, error))
        else:
            settle(partial(future.set_result, result))

    threading.Thread(target=working, daemon=True).start()
    return await future


@contextmanager
def _errors_to(log: Log) -> Iterator[None]:
    """Have what runs the server write its errors to the log alone."""
    handler = Handler(log)
    loggers = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.error", "asyncio")]
    before = [(logger.handlers, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers, logger.propagate = [handler], False
    try:
        yield
    finally:
        for logger, (handlers, propagate) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate
