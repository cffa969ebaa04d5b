"""Artifact: the description that every detector file contains besides its weights."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path, PurePath
from typing import Any, TypeVar

import numpy as np

from boxwright.errors import DetectorError
from boxwright.images.preprocessing import LETTERBOX, STRETCH, Preprocessing
from boxwright.inference.golden import Golden
from boxwright.io.files import json_text
from boxwright.io.text import is_encodable
from boxwright.ops.postprocess import NmsConfig
from boxwright.safety.limits import MAX_CLASSES, TooLargeError, check_input
from boxwright.structures.old_keys import MODEL, renamed, renamed_provenance

FORMAT = "boxwright-detector"
VERSION = 1
MAX_DETECTIONS = 10_000

_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class Artifact:
    """Class names, preprocessing and origin of a detector: `run.json` or `boxwright.json`.

    Attributes:
        model: the network's architecture, `ModelSpec.to_json()`.
        classes: the class names, in id order; never empty.
        preprocessing: conversion of an image to the network's input.
        threshold: default score threshold, in [0, 1].
        provenance: the origin of the detector, for people and for `export`. Possible keys:
            `boxwright` (version), `data` (`{"path", "fingerprint"}` in a run,
            `{"folder", "fingerprint"}` in an exported file), `recipe`, `metrics`, `weights`,
            `license` (of the weights), `comparison` (of an export), `threshold` (how it was
            chosen), `sizes` (of the training's images and boxes, see `inference.tiling`), and in a
            run `held_out` (names of the training images that it held out for validation).
        golden: an image and the result that an exported file must have for it.
        max_detections: the largest number of detections in an image.
    """

    model: dict[str, Any]
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    threshold: float = 0.5
    provenance: dict[str, Any] = field(default_factory=dict)
    golden: Golden | None = field(default=None, compare=False)
    max_detections: int = NmsConfig.max_total

    @property
    def data_path(self) -> str | None:
        """The path of the training data, if this is a run's artifact."""
        return self._of_data("path")

    @property
    def data_name(self) -> str | None:
        """The name of the training data's folder."""
        return self._of_data("folder") or (self.data_path and PurePath(self.data_path).name)

    @property
    def fingerprint(self) -> str | None:
        """The fingerprint of the training data."""
        return self._of_data("fingerprint")

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The score threshold of each class: its own, if one was saved, else `threshold`."""
        saved = self.provenance.get("threshold")
        own = saved.get("per_class") if isinstance(saved, dict) else None
        own = own if isinstance(own, dict) else {}
        values = (own.get(name) for name in self.classes)
        return tuple(v if isinstance(v, float) else self.threshold for v in values)

    def with_threshold(self, value: float, description: dict[str, Any]) -> Artifact:
        """A copy with another threshold, and a description of where it is from."""
        return replace(
            self, threshold=value, provenance=self.provenance | {"threshold": description}
        )

    def without_paths(self) -> Artifact:
        """A copy without local paths and names, for files that are distributed."""
        known = {key: value for key, value in self.provenance.items() if key != "held_out"}
        if "data" in known:
            known["data"] = {"folder": self.data_name, "fingerprint": self.fingerprint}
        return replace(self, provenance=known)

    @property
    def nms_config(self) -> NmsConfig:
        """The settings of the NMS in an exported file."""
        return NmsConfig(max_per_class=self.max_detections, max_total=self.max_detections)

    def _of_data(self, key: str) -> str | None:
        data = self.provenance.get("data")
        value = data.get(key) if isinstance(data, dict) else None
        return value if isinstance(value, str) else None

    def to_json(self) -> dict[str, Any]:
        golden = {"golden": self.golden.to_json()} if self.golden else {}
        usual = self.max_detections == NmsConfig.max_total
        fewer = {} if usual else {"max_detections": self.max_detections}
        return {
            "format": FORMAT,
            "version": VERSION,
            "model": self.model,
            "classes": list(self.classes),
            "preprocessing": self.preprocessing.to_json(),
            "threshold": self.threshold,
            "provenance": self.provenance,
            **fewer,
            **golden,
        }

    @classmethod
    def from_json(cls, value: Any, *, where: str | Path | None = None) -> Artifact:
        """The inverse of `to_json`; `where` names the file in error messages.

        Raises:
            DetectorError: BW502 a key is missing or has an invalid value, BW503
                the file was written by a newer Boxwright, BW504 it has no class names.
        """
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise damaged(f'its "format" is not "{FORMAT}"', where)
        version = _get(value, "version", int, where)
        if version > VERSION:
            raise DetectorError(
                "BW503",
                f"has format version {version}; this Boxwright reads versions up to {VERSION}.",
                where=where,
            )
        classes = value.get("classes")
        if classes is None or classes == []:
            raise without_class_names(where)
        model = _get(value, "model", dict, where)
        if not isinstance(classes, list) or not all(map(_is_name, classes)):
            raise damaged('its "classes" are not a list of names', where)
        if len(set(classes)) != len(classes):
            raise damaged('its "classes" contain a name twice', where)
        if model.get("num_classes", len(classes)) != len(classes):
            count = model["num_classes"]
            raise damaged(f'it has {len(classes)} "classes", but its model has {count}', where)
        threshold = value.get("threshold", 0.5)
        if isinstance(threshold, bool) or not isinstance(threshold, int | float):
            raise damaged(f'its "threshold" is not a number but {threshold!r}', where)
        if not 0 <= threshold <= 1:
            raise damaged(f'its "threshold" is not in [0, 1] but {threshold!r}', where)
        if len(classes) > MAX_CLASSES:
            raise too_large(f"it has {len(classes):,} classes", where)
        preprocessing = _preprocessing(_get(value, "preprocessing", dict, where), where)
        rows = _get({"max_detections": NmsConfig.max_total} | value, "max_detections", int, where)
        if not 0 < rows <= MAX_DETECTIONS:
            raise damaged(f'its "max_detections" is {rows}', where)
        return cls(
            model=renamed(model, MODEL),
            classes=tuple(classes),
            preprocessing=preprocessing,
            threshold=float(threshold),
            provenance=renamed_provenance(_get(value, "provenance", dict, where)),
            golden=_golden(value.get("golden"), preprocessing.size, len(classes), where),
            max_detections=rows,
        )

    def to_text(self) -> str:
        """`to_json` as JSON text, the inverse of `from_text`."""
        return json_text(self.to_json(), indent=None)

    @classmethod
    def from_text(cls, text: str | bytes, *, where: str | Path | None = None) -> Artifact:
        """`from_json` for the JSON text itself; raises the same errors."""
        try:
            return cls.from_json(json.loads(text), where=where)
        except (ValueError, OverflowError, RecursionError) as error:  # not JSON, or not UTF-8
            raise damaged(f"its description is not JSON ({error})", where) from error


def without_class_names(where: str | Path | None) -> DetectorError:
    """The error for a detector file without class names."""
    return DetectorError(
        "BW504",
        "contains no class names, only class numbers.",
        where=where,
    )


def damaged(what: str, where: str | Path | None) -> DetectorError:
    """The error for a detector file with invalid content."""
    return DetectorError(
        "BW502",
        f"is damaged or not a Boxwright detector: {what}.",
        where=where,
    )


def too_large(what: object, where: str | Path | None) -> DetectorError:
    """The error for a detector file that asks for more than the limits."""
    return DetectorError("BW515", f"asks for too much: {what}.", where=where)


def _golden(value: Any, side: int, classes: int, where: str | Path | None) -> Golden | None:
    if value is None:
        return None
    try:
        golden = Golden.from_json(value)
    except ValueError as error:
        raise damaged(str(error), where) from error
    if golden.image.shape[:2] != (side, side) or not np.isin(golden.labels, range(classes)).all():
        raise damaged("its golden image does not fit its network", where)
    return golden


def _preprocessing(value: dict[str, Any], where: str | Path | None) -> Preprocessing:
    if value.get("resize") not in (STRETCH, LETTERBOX):
        raise damaged(f'its "resize" is unknown: {value.get("resize")!r}', where)
    size = _get(value, "size", int, where)
    if size < 1:
        raise damaged(f'its "size" is not a number of pixels but {size}', where)
    try:
        check_input([size], "its input")
    except TooLargeError as error:
        raise too_large(error, where) from error
    try:
        known = Preprocessing.from_json(value)
        if not (0 < abs(known.scale) < inf and abs(known.offset) < inf):
            raise ValueError(f"scale {known.scale:g}, offset {known.offset:g}")
        return known
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise damaged(f'its "preprocessing" cannot be read ({error!r})', where) from error


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value != "" and is_encodable(value)


def _get(value: dict[str, Any], key: str, kind: type[_Kind], where: str | Path | None) -> _Kind:
    if key not in value:
        raise damaged(f'the key "{key}" is missing', where)
    found = value[key]
    if not isinstance(found, kind) or isinstance(found, bool):
        raise damaged(f'"{key}" should be {_NAMES[kind]} but is {found!r}', where)
    return found


_NAMES: dict[type, str] = {int: "a whole number", dict: "an object"}
