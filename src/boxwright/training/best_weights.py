"""The best weights of a training: their selection and their files."""

from __future__ import annotations

from dataclasses import dataclass, replace

from boxwright.evaluation.coco import Evaluation
from boxwright.evaluation.threshold import VALIDATED, Aim, Threshold
from boxwright.inference.artifact import Artifact
from boxwright.inference.run import Run
from boxwright.training.events import Evaluated, Event, Started
from boxwright.training.validation import ValidationResult


@dataclass
class BestWeights:
    """Tracks the best weights so far.

    Attributes:
        noise: an insignificant difference in AP.
        step: the step of the best weights.
        evaluation: their evaluation; None without validation images.
        highest_ap: the highest AP so far; -1 before the first evaluation.
    """

    noise: float
    step: int = 0
    evaluation: Evaluation | None = None
    highest_ap: float = -1.0

    def restore(self, step: int, highest_ap: float, evaluation: Evaluation | None) -> None:
        """Restore the state of a resumed run."""
        self.step, self.highest_ap, self.evaluation = step, highest_ap, evaluation

    def update(self, step: int, result: ValidationResult | None) -> bool:
        """Take the weights of `step` as the best, unless earlier ones are significantly better;
        without a result always. Return True if they are the best."""
        evaluation = result.evaluation if result else None
        ap = (evaluation.ap or 0.0) if evaluation else 0.0
        is_best = ap >= self.highest_ap - self.noise
        if is_best:
            self.step, self.evaluation = step, evaluation
        self.highest_ap = max(self.highest_ap, ap)
        return is_best


def described(artifact: Artifact, step: int, result: ValidationResult | None) -> Artifact:
    """Return the artifact with the weights' step, metrics and threshold."""
    metrics = result.evaluation.to_json() if result else None
    known = replace(artifact, provenance=artifact.provenance | {"metrics": metrics, "step": step})
    if result is None or result.threshold is None:
        return known
    chosen = Threshold(result.threshold, VALIDATED, str(Aim()), met=True, images=len(result.truth))
    return known.with_threshold(chosen.value, chosen.to_json())


class BestWeightsWriter:
    """A subscriber that writes the best weights into the run folder. It writes the initial weights
    first, which makes the folder a run."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __call__(self, event: Event) -> None:
        match event:
            case Started() if not (self._run.exists() and self._run.weights.is_file()):
                # No average differs yet at step 0, and its copy would delay the first step.
                first = event.snapshot.averaged if event.step else event.snapshot.model
                self._run.save(event.artifact, first)
            case Evaluated(is_best=True):
                self._run.save(event.artifact, event.snapshot.averaged)
