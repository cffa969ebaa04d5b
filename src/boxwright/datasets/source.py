"""The source of a run's labeled images, as recorded in its provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

from boxwright.datasets.class_choice import ClassChoice
from boxwright.datasets.load import load
from boxwright.formats import ReadOptions
from boxwright.structures.dataset import Dataset

CHOICE, OPTIONS = "class_choice", "read_options"  # in a provenance
HELD_OUT = "held_out"  # names of training images that were the validation set


@dataclass(frozen=True)
class DataSource:
    """Folders of labeled images and the choice of their classes.

    Attributes:
        paths: at least one, as `load` takes them.
        choice: the classes to use.
        options: how the folders are read.
    """

    paths: tuple[Path, ...]
    choice: ClassChoice = field(default_factory=ClassChoice)
    options: ReadOptions = field(default_factory=ReadOptions)

    @classmethod
    def of(cls, source: str | Path | Sequence[str | Path] | DataSource) -> DataSource:
        """A source from one path or several, with all classes."""
        if isinstance(source, DataSource):
            return source
        paths = [source] if isinstance(source, str | Path) else source
        return cls(tuple(Path(path) for path in paths))

    def load(self, *, strict: bool = True) -> Dataset:
        """The images, ready to train on; see `ClassChoice.apply` for `strict`.

        Raises:
            DataError: as `load`; BW199 the choice does not fit.
        """
        return self.choice.apply(load(self.paths, self.options), strict=strict)

    def to_provenance(self, fingerprint: str) -> dict[str, Any]:
        """Entries for a run's provenance: `data`, and the choice of classes unless it is empty."""
        first, *more = (path.absolute().as_posix() for path in self.paths)
        data = {"path": first, "fingerprint": fingerprint} | ({"more": more} if more else {})
        options = self.options.to_json()
        return (
            {"data": data}
            | ({CHOICE: self.choice.to_json()} if self.choice else {})
            | ({OPTIONS: options} if options else {})
        )


@overload
def paths_of(data: Dataset) -> Dataset: ...


@overload
def paths_of(data: str | Path | Sequence[str | Path]) -> tuple[Path, ...]: ...


@overload
def paths_of(data: str | Path | Dataset | Sequence[str | Path]) -> Dataset | tuple[Path, ...]: ...


def paths_of(data: str | Path | Dataset | Sequence[str | Path]) -> Dataset | tuple[Path, ...]:
    """Data as a caller gives it: a dataset, or paths, of which one may stand alone."""
    if isinstance(data, Dataset):
        return data
    return tuple(map(Path, [data] if isinstance(data, str | Path) else data))


def choice_of(provenance: Mapping[str, Any]) -> ClassChoice:
    """The choice of classes that a detector was trained with."""
    value = provenance.get(CHOICE)
    return ClassChoice.from_json(value) if value else ClassChoice()


def options_of(provenance: Mapping[str, Any]) -> ReadOptions:
    """How the data of a detector was read."""
    return ReadOptions.from_json(provenance.get(OPTIONS) or {})


def source_of(provenance: Mapping[str, Any]) -> DataSource | None:
    """The source of a run's training data; None if it is unknown, as for an exported file."""
    data = provenance.get("data")
    if not (isinstance(data, Mapping) and isinstance(data.get("path"), str)):
        return None
    paths = (data["path"], *data.get("more", ()))
    return DataSource(tuple(map(Path, paths)), choice_of(provenance), options_of(provenance))


def known_paths(provenance: Mapping[str, Any]) -> tuple[Path, ...]:
    """The paths of a run's training data; empty if they are unknown."""
    source = source_of(provenance)
    return source.paths if source else ()
