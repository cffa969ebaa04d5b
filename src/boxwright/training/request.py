"""The arguments of a training, checked together before any data is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from boxwright.datasets.class_choice import ClassChoice
from boxwright.datasets.describe import counted
from boxwright.datasets.source import DataSource, choice_of, known_paths, options_of
from boxwright.errors import ArgumentError
from boxwright.formats import ReadOptions
from boxwright.inference.run import Run
from boxwright.models.registry import DEFAULT, FAMILIES, family_of_weights
from boxwright.models.weights import zoo
from boxwright.models.weights.published import Published
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import summary
from boxwright.training.budget import seconds_of
from boxwright.training.candidates import Machine
from boxwright.training.checkpoint import Checkpoint, nothing_to_resume
from boxwright.training.data import images_to_cache
from boxwright.training.deciding import checked, recipe_for_run
from boxwright.training.events import Downloading, Note, Subscriber
from boxwright.training.recipe import Recipe
from boxwright.training.run_folder import check_options, recover
from boxwright.training.sanity_checks import check_trainable
from boxwright.training.tools import Tools, measured_machine

FROM_SCRATCH_NEEDS = 10_000  # images


@dataclass(frozen=True)
class TrainingRequest:
    """The arguments of `api.train`.

    Raises:
        ArgumentError: BW801 the budget is not a time, BW802 arguments contradict each other or
            data is missing.
        TrainingError: BW310 options differ from those of the resumed run, BW312, BW313 a setting
            of the recipe is invalid.
        WeightsError: BW201 there are no such weights.
    """

    data: Dataset | tuple[Path, ...]
    out: Path
    budget: str | float | None = None
    steps: int | None = None
    weights: str | Path | None = None
    from_scratch: bool = False
    model: str | None = None
    recipe: Recipe | Mapping[str, Any] | None = None
    choice: ClassChoice = field(default_factory=ClassChoice)
    options: ReadOptions | None = None
    input_size: int | None = None
    largest_input: int | None = None
    depth_multiplier: float | None = None
    seed: int | None = None
    deterministic: bool = False
    resume: bool = False

    def __post_init__(self) -> None:
        contradictions = {
            "give either budget or steps.": self.budget is not None and self.steps is not None,
            "from_scratch and weights exclude each other.": (
                self.from_scratch and self.weights is not None
            ),
            "depth_multiplier needs from_scratch: pretrained weights have their own.": (
                self.depth_multiplier is not None and not (self.from_scratch or self.resume)
            ),
            "deterministic needs steps: a time budget gives a different number each time.": (
                self.deterministic and self.steps is None and not self.resume
            ),
            "data is missing.": self.data == () and not self.resume,
            "model and weights exclude each other: weights are of one model.": (
                self.model is not None and self.weights is not None
            ),
        }
        for problem, holds in contradictions.items():
            if holds:
                raise ArgumentError("BW802", problem)
        _ = self.seconds, self.weights_asked_for, self.family
        if self.resume:
            recover(self.run)
            check_options(self.run, self._options())
        elif not isinstance(self.recipe, Recipe):
            checked(self.recipe or {}, pretrained=bool(self.starts), model=self.family)

    @property
    def run(self) -> Run:
        """Return the run folder to write."""
        return Run(self.out)

    @cached_property
    def seconds(self) -> float | None:
        """Return the budget in seconds; None without one."""
        return None if self.budget is None else seconds_of(self.budget)

    @cached_property
    def weights_asked_for(self) -> Published | Path | None:
        """Return the published model or the file that `weights` names."""
        return None if self.weights is None else zoo.chosen(str(self.weights))

    @cached_property
    def starts(self) -> tuple[Published | Path, ...]:
        """Return the initial weights, then what may replace them without a network; nothing from
        scratch and for a resumed run."""
        if self.from_scratch or self.resume:
            return ()
        if self.weights_asked_for:
            return (self.weights_asked_for,)
        if self.model not in (None, zoo.AUTO):
            return (zoo.of_model(str(self.model)),)
        family = self._family_of_recipe
        fitting = tuple(each for each in zoo.DEFAULTS if family in (None, each.family))
        return fitting or zoo.DEFAULTS[:1]  # which that family then refuses

    @cached_property
    def family(self) -> str:
        """Return the name of the detector family: that of the initial weights, or the chosen one.
        From scratch, any family's name is a model too."""
        if self.starts:
            return family_of(self.starts[0])
        if self.model in (None, zoo.AUTO):
            return self._family_of_recipe or DEFAULT
        model = str(self.model)
        return model if model in FAMILIES else zoo.of_model(model).family

    @cached_property
    def source(self) -> DataSource:
        """Return the paths of the data and the choice of classes. A resumed run has its own
        classes, and its own data unless other data is given.

        Raises:
            TrainingError: BW305 there is no run to resume.
            ArgumentError: BW802 the run does not record where its data is.
        """
        given = (self.data.root,) if isinstance(self.data, Dataset) else self.data
        if not self.resume:
            return DataSource(given, self.choice, self.options or ReadOptions())
        if not (given or self.run.exists()):
            raise nothing_to_resume(self.run.checkpoint)
        provenance = self.run.artifact.provenance if self.run.exists() else {}
        paths = given or known_paths(provenance)
        if not paths:
            raise ArgumentError("BW802", "data is missing: the run does not record where it is.")
        options = options_of(provenance) if self.options is None else self.options
        return DataSource(paths, choice_of(provenance), options)

    @property
    def _family_of_recipe(self) -> str | None:
        """Return the family that the caller's recipe or settings name."""
        if isinstance(self.recipe, Recipe):
            return self.recipe.model
        return (self.recipe or {}).get("model")

    def fetch_start(self, tell: Subscriber) -> tuple[str, Path | None]:
        """Return the family of a new run and the path of its initial weights, after a download if
        they are not here; None without weights.

        Raises:
            WeightsError: BW203, BW204 they cannot be downloaded.
        """
        published = [start for start in self.starts if isinstance(start, Published)]
        if not published:
            files = [start for start in self.starts if isinstance(start, Path)]
            return self.family, files[0] if files else None

        def progress(of: Published) -> Callable[[int, int | None], None]:
            return lambda got, total: tell(Downloading(of.name, of.urls[0], got, total))

        chosen, path = zoo.fetch_first(published, progress)
        if chosen is not published[0]:
            tell(Note(f"{published[0].name} cannot be downloaded: starting from {chosen.name}"))
        return chosen.family, path

    def dataset(self) -> Dataset:
        """Return the images with the chosen classes.

        Raises:
            DataError: as `load`; BW199 the choice of classes does not fit.
        """
        strict = not self.resume
        if isinstance(self.data, Dataset):
            return self.source.choice.apply(self.data, strict=strict)
        return self.source.load(strict=strict)

    def described(self, dataset: Dataset) -> list[str]:
        """Return messages about the images before training."""
        place = self.source.paths[0] if len(self.source.paths) == 1 else None
        lines = [*summary(dataset.findings, place), counted(dataset)]
        if self.from_scratch and len(dataset.split("train")) < FROM_SCRATCH_NEEDS:
            lines.append(
                "There are few images for training from scratch. Pretrained weights, the default "
                "without --from-scratch, give a much better detector."
            )
        return lines

    def recipe_for(self, dataset: Dataset) -> Recipe:
        """Return the recipe without training.

        Raises:
            DataError, TrainingError: images or recipe cannot be used; as `training.loop.train`.
        """
        seen = images_to_cache(dataset)
        check_trainable(seen)
        checkpoint = Checkpoint.load(self.run.checkpoint) if self.resume else None

        def measure(seconds: float) -> Machine:
            tools = Tools()
            return measured_machine(tools, tools.clock() + seconds)

        return recipe_for_run(
            seen,
            checkpoint,
            self.recipe,
            pretrained=bool(self.starts),
            model=self.family,
            measure=measure,
            **self.amount(),
        )

    def amount(self) -> dict[str, Any]:
        """Return the options of the recipe, as `training.loop.train` takes them."""
        return {
            "seconds": self.seconds,
            "steps": self.steps,
            "input_size": self.input_size,
            "largest_input": self.largest_input,
            "depth_multiplier": self.depth_multiplier,
            "seed": self.seed or 0,
            "deterministic": self.deterministic,
        }

    def _options(self) -> dict[str, Any]:
        """As `check_options` takes them."""
        start = self.weights_asked_for
        title = start.name if isinstance(start, Published) else start and zoo.title(start)
        return {
            "--model": None if self.model in (None, zoo.AUTO) else self.family,
            "--weights": title,
            "--from-scratch": self.from_scratch or None,
            "--seed": self.seed,
            "--input-size": self.input_size,
            "--depth-multiplier": self.depth_multiplier,
            "--deterministic": self.deterministic or None,
            **self.choice.as_options(),
        }


def family_of(start: Published | Path) -> str:
    """Return the name of the detector family of some weights."""
    return start.family if isinstance(start, Published) else family_of_weights(start)
