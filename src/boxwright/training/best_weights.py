"""The best weights of a training: which they are, and where they are written."""

from __future__ import annotations

from dataclasses import dataclass, replace

from boxwright.evaluation.coco import Evaluation
from boxwright.inference.artifact import Artifact
from boxwright.inference.run import Run
from boxwright.training.events import Evaluated, Event, Started
from boxwright.training.validation import ValidationResult


@dataclass
class BestWeights:
    """Knows which weights are the best so far.

    Attributes:
        noise: a difference in AP that means nothing.
        step: the step that the best weights are from.
        evaluation: how good they are; None if no images validated them.
        highest_ap: so far; -1 before the first evaluation.
    """

    noise: float
    step: int = 0
    evaluation: Evaluation | None = None
    highest_ap: float = -1.0

    def restore(self, step: int, highest_ap: float, evaluation: Evaluation | None) -> None:
        """Go on where an earlier training of the same run stopped."""
        self.step, self.highest_ap, self.evaluation = step, highest_ap, evaluation

    def update(self, step: int, result: ValidationResult | None) -> bool:
        """Take the weights of `step` for the best, unless earlier ones are clearly better; without
        a result always. Returns whether they are."""
        evaluation = result.evaluation if result else None
        ap = (evaluation.ap or 0.0) if evaluation else 0.0
        is_best = ap >= self.highest_ap - self.noise
        if is_best:
            self.step, self.evaluation = step, evaluation
        self.highest_ap = max(self.highest_ap, ap)
        return is_best


def described(artifact: Artifact, step: int, result: ValidationResult | None) -> Artifact:
    """The description of weights: whose step they are from, how good they are, from which score on
    to show what they find."""
    metrics = result.evaluation.to_json() if result else None
    return replace(
        artifact,
        threshold=(result.threshold if result else None) or artifact.threshold,
        provenance=artifact.provenance | {"metrics": metrics, "step": step},
    )


class BestWeightsWriter:
    """A subscriber that writes the best weights into the run's folder, and at the start the first
    ones, with which the folder becomes a run."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __call__(self, event: Event) -> None:
        match event:
            case Started() if not self._run.exists():
                self._run.save(event.artifact, event.snapshot.averaged)
            case Evaluated(is_best=True):
                self._run.save(event.artifact, event.snapshot.averaged)
