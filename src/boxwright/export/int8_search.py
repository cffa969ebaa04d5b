"""Search for an int8 file that is as accurate as its run, trying the cheapest method first.

The search never uses test images, so that the final comparison on them stays unbiased.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from boxwright.errors import DetectorError
from boxwright.export.calibrate import Calibration
from boxwright.export.conversion import Quantization
from boxwright.export.tflite import quantization_errors, write_tflite
from boxwright.export.verify import NOT_TESTING, TOLERANCES, Reference
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.file_kinds import remember
from boxwright.inference.tiling import Tiling
from boxwright.models.model import DetectionModel
from boxwright.structures.dataset import Dataset
from boxwright.training.tiles import cut

AIM = 0.005  # AP loss: half of the limit, as a margin for other images
EXACT_LAYERS = 4
EXACT_FROM = 0.5  # error in steps, above that of rounding the exact result

_CALL = re.compile(r"_1$")  # Keras appends the number of the call to the layer's name

Say = Callable[[str], None]
Retrain = Callable[[], DetectionModel]  # returns a fine-tuned model


class Attempt(NamedTuple):
    """A method and the AP loss of its file on non-test images, in [0, 1]."""

    name: str
    loss: float


class _Candidate(NamedTuple):
    name: str
    model: DetectionModel
    how: Quantization


def write_best_int8(
    path: Path,
    model: DetectionModel,
    artifact: Artifact,
    dataset: Dataset,
    run: Detector,
    say: Say,
    retrain: Retrain | None = None,
) -> list[Attempt]:
    """Write the int8 file with the smallest AP loss; stop at the first small enough loss.

    Args:
        path: the file to write.
        model, artifact: as in `write_tflite`.
        dataset: training images for calibration; validation and training images for comparison.
        run: the detector to compare with.
        say: called with the result of each attempt.
        retrain: fine-tunes the network with QAT.

    Returns:
        The attempts, the chosen one last.

    Raises:
        ExportError: BW402 to BW405.
        DetectorError: the first file cannot be loaded.
    """
    reference = Reference.of(run, dataset, NOT_TESTING)
    attempts: list[Attempt] = []
    for candidate in _candidates(model, artifact, dataset, retrain):
        draft = path.with_name(f"{path.name}-attempt")
        write_tflite(draft, candidate.model, artifact, candidate.how)
        remember(draft)
        try:
            file = Detector.load(draft)
        except DetectorError:
            if not attempts:
                raise
            say(f"int8, {candidate.name}: XNNPACK refuses the file")
            draft.unlink()
            continue
        loss = reference.compare(file, TOLERANCES["int8"]).loss
        say(f"int8, {candidate.name}: AP loss {100 * loss:.2f} points (without test images)")
        attempts.append(Attempt(candidate.name, loss))
        best = min(attempts, key=lambda attempt: attempt.loss)
        if attempts[-1] is best:
            draft.replace(path)
        draft.unlink(missing_ok=True)
        if loss <= AIM:
            break
    return [*(attempt for attempt in attempts if attempt is not best), best]


def _candidates(
    model: DetectionModel,
    artifact: Artifact,
    dataset: Dataset,
    retrain: Retrain | None,
) -> Iterator[_Candidate]:
    """The methods to try, cheapest first."""
    dataset = cut(dataset, Tiling.trained(artifact), artifact.preprocessing.size)
    images = Calibration.of(dataset, artifact.preprocessing)
    plain = Quantization("int8", images)
    yield _Candidate(f"calibrated on {len(images)} images", model, plain)
    if model.heads:
        exact = replace(plain, exact_parts=(model.heads,))
        yield _Candidate("heads in float32", model, exact)
    else:
        yield from _without_worst_layers(model, artifact, plain)
    if retrain:
        yield _Candidate("after a minute of QAT", retrain(), plain)


def _without_worst_layers(
    model: DetectionModel, artifact: Artifact, plain: Quantization
) -> Iterator[_Candidate]:
    """A file whose worst layers compute in float32, if any is bad enough."""
    errors = quantization_errors(model, artifact, plain)
    # A range that excludes values that are never shown has irrelevant errors.
    errors = [error for error in errors if not model.shows_part_of(error.tensor)][:EXACT_LAYERS]
    worst = [error for error in errors if error.steps >= EXACT_FROM]
    if worst:
        layers = {layer.name for layer in model.network.layers}
        names = ", ".join(
            f"{layer_of(each.tensor, layers)} ({each.steps:.1f} steps)" for each in worst
        )
        exact = replace(plain, exact=tuple(each.tensor for each in worst))
        yield _Candidate(f"worst layers in float32, {names}", model, exact)


def layer_of(tensor: str, layers: Collection[str]) -> str:
    """The one of `layers` that computes a tensor of a converted file."""
    parts = [_CALL.sub("", part) for part in tensor.split(";")[-1].split("/")]
    named = [part for part in parts if part in layers]
    return named[-1] if named else parts[-1]
