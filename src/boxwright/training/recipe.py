"""The recipe: every decision of a training run, each with its reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from boxwright.augment.transforms import (
    ColorMix,
    CropAroundObject,
    HorizontalFlip,
    Transform,
    default_transforms,
)
from boxwright.inference.tiling import SMALLEST, Tiling
from boxwright.models.registry import DEFAULT, family
from boxwright.models.tuning import TrainedLayers, Tuning
from boxwright.structures.dataset import Dataset, Split
from boxwright.training.candidates import Candidate, Machine, candidates, small_objects
from boxwright.training.config import (
    CONFIG_CLASSES,
    LayerGroupValues,
    Quantization,
    from_config,
    to_config,
)
from boxwright.training.horizontal_flip import mistaken_when_flipped
from boxwright.training.learning_rates import BudgetCosine, LearningRate
from boxwright.training.old_recipes import upgraded
from boxwright.training.optimizers import Adam, Averaging, Optimizer
from boxwright.training.tiles import cut

PRETRAINED_SIZE = 300
# With this many labeled objects, training more of the network pays off if the budget is at least
# this many seconds.
MANY_OBJECTS, LONG_BUDGET = 2000, 120
FEW_IMAGES = 200  # with fewer in training, a budget is too short
RARE_BELOW = 0.3  # fraction of the images; a class in fewer of them is rare
JUDGED_FROM = 300  # images; with fewer, each is worth more in training than in validation
STOPPED_FROM, MIN_VALIDATION_IMAGES = 60, 20  # images, if only validation decides when to stop
# Decoding takes a quarter of the budget; the rest suffices to train on each image about twice.
DECODED_PER_SECOND = 40
CACHE_MARGIN = 4 / 3  # so that crops can enlarge

# From scratch a network is far from overfitting; harder images only slow it down.
GENTLE_CROP = CropAroundObject((0.8, 1.05), max_log_aspect=0.1, full_image=0.2)
GENTLE_COLOR = ColorMix(contrast=0.1, brightness=0.05, saturation=0.1)


@dataclass(frozen=True)
class Recipe:
    """All settings of a training.

        >>> from boxwright.training.explanation import explained
        >>> from boxwright.training.learning_rates import BudgetCosine
        >>> from boxwright.training.recipe import recipe_for
        >>> dataset = boxwright.load("images")
        >>> recipe = recipe_for(dataset.split("train"), pretrained=True, seconds=120)
        >>> for line in explained(recipe):
        ...     print(line)
        >>> import dataclasses
        >>> own = dataclasses.replace(recipe, learning_rate=BudgetCosine(peak=5e-4), batch_size=8)

    Attributes:
        input_size: side of the network's input, pixels.
        tile: height and width, pixels, of the tiles that large images are cut into, for small
            objects; None for whole images.
        depth_multiplier: multiplier of the filter counts; None takes that of the weights.
        batch_size: images per step.
        objective: the loss, of a kind that the family has; None for the family's usual one.
        l2, l1: weights of the regularization of the kernels, `l2 / 2 * sum(kernel ** 2)` and
            `l1 * sum(abs(kernel))`.
        optimizer: the optimizer.
        learning_rate: the learning rate schedule.
        clip_norm: maximum global norm of the gradients; None for no clipping.
        bias_gradients: multiplies the gradients of the convolutions' biases.
        averaging: moving average of the weights; None for none.
        frozen_through: backbone blocks up to this one keep their weights; -1 trains all.
        trained_names, frozen_names: regular expressions for the variables' names in the Object
            Detection API. If the first are given, only matching variables are trained; those that
            match the second never are.
        train_depthwise: True to train depthwise kernels.
        train_norm: True to use batch statistics in batch norm; otherwise it is folded.
        absorb_scale: True to fold the scale of batch norm into the kernel, so that it is not
            trained separately.
        norm_decay: decay of batch norm's moving statistics.
        quantization: for quantization-aware training (QAT); None for float training.
        class_head_init: True to initialize the class head from the best pretrained columns.
        augmentation: transforms of the training images, in order; without any they are only
            resized.
        cache_side: side of the cached images, pixels.
        shuffle: True to shuffle the images in every epoch.
        rare_below: fraction of the images; classes in fewer of them are oversampled.
        max_images: maximum number of decoded images; None for all.
        held_out: fraction of the training images held out for validation, if the dataset has no
            validation set.
        seconds: the budget; None if `steps` is given.
        steps: the number of steps; None if the budget decides.
        seed: random seed.
        deterministic: True for training that is reproducible to the last bit on one machine.
        model: the detector family, a name of `models.registry`.
        reasons: reasons for the values, by path as in `settings`.
        candidates: the input sizes that it was chosen from, the best first, if the machine was
            measured; not in its JSON form.
    """

    input_size: int
    tile: tuple[int, int] | None = None
    depth_multiplier: float | None = None
    batch_size: int = 16
    objective: Any = None
    l2: LayerGroupValues = field(default_factory=LayerGroupValues)
    l1: LayerGroupValues = field(default_factory=LayerGroupValues)
    optimizer: Optimizer = field(default_factory=Adam)
    learning_rate: LearningRate = field(default_factory=BudgetCosine)
    clip_norm: float | None = None
    bias_gradients: float = 1.0
    averaging: Averaging | None = field(default_factory=Averaging)
    frozen_through: int = 5
    trained_names: tuple[str, ...] = ()
    frozen_names: tuple[str, ...] = ()
    train_depthwise: bool = False
    train_norm: bool = False
    absorb_scale: bool = True
    norm_decay: LayerGroupValues = field(default_factory=lambda: LayerGroupValues(0.97, 0.97, 0.97))
    quantization: Quantization | None = None
    class_head_init: bool = True
    augmentation: tuple[Transform, ...] = field(default_factory=default_transforms)
    cache_side: int = 400
    shuffle: bool = True
    rare_below: float = 0.0
    max_images: int | None = None
    held_out: float = 0.1
    seconds: float | None = None
    steps: int | None = None
    seed: int = 0
    deterministic: bool = False
    model: str = DEFAULT
    reasons: Mapping[str, str] = field(default_factory=dict, compare=False)
    candidates: tuple[Candidate, ...] = field(default=(), compare=False)

    @property
    def tiling(self) -> Tiling | None:
        """Return how images are cut into tiles; None if they are not."""
        return None if self.tile is None else Tiling(*self.tile)

    def to_json(self) -> dict[str, Any]:
        names = (item.name for item in fields(self) if item.name != "candidates")
        own = {name: to_config(getattr(self, name)) for name in names}
        return {**own, "reasons": dict(self.reasons)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Recipe:
        known = upgraded(value)
        classes = config_classes(known.get("model", DEFAULT))
        return cls(**{name: from_config(item, classes) for name, item in known.items()})


def config_classes(model: str) -> dict[str, type]:
    """Return the classes that a family's recipe may consist of, by name."""
    own = {kind.__name__: kind for kind in family(model).objective_classes}
    return {**CONFIG_CLASSES, **own}


