"""A run's folder before training: whether it may be written, and where to go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from boxwright.datasets.source import choice_of
from boxwright.errors import TrainingError
from boxwright.inference.run import Run
from boxwright.io.files import locked
from boxwright.training.checkpoint import Checkpoint, nothing_to_resume


@contextmanager
def only_training(run: Run) -> Iterator[None]:
    """Keep other trainings out of the folder, and remove what killed ones left half-written.

    Raises:
        TrainingError: BW309 another one is at work there.
        SystemFaultError: BW902, BW903 the folder cannot be written.
    """

    def refusal(process: str) -> TrainingError:
        return TrainingError(
            "BW309",
            f"another training is running in this folder (process {process}).",
            where=run.folder.absolute(),
        )

    with locked(run.lock, refusal):
        run.sweep()
        yield


def checkpoint_of(run: Run, resume: bool) -> Checkpoint | None:
    """Where to go on, or None in a folder without a run.

    Raises:
        TrainingError: BW304 there is a run that was not to go on, BW305 there is nothing to go on.
    """
    if resume:
        if not run.exists():
            raise nothing_to_resume(run.checkpoint)
        return Checkpoint.load(run.checkpoint)
    if run.exists():
        ended = "" if run.checkpoint.is_file() else ", which ended before its first checkpoint"
        raise TrainingError(
            "BW304",
            f"there is already a run in this folder{ended}.",
            where=run.folder.absolute(),
        )
    return None


def check_options(run: Run, asked: Mapping[str, Any]) -> None:
    """Refuse what a run cannot change any more.

    Args:
        run: that is to go on; if there is none, this is not the place to say so.
        asked: values by option; None for those that were not given.

    Raises:
        TrainingError: BW310 the run began otherwise.
    """
    if not run.exists():
        return
    provenance = run.artifact.provenance
    recipe, weights = provenance.get("recipe", {}), provenance.get("weights")
    begun = {
        "--weights": weights,
        "--from-scratch": weights is None,
        "--seed": recipe.get("seed"),
        "--input-size": recipe.get("input_size"),
        "--depth-multiplier": recipe.get("depth_multiplier"),
        "--deterministic": recipe.get("deterministic", False),
        **choice_of(provenance).as_options(),
    }
    for option, value in asked.items():
        if value is not None and value != begun[option]:
            raise TrainingError(
                "BW310",
                f"this run began {_given(option, begun[option])} and cannot continue "
                f"{_given(option, value)}.",
                where=run.folder.absolute(),
                option=option,
            )


def _given(option: str, value: Any) -> str:
    if value is None or value is False:
        return f"without {option}"
    return f"with {option}" if value is True else f"with {option} {value}"
