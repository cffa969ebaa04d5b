"""The detectors of a server: who may use them when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from boxwright.inference.artifact import Artifact
from boxwright.inference.contract import Contract
from boxwright.serving.settings import Settings
from boxwright.structures.detections import Detections

ServedImage: TypeAlias = bytes | NDArray[np.uint8]  # an image file, or RGB (H, W, 3)


class Model(Protocol):
    """A detector that is served under a name. Its file may be replaced, so read each property
    when it is needed.

    Attributes:
        name: the name in addresses.
        version: 1, and one more after each replacement of the file.
        kind: the kind of file, a key of `inference.file_kinds.FILE_KINDS`, such as `.tflite`.
        classes: the class names, in id order.
        ready: True after the warm-up; the attributes below exist only then.
        artifact: the file's own description.
        contract: inputs and outputs of the file; None of a run folder.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def ready(self) -> bool: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def artifact(self) -> Artifact: ...
    @property
    def contract(self) -> Contract | None: ...

    def kept(
        self,
        detections: Detections,
        score: float | None = None,
        classes: Sequence[str] | None = None,
    ) -> Detections:
        """Those of at least this score, and of these classes.

        Args:
            detections: as `Service.detect` returns them.
            score: None takes the detector's own thresholds, 0 all.
            classes: names; None takes all.

        Raises:
            Refusal: 400 there is no such class, or the score is not in [0, 1].
        """
        ...


class Service:
    """Runs the detectors for all protocols.

    Attributes:
        models: the detectors by name, in the order of the command line.
        settings: limits.
    """

    models: Mapping[str, Model]
    settings: Settings

    @property
    def ready(self) -> bool:
        """True once all models are warmed up."""
        raise NotImplementedError

    def model(self, name: str | None = None, version: int | None = None) -> Model:
        """The model of a name, ready or not; the only one for None.

        Raises:
            Refusal: 404 there is no such model or version, 400 None where there are several.
        """
        raise NotImplementedError

    async def detect(
        self, name: str, images: Sequence[ServedImage], *, request_id: str
    ) -> list[Detections]:
        """All detections in each image at any score, in pixels of the oriented image.

        The images of a request enter the queue together, and one thread processes them in turn.

        Args:
            name: of a model.
            images: files of any format that `boxwright predict` opens, or RGB arrays `(H, W, 3)`.
            request_id: of the log, see `app.request_id`.

        Returns:
            One for each image; `image_size` is its width and height.

        Raises:
            Refusal: 400 not an image, 404 no such model, 413 too many pixels, 415 an image of a
                format that is not opened, 429 the queue is full, 503 not ready, 504 timed out.
        """
        raise NotImplementedError
