"""The run folder of a training.

run.json           the Artifact: model, classes, preprocessing, provenance with metrics
best.weights.h5    the best weights
checkpoint.npz     the state for an exact resume
log.jsonl          one line per report: step, losses and learning rate, or an evaluation
report.html        the report, with report.json beside it
bench.json         what `boxwright bench` measured of the files in the folder
tensorboard/       the same as TensorBoard events
.lock              lock of the running training, with its process id
"""

from __future__ import annotations

import gc
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxwright.errors import BoxwrightError, DetectorError
from boxwright.inference.artifact import Artifact, damaged, too_large
from boxwright.io.files import write_json, writing
from boxwright.safety.limits import TooLargeError

if TYPE_CHECKING:
    from boxwright.models.model import DetectionModel


class Run:
    """The folder of a training run, which need not exist yet."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.description = self.folder / "run.json"
        self.weights = self.folder / "best.weights.h5"
        self.checkpoint = self.folder / "checkpoint.npz"
        self.log = self.folder / "log.jsonl"
        self.report = self.folder / "report.html"
        self.times = self.folder / "bench.json"
        self.tensorboard = self.folder / "tensorboard"
        self.lock = self.folder / ".lock"

    def exists(self) -> bool:
        """True if the folder contains a run."""
        return self.description.is_file()

    @property
    def artifact(self) -> Artifact:
        """The artifact in `run.json`.

        Raises:
            DetectorError: BW501 the folder is not a run, BW502 to BW504 it is damaged.
        """
        try:
            text = self.description.read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise DetectorError(
                "BW501",
                "is not a run folder: it has no run.json.",
                where=self.folder.absolute(),
            ) from error
        return Artifact.from_text(text, where=self.description)

    def build_model(self) -> DetectionModel:
        """The detection model with the run's best weights, float32.

        Raises:
            DetectorError: BW501 to BW504, as `artifact`; BW502 also if the network is unknown or
                the run has no usable weights, BW509 if its family is unknown.
        """
        from boxwright.models import registry

        try:
            family, spec = registry.restored(self.artifact.model)
        except TooLargeError as error:
            raise too_large(error, self.description) from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise damaged(
                f'its "model" is not a network that Boxwright knows ({error})', self.description
            ) from error
        try:
            model = family.build(spec)
        except BoxwrightError:
            raise
        except Exception as error:  # Keras raises many different classes
            reason = f"its network cannot be built ({type(error).__name__}: {error})"
            raise damaged(reason.splitlines()[0][:300], self.description) from error
        if problem := _load_weights(model.network, self.weights):
            gc.collect()  # Keras leaves the file open; HDF5 would show its old content again
            message = f"cannot be loaded into the run's model ({problem})."
            raise DetectorError("BW502", message, where=self.weights)
        return model

    def save(self, artifact: Artifact, model: DetectionModel) -> None:
        """Write weights and description, each atomically."""
        with writing(self.weights) as draft:
            model.network.save_weights(draft)
        self.describe(artifact)

    def describe(self, artifact: Artifact) -> None:
        """Write the description alone, atomically."""
        write_json(self.description, artifact.to_json())


def _load_weights(network: Any, path: Path) -> str | None:
    """Load weights into a network; returns why they cannot be loaded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # a missing layer is only a warning
            network.load_weights(path)
    except Exception as error:  # of many classes, of Keras and h5py
        return str(error).partition("\n")[0] or type(error).__name__
    return None
