"""Checks of a run folder before training: locks, checkpoints and options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from boxwright.datasets.source import choice_of
from boxwright.errors import TrainingError
from boxwright.inference.run import Run
from boxwright.io.files import locked, write_json
from boxwright.models.registry import DEFAULT
from boxwright.training.checkpoint import Checkpoint, nothing_to_resume


@contextmanager
def only_training(run: Run) -> Iterator[None]:
    """Lock the folder against other trainings.

    Raises:
        TrainingError: BW309 another training is running there.
        SystemFaultError: BW902, BW903 the folder cannot be written.
    """

    def refusal(process: str) -> TrainingError:
        return TrainingError(
            "BW309",
            f"another training is running in this folder (process {process}).",
            where=run.folder.absolute(),
        )

    with locked(run.lock, refusal):
        yield


def checkpoint_of(run: Run, resume: bool) -> Checkpoint | None:
    """Return the checkpoint to resume from, or None in a folder without a run.

    Raises:
        TrainingError: BW304 the folder already has a run, BW305 there is no checkpoint.
    """
    if resume:
        recover(run)
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


def recover(run: Run) -> None:
    """Write the description of a run that was killed after its first checkpoint and before it.

    Raises:
        TrainingError: BW305 the checkpoint is damaged.
    """
    if run.exists() or not run.checkpoint.is_file():
        return
    artifact = Checkpoint.load(run.checkpoint).artifact
    if artifact is not None:
        write_json(run.description, artifact)


def check_options(run: Run, asked: Mapping[str, Any]) -> None:
    """Refuse options that a resumed run cannot change.

    Args:
        run: the run to resume; without one there is no check.
        asked: values by option; None for those that were not given.

    Raises:
        TrainingError: BW310 an option differs from the original run.
    """
    if not run.exists():
        return
    provenance = run.artifact.provenance
    recipe, weights = provenance.get("recipe", {}), provenance.get("weights")
    begun = {
        "--model": recipe.get("model", DEFAULT),
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
