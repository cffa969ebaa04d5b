"""What a training keeps: the best weights so far, ready to detect with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from numpy.typing import NDArray

from boxwright.evaluation.coco import Evaluation
from boxwright.inference.artifact import Artifact
from boxwright.inference.run import Run
from boxwright.models.model import DetectionModel
from boxwright.training.validation import Judgement, Jury


class Snapshot(NamedTuple):
    """A training at a moment worth keeping.

    Attributes:
        step: how many steps are done.
        model: the network with the weights of that step, not averaged.
        slots: what the optimiser keeps beside each variable, and the average, by the names that
            they have in a checkpoint of the Object Detection API.
    """

    step: int
    model: Any
    slots: Mapping[str, NDArray[Any]]


OnKeep = Callable[[Snapshot], None]


@dataclass
class Keeper:
    """Judges weights and keeps them in the run, unless earlier ones are clearly better.

    Attributes:
        run: where they are kept.
        artifact: what is written beside them.
        model: with a float32 network, for the weights that are judged.
        changing: its variables that training changes.
        jury: the photos that judge; without any, the last weights are kept.
        best: how good the kept weights are; None if no photo judged them.
        best_step: the step they are from.
        best_ap: the highest AP so far; -1 before the first.
    """

    run: Run
    artifact: Artifact
    model: DetectionModel
    changing: Sequence[Any]
    jury: Jury
    best: Evaluation | None = None
    best_step: int = 0
    best_ap: float = -1.0

    def recall(self, best_step: int, best_ap: float) -> None:
        """Go on where an earlier training with the same run stopped."""
        self.best_step, self.best_ap = best_step, best_ap
        if len(self.jury) and best_ap >= 0:
            self.best = self.jury.judge(self.run.build_model()).evaluation

    def consider(self, step: int, weights: Sequence[NDArray[Any]]) -> Judgement | None:
        """Judge the values of `changing` at a step, and keep them if they are worth it."""
        for variable, value in zip(self.changing, weights, strict=True):
            variable.assign(value)
        judged = self.jury.judge(self.model) if len(self.jury) else None
        now = judged.evaluation if judged else None
        ap = (now.ap or 0.0) if now else 0.0
        if ap >= self.best_ap - self.jury.noise():
            self.best, self.best_step = now, step
            metrics = now.to_json() if now else None
            origin = self.artifact.provenance | {"metrics": metrics, "step": step}
            shown_from = (judged.threshold if judged else None) or self.artifact.threshold
            artifact = replace(self.artifact, threshold=shown_from, provenance=origin)
            self.run.save(artifact, self.model)
        self.best_ap = max(self.best_ap, ap)
        return judged