def recipe_for(
    train: Dataset,
    *,
    pretrained: bool,
    seconds: float | None = None,
    steps: int | None = None,
    input_size: int | None = None,
    largest_input: int | None = None,
    tile: tuple[int, int] | None = None,
    depth_multiplier: float | None = None,
    seed: int = 0,
    model: str = DEFAULT,
    measure: Callable[[float], Machine] | None = None,
) -> Recipe:
    """Choose the recipe for these images.

    Args:
        train: the images to train on.
        pretrained: True if training starts from pretrained weights.
        seconds, steps: the budget, in one of the two units.
        input_size, depth_multiplier: values set by the user.
        largest_input: the largest input size to choose, pixels.
        tile: height and width of the tiles that large images are cut into.
        seed: random seed.
        model: the detector family.
        measure: measures the machine, for a budget in seconds, if a choice depends on it; without
            it, the budget is taken to be long enough.

    Raises:
        DetectorError: BW509 there is no such family.
    """
    reasons = {}
    sizes: tuple[Candidate, ...] = ()
    tuning = family(model).tuning
    allowed = [input_size] if input_size else input_sizes(model, largest_input)
    seen = cut(train, None if tile is None else Tiling(*tile), allowed[-1], seed)
    if tile is None and (proposal := _tile_to_propose(train, allowed[-1])):
        reasons["tile"] = proposal
    layers = trained_layers(seen, tuning, seconds)
    objective, why_objective = family(model).usual_objective(pretrained=pretrained)
    if input_size is not None:
        size = input_size
        reasons["input_size"] = "as requested"
    else:
        limited = pretrained and seconds is not None
        machine = measure(seconds or 0.0) if measure and limited else None
        found = candidates(seen, tuning, layers, machine, allowed)
        best = found[0]
        size, reasons["input_size"] = best.input_size, best.why
        sizes = tuple(found) if machine else ()
        if machine and best.images < min(len(train), FEW_IMAGES):
            enough = machine.seconds_for(FEW_IMAGES, tuning, layers, size)
            needed = (seconds or 0.0) - machine.seconds + enough
            reasons["seconds"] = (
                f"too short for this machine, which sees about {best.images:.0f} images in it; "
                f"give it {needed:.0f} s or more"
            )
    held_out, why = _held_out(len(train), endless=seconds is None and steps is None)
    if why and not np.any(train.splits == Split.VAL):
        reasons["held_out"] = why
    max_images = None if seconds is None else max(int(seconds * DECODED_PER_SECOND), 1)
    if max_images and max_images < len(train):
        reasons["max_images"] = f"of {len(train)}; the budget is too short to use more"
    if rarest := _rarest(train):
        reasons["rare_below"] = rarest
    recipe = Recipe(
        input_size=size,
        tile=tile,
        depth_multiplier=depth_multiplier,
        cache_side=int(np.ceil(size * CACHE_MARGIN)),
        rare_below=RARE_BELOW,
        max_images=max_images,
        held_out=held_out,
        seconds=seconds if steps is None else None,
        steps=steps,
        seed=seed,
        model=model,
        objective=objective,
        candidates=sizes,
    )
    mistaken = mistaken_when_flipped(train, seed)
    if mistaken:
        reasons["augmentation.horizontal_flip.probability"] = str(mistaken)
    flip = 0.0 if mistaken else HorizontalFlip.probability
    if pretrained:
        reasons["frozen_through"] = layers.why
        reasons["train_norm"] = (
            "folded batch norm costs nothing, and small batches give noisy statistics"
        )
        batch_size, reasons["batch_size"] = tuning.batch_size
        reasons["augmentation.crop_around_object.side"] = (
            "objects appear at 0.8 to 2.5 times their size"
        )
        peak, reasons["learning_rate.peak"] = _peak(seen, tuning)
        return replace(
            recipe,
            batch_size=batch_size,
            frozen_through=layers.frozen_through,
            train_depthwise=layers.train_depthwise,
            learning_rate=BudgetCosine(peak),
            augmentation=default_transforms(flip=flip),
            reasons=reasons | why_objective,
        )
    reasons["frozen_through"] = "from scratch, all weights must be learned"
    reasons["train_norm"] = "from scratch, the statistics must be learned"
    return replace(
        recipe,
        frozen_through=-1,
        train_depthwise=True,
        train_norm=True,
        learning_rate=BudgetCosine(1e-2, warmup_steps=50),
        augmentation=default_transforms(GENTLE_CROP, flip=flip, color=GENTLE_COLOR),
        reasons=reasons | why_objective,
    )


