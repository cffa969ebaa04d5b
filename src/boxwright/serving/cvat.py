"""A detector as an auto-annotation function of CVAT; only CVAT's own command line imports this.

    cvat-cli task auto-annotate 7 --function-module boxwright.serving.cvat \\
      --function-parameter detector=str:run/detector.tflite
"""

from __future__ import annotations

import cvat_sdk.auto_annotation as cvat
from cvat_sdk.models import LabeledShapeRequest
from PIL import Image

from boxwright.inference.detector import Detector


class DetectionFunction:
    """Detects in one image after another on this computer, without a server of ours.

    Args:
        detector: the path of a run or of an exported file.
        threshold: the least score where CVAT states none; None takes the detector's own.

    Raises:
        BoxwrightError: as `Detector.load`.
    """

    def __init__(self, detector: str, threshold: float | None = None) -> None:
        self._detector, self._threshold = Detector.load(detector), threshold

    @property
    def spec(self) -> cvat.DetectionFunctionSpec:
        """The classes, which CVAT compares by name with the labels of a task."""
        return cvat.DetectionFunctionSpec(
            labels=[
                cvat.label_spec(name, label, type="rectangle")
                for label, name in enumerate(self._detector.classes)
            ]
        )

    def detect(
        self, context: cvat.DetectionFunctionContext, image: Image.Image
    ) -> list[LabeledShapeRequest]:
        """A rectangle for each object, in pixels of the image."""
        asked = context.conf_threshold
        threshold = self._threshold if asked is None else asked
        found = self._detector.predict(image, threshold=threshold)
        return [
            cvat.rectangle(int(label), box.tolist())
            for label, box in zip(found.labels, found.boxes, strict=True)
        ]


create = DetectionFunction
