"""The records of a JSON export of Label Studio: tasks with one image, by its path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from boxwright.formats.folder import split_path
from boxwright.formats.json_file import JsonText, Object, url_path
from boxwright.formats.labelstudio.images import images_in
from boxwright.formats.names import UPLOADED
from boxwright.formats.records import Unlisted, chosen_keys

LOCAL = "/data/local-files/?d="  # images below the folder that Label Studio serves


class Records(Unlisted):
    """The tasks of a file.

    Tasks of images that were uploaded are known by the file name alone too, without the prefix that
    Label Studio gives it.
    """

    def __init__(self, content: bytes, path: str) -> None:
        self._text = JsonText(content, path)
        self._tasks: list[Object] = self._text.value
        self._numbers: dict[str, int] = {}
        for i, task in enumerate(self._tasks):
            for name in images_in(task["data"]).values():
                self._numbers.setdefault(name, i)
        count = Counter(map(_bare, self._numbers))
        self._known = {_bare(name): name for name in self._numbers if count[_bare(name)] == 1}

    def get(self, name: str) -> Any:
        number = self._number(name)
        return None if number is None else self._tasks[number]

    def put(self, name: str, record: Any) -> None:
        number = self._number(name)
        if number is not None and record is not None:
            self._tasks[number] = record
        elif number is not None:
            del self._tasks[number]
            self._numbers = {
                one: i - (i > number) for one, i in self._numbers.items() if i != number
            }
        elif record is not None:
            self._numbers[name] = len(self._tasks)
            self._tasks.append(record)

    def boxes(self, record: Any) -> Any:
        results = (annotation_of(record) or {}).get("result") or []
        shapes = [one for one in results if one.get("type") != "textarea"]
        return chosen_keys(shapes, "type", "value")

    def content(self) -> bytes:
        return self._text.bytes_of(self._tasks)

    def _number(self, name: str) -> int | None:
        if name not in self._numbers:
            name = self._known.get(_bare(name), name)
        return self._numbers.get(name)


def list_key(task: Object) -> str:
    """The key of a task's annotations."""
    return "completions" if "completions" in task and "annotations" not in task else "annotations"


def annotation_of(task: Object) -> Object | None:
    """The last annotation of a task that was not cancelled."""
    listed = task.get(list_key(task)) or []
    return next((one for one in reversed(listed) if not one.get("was_cancelled")), None)


def new_task(name: str, like: Object | None) -> Object:
    """A task for an image, named as in another task of the file if there is one."""
    for slot, path in images_in(like).items() if like else ():
        stated = like[slot.field] if like else ""
        for written, form in ((quote(path), url_path(name)), (path, name)):
            if isinstance(stated, str) and stated.endswith(written):
                return _task(slot.field, stated.removesuffix(written) + form)
    return _task("image", LOCAL + url_path(name))


def results_of(tasks: list[Object]) -> Iterator[Object]:
    """The results of the annotations that count."""
    for task in tasks:
        yield from (annotation_of(task) or {}).get("result") or []


def _task(field: str, value: str) -> Object:
    return {"data": {field: value}, "annotations": []}


def _bare(name: str) -> str:
    return UPLOADED.sub("", split_path(name)[1])
