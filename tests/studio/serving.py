"""The studio on a free port, for tests that open its page."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import defusedxml.ElementTree

from boxwright.studio.app import application
from boxwright.studio.security import Door, Guard, names_of
from boxwright.studio.serve import Server, bound
from boxwright.studio.store import LabelStore
from boxwright.studio.studio import Studio, opened

HOST = "127.0.0.1"
Object = tuple[str, tuple[int, ...]]  # class; sides


@dataclass(frozen=True)
class Serving:
    """A studio that answers."""

    folder: Path
    port: int
    door: Door
    studio: Studio

    def address(self) -> str:
        """An address that lets one more browser in."""
        return f"http://{HOST}:{self.port}/?token={self.door.token}"


@contextmanager
def serving(folder: Path, classes: Sequence[str]) -> Iterator[Serving]:
    """Serve the studio of a folder until the block ends."""
    with bound(HOST, 0) as socket, opened(lambda: LabelStore.open(folder, classes)) as studio:
        port = socket.getsockname()[1]
        door, ready = Door(port), threading.Event()
        app = Guard(application(studio), door, names_of(HOST, port))
        server = Server(app, studio.hub, ready.set)
        thread = threading.Thread(target=server.run, args=([socket],))
        thread.start()
        try:
            assert ready.wait(10)
            yield Serving(folder, port, door, studio)
        finally:
            server.stop()
            thread.join()


def labels_of(folder: Path) -> dict[str, list[Object]]:
    """The objects in the Pascal VOC files of a folder, by the images' stems."""
    return {
        path.stem: [
            (
                element.findtext("name") or "",
                tuple(
                    round(float(element.findtext(f"bndbox/{side}") or "nan"))
                    for side in ("xmin", "ymin", "xmax", "ymax")
                ),
            )
            for element in defusedxml.ElementTree.parse(path).iter("object")
        ]
        for path in sorted(folder.rglob("*.xml"))
    }
