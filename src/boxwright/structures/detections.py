"""Detections: the result of a detector for one image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.errors import DetectorError
from boxwright.ops.boxes import corner_and_sides

if TYPE_CHECKING:
    from PIL import Image

    from boxwright.images.inputs import ImageLike


class Detection(NamedTuple):
    """One box: class name, score in [0, 1], and `(xmin, ymin, xmax, ymax)` in pixels."""

    name: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Detections:
    """The boxes found in one image, sorted by score, highest first.

        >>> detections = boxwright.predict("image.jpg", "run")
        >>> for name, score, (xmin, ymin, xmax, ymax) in detections:
        ...     print(f"{name} {score:.0%} from {xmin:.0f}, {ymin:.0f} to {xmax:.0f}, {ymax:.0f}")
        >>> detections["square"].above(0.7).draw("image.jpg").save("found.jpg")

    `detections[0]` is the best `Detection`; a slice, a mask, an array of indices or the name of a
    class selects `Detections`.

    Attributes:
        boxes: `(n, 4)` float32, absolute xyxy pixels of the oriented image.
        scores: `(n,)` float32 in [0, 1].
        labels: `(n,)` int32, 0-based ids into `classes`.
        classes: the class names, in id order.
        image_size: width and height of the oriented image, pixels; None if unknown.
        track_ids: `(n,)` int64, the identity of each object in its video, -1 without; None if no
            objects were tracked.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int32]
    classes: tuple[str, ...] = field(repr=False)
    image_size: tuple[int, int] | None = None
    track_ids: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "boxes", np.asarray(self.boxes, np.float32).reshape(-1, 4))
        object.__setattr__(self, "scores", np.asarray(self.scores, np.float32).reshape(-1))
        object.__setattr__(self, "labels", np.asarray(self.labels, np.int32).reshape(-1))
        if not len(self.boxes) == len(self.scores) == len(self.labels):
            raise ValueError(
                f"boxes {self.boxes.shape}, scores {self.scores.shape} and labels "
                f"{self.labels.shape} must have the same length"
            )
        if self.track_ids is not None:
            identities = np.asarray(self.track_ids, np.int64).reshape(-1)
            object.__setattr__(self, "track_ids", identities)
            if len(identities) != len(self.scores):
                raise ValueError(f"{len(identities)} track_ids do not fit {len(self.scores)} boxes")
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise ValueError(f"labels must be ids below {len(self.classes)}")

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[Detection]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, which: int | np.integer[Any]) -> Detection: ...

    @overload
    def __getitem__(self, which: str | slice | NDArray[Any] | Sequence[int]) -> Detections: ...

    def __getitem__(
        self, which: int | np.integer[Any] | str | slice | NDArray[Any] | Sequence[int]
    ) -> Detection | Detections:
        """Select one detection by index, or several by slice, mask, indices or class name.

        Raises:
            IndexError: the index is out of range.
            KeyError: there is no such class.
        """
        if isinstance(which, int | np.integer):
            xmin, ymin, xmax, ymax = (float(v) for v in self.boxes[which])
            name, score = self.classes[self.labels[which]], float(self.scores[which])
            return Detection(name, score, (xmin, ymin, xmax, ymax))
        if isinstance(which, str):
            if which not in self.classes:
                raise KeyError(f"{which!r} is not one of the classes {', '.join(self.classes)}")
            which = self.labels == self.classes.index(which)
        rows: Any = which if isinstance(which, slice) else np.asarray(which)
        if isinstance(rows, np.ndarray) and not rows.size and rows.dtype != np.bool_:
            rows = rows.astype(np.int64)  # NumPy reads an empty list as floats
        return replace(
            self,
            boxes=self.boxes[rows],
            scores=self.scores[rows],
            labels=self.labels[rows],
            track_ids=None if self.track_ids is None else self.track_ids[rows],
        )

    def above(self, threshold: float) -> Detections:
        """Return the detections with a score of at least `threshold`."""
        return self[self.scores >= threshold]

    def resized(self, size: tuple[int, int]) -> Detections:
        """Scale the boxes to an image of `size`, width and height.

        Raises:
            DetectorError: BW510 the size of the image is not known.
        """
        width, height = self._known_size()
        scale = np.array([size[0] / width, size[1] / height] * 2, np.float32)
        return replace(self, boxes=self.boxes * scale, image_size=size)

    @classmethod
    def concatenate(cls, parts: Iterable[Detections]) -> Detections:
        """Concatenate the detections of several detectors in one image, highest score first.

        Classes are matched by name; new classes are appended in order of appearance. There is no
        NMS, and identities are dropped.

        Raises:
            DetectorError: BW511 the parts are of images of different sizes.
        """
        parts = list(parts)
        classes = tuple(dict.fromkeys(name for part in parts for name in part.classes))
        sizes = list(dict.fromkeys(part.image_size for part in parts if part.image_size))
        if len(sizes) > 1:
            listed = " and ".join(f"{width} x {height}" for width, height in sizes)
            raise DetectorError("BW511", f"these detections are in images of {listed} pixels.")
        ids = [
            np.array([classes.index(name) for name in part.classes], np.int32)[part.labels]
            for part in parts
        ]
        scores = np.concatenate([np.zeros(0, np.float32), *(part.scores for part in parts)])
        together = cls(
            np.concatenate([np.zeros((0, 4), np.float32), *(part.boxes for part in parts)]),
            scores,
            np.concatenate([np.zeros(0, np.int32), *ids]),
            classes,
            sizes[0] if sizes else None,
        )
        return together[np.argsort(-scores, kind="stable")]

    def draw(self, image: ImageLike, *, scores: bool = True, bgr: bool = False) -> Image.Image:
        """Return a copy of the image with the boxes and their classes drawn.

        Args:
            image: any input of `Detector.predict`; the boxes are scaled if its size differs from
                the size of the image that they were detected in.
            scores: write the score after the class.
            bgr: an array has its channels in BGR order.

        Raises:
            DataError, DetectorError: as `Detector.predict`.
        """
        from boxwright.images.inputs import open_image
        from boxwright.visualize.draw import draw

        picture = open_image(image, bgr=bgr).picture
        fitting = self.resized(picture.size) if self.image_size else self
        return draw(picture, fitting, scores=scores)

    # ---- Conversions to other packages -----------------------------------------------------------

    def to_json(self) -> list[dict[str, Any]]:
        """`[{"class": ..., "score": ..., "box": [xmin, ymin, xmax, ymax]}, ...]`, pixels; with
        `track_id` if objects were tracked, null for those without identity."""
        return [
            {"class": name, "score": round(score, 4), "box": [round(v, 2) for v in box], **identity}
            for (name, score, box), identity in zip(self, self._identities(), strict=True)
        ]

    def to_coco(
        self, image_id: int | str, *, category_ids: Mapping[str, int] | None = None
    ) -> list[dict[str, Any]]:
        """COCO results: a dictionary per box, with `bbox` as x, y, width, height; with `track_id`
        as in `to_json`.

        Args:
            image_id: the image's id in the annotation file.
            category_ids: ids of the classes in that file; by default from 1 in the order of
                `classes`, as in the COCO files that Boxwright writes.
        """
        if category_ids is None:
            category_ids = {name: number for number, name in enumerate(self.classes, 1)}
        return [
            {
                "image_id": image_id,
                "category_id": category_ids[name],
                "bbox": [xmin, ymin, xmax - xmin, ymax - ymin],
                "score": score,
                **identity,
            }
            for (name, score, (xmin, ymin, xmax, ymax)), identity in zip(
                self, self._identities(), strict=True
            )
        ]

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame`, a row per box: `xmin ymin xmax ymax confidence class name`, and
        `track_id` if objects were tracked.

        Raises:
            SystemFaultError: BW901 pandas is not installed.
        """
        columns = dict(zip(("xmin", "ymin", "xmax", "ymax"), self.boxes.T, strict=True))
        about = {"confidence": self.scores, "class": self.labels, "name": self._names()}
        tracked = {} if self.track_ids is None else {"track_id": self.track_ids}
        return framework.pandas().DataFrame({**columns, **about, **tracked})

    def to_supervision(self) -> Any:
        """`supervision.Detections`, with the names of the classes in `data["class_name"]`.

        Raises:
            SystemFaultError: BW901 supervision is not installed.
        """
        return framework.supervision().Detections(
            xyxy=self.boxes,
            confidence=self.scores,
            class_id=self.labels.astype(np.int64),
            tracker_id=self.track_ids,
            data={"class_name": np.array(self._names(), np.str_)},
        )

    def to_fiftyone(self) -> Any:
        """`fiftyone.Detections`, whose boxes are x, y, width, height from 0 to 1, and whose `index`
        is the identity of a tracked object.

        Raises:
            DetectorError: BW510 the size of the image is not known.
            SystemFaultError: BW901 FiftyOne is not installed.
        """
        width, height = self._known_size()
        fiftyone = framework.fiftyone()
        boxes = corner_and_sides(self.boxes) / [width, height, width, height]
        return fiftyone.Detections(
            detections=[
                fiftyone.Detection(
                    label=each.name,
                    bounding_box=box,
                    confidence=each.score,
                    index=identity.get("track_id"),
                )
                for each, box, identity in zip(
                    self, boxes.tolist(), self._identities(), strict=True
                )
            ]
        )

    def to_tensorflow(self) -> dict[str, Any]:
        """The output of a SavedModel of the Object Detection API for a batch of this image.

        float32 tensors with the API's names: `detection_boxes` `(1, n, 4)`, ymin, xmin, ymax,
        xmax from 0 to 1; `detection_classes` `(1, n)`, 1-based; `detection_scores` `(1, n)`;
        `num_detections` `(1,)`.

        Raises:
            DetectorError: BW510 the size of the image is not known.
            SystemFaultError: BW901 TensorFlow is not installed.
        """
        width, height = self._known_size()
        boxes = self.boxes[:, [1, 0, 3, 2]] / np.array([height, width] * 2, np.float32)
        values: dict[str, NDArray[Any]] = {
            "detection_boxes": boxes,
            "detection_classes": self.labels + 1,
            "detection_scores": self.scores,
            "num_detections": np.array(len(self)),
        }
        tf = framework.tensorflow()
        return {name: tf.constant(value[None], dtype=tf.float32) for name, value in values.items()}

    def _names(self) -> list[str]:
        return [self.classes[label] for label in self.labels]

    def _identities(self) -> list[dict[str, int | None]]:
        """What each of them says about its identity: nothing if no objects were tracked."""
        if self.track_ids is None:
            return [{}] * len(self)
        return [{"track_id": each if each >= 0 else None} for each in self.track_ids.tolist()]

    def _known_size(self) -> tuple[int, int]:
        if self.image_size is None:
            raise DetectorError("BW510", "the image size of these detections is unknown.")
        return self.image_size
