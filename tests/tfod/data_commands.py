"""What the tests of the data commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from boxwright import formats
from boxwright.errors import BoxwrightError

Tfod = Callable[..., list[str]]
Examples = Callable[[Path], list[dict[str, list[Any]]]]

DOG = ("dog", 10.0, 12.0, 50.0, 44.0)
TWO_CLASSES = "item { id: 5 name: 'dog' }\nitem { id: 2 name: 'cat' display_name: 'house cat' }\n"


def records(path: Path) -> list[tuple[str, list[str]]]:
    """Photos and classes of a record file, in order."""
    dataset = formats.read(path)
    return [
        (
            Path(name).name,
            [dataset.classes[label] for label in dataset.labels[dataset.rows(i)]],
        )
        for i, name in enumerate(dataset.names)
    ]


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(BoxwrightError) as caught:
        call()
    return caught.value.code
