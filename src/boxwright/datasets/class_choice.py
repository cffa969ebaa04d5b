"""Selection and renaming of classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import DataError
from boxwright.structures.dataset import Dataset
from boxwright.structures.labels import closest_name


@dataclass(frozen=True)
class ClassChoice:
    """A choice of classes. Objects of other classes become ignored regions.

    Attributes:
        classes: names of the classes to use, in the order of their ids; all if empty.
        exclude: names of classes not to use.
        rename: new names by old names; classes of the same new name are merged. `classes` and
            `exclude` use the new names.
    """

    classes: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, classes: Iterable[str], exclude: Iterable[str], rename: Mapping[str, str] | None
    ) -> ClassChoice:
        """Create a choice from any collections of names."""
        return cls(tuple(classes), tuple(exclude), dict(rename or {}))

    def __bool__(self) -> bool:
        return bool(self.classes or self.exclude or self.rename)

    def apply(self, dataset: Dataset, *, strict: bool = True) -> Dataset:
        """Return the dataset with the chosen classes under their new names; all images stay.

        Args:
            dataset: any dataset.
            strict: raise an error for names that are not classes of the dataset; if False, they
                are ignored.

        Raises:
            DataError: BW199 a name is not a class of the dataset, or no class is left.
        """
        if not self:
            return dataset
        known = _renamed(dataset.classes, self.rename)
        if strict:
            self._check(self.rename, dataset.classes, dataset)
            self._check((*self.classes, *self.exclude), known, dataset)
        chosen = self.classes or tuple(dict.fromkeys(known))
        chosen = tuple(name for name in chosen if name not in self.exclude)
        if strict and not chosen:
            raise _unfit("no class is left.", known, dataset)
        ids = {name: label for label, name in enumerate(chosen)}
        new = np.array([ids.get(name, -1) for name in known], np.int32)
        verified = _verified(dataset, new, len(chosen))
        renamed = replace(dataset, classes=chosen, verified_classes=verified)
        return _only(renamed, new[dataset.labels])

    def as_options(self) -> dict[str, str | None]:
        """The command-line options; None for options that are not needed."""
        pairs = [f"{old}={new}" for old, new in self.rename.items()]
        options = {"--classes": self.classes, "--exclude-class": self.exclude, "--rename": pairs}
        return {option: ",".join(names) or None for option, names in options.items()}

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "classes": list(self.classes),
            "exclude": list(self.exclude),
            "rename": dict(self.rename),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ClassChoice:
        """The inverse of `to_json`."""
        return cls(tuple(value["classes"]), tuple(value["exclude"]), value["rename"])

    def _check(self, names: Iterable[str], known: tuple[str, ...], dataset: Dataset) -> None:
        for name in names:
            if name not in known:
                raise _unfit(f"there is no class '{name}'.", known, dataset, name)


def _renamed(classes: tuple[str, ...], rename: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(rename.get(name, name) for name in classes)


def _verified(dataset: Dataset, new: NDArray[np.int32], count: int) -> NDArray[np.bool_] | None:
    """The verified classes, `(N, count)`: a merged class was looked for if all of its parts were,
    or if one has a box. `new` is the new label of each class, -1 for none."""
    if dataset.verified_classes is None:
        return None
    verified = np.ones((len(dataset), count), np.bool_)
    for label, place in enumerate(new.tolist()):
        if place >= 0:
            verified[:, place] &= dataset.verified_classes[:, label]
    for label, place in enumerate(new.tolist()):
        if place >= 0:
            verified[dataset.images_showing(label), place] = True
    return verified


def _only(dataset: Dataset, labels: NDArray[np.int32]) -> Dataset:
    """Keep boxes whose new label is a class; the others become ignored regions."""
    out = labels < 0
    images = np.concatenate([dataset.image_of_ignored, dataset.image_of_box[out]])
    order = np.argsort(images, kind="stable")
    ignored = np.concatenate([dataset.ignored, dataset.boxes[out]])[order]
    kept = replace(dataset, labels=labels).keep_boxes(~out)
    return replace(kept, ignored=ignored, image_of_ignored=images[order])


def _unfit(what: str, known: tuple[str, ...], dataset: Dataset, name: str = "") -> DataError:
    return DataError(
        "BW199",
        what,
        where=dataset.root,
        nearest=closest_name(name, known) if name else None,
        choices=", ".join(dict.fromkeys(known)),
    )