def _tile_to_propose(train: Dataset, largest: int) -> str | None:
    """Return a sentence if objects are too small for the network at the largest input size."""
    small = min(small_objects(train))
    if small * largest >= SMALLEST:
        return None
    pixels = small * float(np.sqrt(np.median(train.sizes.astype(np.float64).prod(axis=1))))
    side = max(64, int(pixels * largest / (2 * SMALLEST)) // 32 * 32)
    return (
        f"a tenth of the objects of a class is smaller than {small * largest:.0f} px in an input "
        f"of {largest} px, and hardly found; --tile {side} makes them larger"
    )


def input_sizes(model: str, largest: int | None = None) -> list[int]:
    """Return the input sizes to choose from: those of the family's tuning, rounded up to what it
    allows, up to the largest."""
    kind = family(model)
    multiple = kind.size_multiple
    sizes = {math.ceil(each / multiple) * multiple for each in kind.tuning.sizes}
    if largest is not None:
        sizes = {each for each in sizes if each < largest} | {largest}
    return sorted(sizes)


def trained_layers(train: Dataset, tuning: Tuning, seconds: float | None) -> TrainedLayers:
    """Return the layers to train."""
    short = seconds is not None and seconds < LONG_BUDGET
    return tuning.layers if len(train.boxes) < MANY_OBJECTS or short else tuning.many_layers


def _peak(train: Dataset, tuning: Tuning) -> tuple[float, str]:
    """Return the peak learning rate and its reason. More objects per batch give a less noisy
    gradient, which allows larger steps (Goyal et al. 2017, section 2.1), within limits."""
    objects = len(train.boxes) / max(len(train), 1)
    peak = float(np.clip(tuning.rate_per_object * objects, *tuning.peaks))
    return round(peak, 5), f"{objects:.1f} objects per image; fewer make gradients noisier"


def _rarest(train: Dataset) -> str | None:
    """Return a sentence about the class in the fewest images, if it is rare."""
    shown = [len(train.images_showing(label)) for label in range(len(train.classes))]
    rarest_count = min((count for count in shown if count), default=len(train))
    if rarest_count >= RARE_BELOW * len(train):
        return None
    name = train.classes[shown.index(rarest_count)]
    return f"{name} is in only {rarest_count} of {len(train)} images"


def _held_out(images: int, *, endless: bool) -> tuple[float, str]:
    """Return the fraction of the images to hold out for validation, and the reason."""
    if not endless:
        if images < JUDGED_FROM:
            return 0.0, f"only {images} images"
        return 0.1, "it selects the best weights"
    if images < STOPPED_FROM:
        return 0.0, f"only {images} images"
    return max(0.1, MIN_VALIDATION_IMAGES / images), "it decides when to stop"
