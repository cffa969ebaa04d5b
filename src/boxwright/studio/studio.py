"""The parts of the studio, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from boxwright.studio.assist.assistant import Assistant
from boxwright.studio.assist.rounds import Rounds
from boxwright.studio.child import Child, StartChild
from boxwright.studio.desk import Desk
from boxwright.studio.events import Hub
from boxwright.studio.finish import Finish
from boxwright.studio.keys import Keys
from boxwright.studio.store import LabelStore


@dataclass(frozen=True)
class Studio:
    """What the routes need: labels, events for the pages, the assistant, the last steps, label
    suspects to review, whether the labels are only shown, and the user's own keys."""

    desk: Desk
    hub: Hub
    assistant: Assistant
    finish: Finish
    suspects: Sequence[Mapping[str, Any]] = ()
    read_only: bool = False
    keys: Keys = field(default_factory=dict)


@contextmanager
def opened(
    open_store: Callable[[], LabelStore],
    weights: str | None = None,
    start: StartChild = Child,
    suspects: Sequence[Mapping[str, Any]] = (),
    keys: Keys | None = None,
) -> Iterator[Studio]:
    """A studio for the labels that `open_store` opens, until the block ends.

    Args:
        open_store: opens the labels.
        weights: the name or file of the weights that the assistant begins with.
        start: starts a child.
        suspects: label suspects to review, as `suspects.queue.read_queue` returns them.
        keys: keys of the page's actions, where they are not those of a preset.

    Raises:
        BoxwrightError: as `open_store`.
    """
    hub = Hub()
    with Desk(open_store) as desk:
        folder, read_only = desk.wait_for(lambda store: (store.folder, store.read_only))
        desk.ahead(LabelStore.blind)  # while the browser starts
        finish = Finish(folder, hub.tell, lambda: assistant.see(), start)
        # Nobody asks for proposals where labels are only shown.
        assistant = Assistant(
            Rounds(desk, weights), hub.tell, lambda: read_only or finish.busy, start
        )
        with closing(finish), closing(assistant):
            yield Studio(desk, hub, assistant, finish, suspects, read_only, keys or {})
