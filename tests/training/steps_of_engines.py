"""Three steps of some recipes, and every transform of the augmentation, on the engine that
KERAS_BACKEND names, written to a file.

A process has one engine; so this is a program, and `test_step_jax.py` runs it on each.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.augment import pipeline
from boxwright.augment.transforms import (
    SSD_CROP,
    SSD_CROP_PAD,
    BlackPatches,
    Brightness,
    ColorMix,
    Contrast,
    Crop,
    CropAroundObject,
    CropToAspect,
    Gamma,
    Grayscale,
    HorizontalFlip,
    Hue,
    JitterBoxes,
    Pad,
    PadToAspect,
    PixelNoise,
    Rotate90,
    Saturation,
    Scale,
    SelfConcat,
    Transform,
    VerticalFlip,
    count_draws,
)
from boxwright.backend import framework
from boxwright.models.backbones import mobilenet_v1, shufflenet_v2
from boxwright.models.model import Truth
from boxwright.models.nanodet_plus import layout
from boxwright.models.nanodet_plus.spec import NanoDetSpec
from boxwright.models.registry import family
from boxwright.models.ssd.objective import Matching, Mining, Objective, Varifocal
from boxwright.models.ssd.spec import ModelSpec
from boxwright.training import start, step
from boxwright.training.config import LayerGroupValues, Quantization  # fmt: skip
from boxwright.training.optimizers import Averaging, Momentum, RmsProp
from boxwright.training.recipe import Recipe

TUNED = Recipe(64, depth_multiplier=0.1, frozen_through=1, train_norm=False)
RECIPES = {
    "varifocal": replace(TUNED, objective=Objective(classification_loss=Varifocal())),
    "rounded": replace(TUNED, quantization=Quantization()),
    "nanodet": replace(
        TUNED,
        model="nanodet_plus",
        objective=None,
        frozen_through=3,
        optimizer=Momentum(accumulates_steps=True),
    ),
    "faithful": replace(
        TUNED,
        frozen_through=-1,
        train_depthwise=True,
        train_norm=True,
        optimizer=RmsProp(),
        averaging=Averaging(0.15),
        augmentation=(HorizontalFlip(), Contrast(), Rotate90(), Pad(), SSD_CROP),
        objective=Objective(
            classification_loss=None,
            background=1.0,
            matching=Matching(ignore_between=False),
            mining=Mining(max_anchors=20, negatives_per_positive=3.0),
            normalize_by_code_size=True,
        ),
        l2=LayerGroupValues(4e-5, 4e-5, 4e-5),
        l1=LayerGroupValues(heads=1e-5),
        clip_norm=1.0,
        bias_gradients=2.0,
    ),
}
UNKNOWN = ("varifocal", "nanodet", "faithful")
VERIFIED = ((1, 1, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1))  # of three classes, in four images
PARTS = ("images", "boxes", "labels", "weights")  # of an augmented batch
# Each kind of transform, and some that change what comes after them.
TRANSFORMS: dict[str, tuple[Transform, ...]] = {
    **{
        type(each).__name__: (each,)
        for each in (
            BlackPatches(),
            Brightness(),
            ColorMix(),
            Contrast(),
            Crop(),
            CropAroundObject(full_image=0.0),
            CropToAspect(2.0),
            Gamma(0.7, 1.2),
            Grayscale(0.5),
            HorizontalFlip(),
            Hue(0.2),
            JitterBoxes(),
            Pad(),
            PadToAspect(1.5),
            PixelNoise(),
            Rotate90(),
            Saturation(),
            Scale(),
            SelfConcat(0.5, 0.5),
            VerticalFlip(),
        )
    },
    "SSD_CROP_PAD, CropAroundObject": (SSD_CROP_PAD, CropAroundObject(full_image=0.0), ColorMix()),
    "Scale, Rotate90, Pad in pixels": (Scale(), Rotate90(), Pad(max_pixels=(50.0, 20.0)), Hue()),
}


def zeros(shape: tuple[int, ...], *_: Any, **__: Any) -> NDArray[Any]:
    """In place of random numbers, for which JAX compiles a program per shape; `first_weights` sets
    the weights."""
    return np.zeros(shape, np.float32)


def first_weights(model: Any) -> None:
    """The same on every engine, whatever its random numbers are."""
    rng = np.random.default_rng(0)
    for variable in model.weights:
        noise = rng.normal(size=variable.shape)
        if variable.name == "kernel":
            variable.assign(noise * np.sqrt(2 / np.prod(variable.shape[:-1])))
        elif variable.name == "moving_variance":
            variable.assign(0.5 + noise**2)
        elif variable.name not in {"min", "max"}:
            variable.assign(variable.numpy() + 0.1 * noise)


def batch(seed: int, transforms: Sequence[Transform]) -> tuple[NDArray[Any], ...]:
    """Four smooth photos, the last without an object."""
    rng = np.random.default_rng(seed)
    colors = rng.integers(0, 256, (4, 6, 6, 3), np.uint8)
    images = np.stack([np.asarray(Image.fromarray(each).resize((96, 96))) for each in colors])
    corners = rng.uniform(0, 0.5, (4, 3, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(0.2, 0.5, (4, 3, 2))], axis=-1)
    labels = np.array([[0, 1, 1], [1, 0, -1], [0, -1, -1], [-1, -1, -1]], np.int32)
    draws = rng.random((4, count_draws(transforms)), np.float32)
    return images, boxes.astype(np.float32), labels, np.full((4, 2), 96, np.float32), draws


def three_steps(recipe: Recipe) -> dict[str, NDArray[Any]]:
    """Losses, all that the engine keeps and all that is in the network, after each."""
    kind = family(recipe.model)
    # Two maps: batch norm over the four values of a map of one cell makes much of any rounding.
    like = {"ssd": ModelSpec(2, 0.1, maps=2), "nanodet_plus": NanoDetSpec(2, 64, 0.1)}
    spec = kind.spec_for(
        2,
        64,
        objective=recipe.objective,
        quantization=start.quantization_spec_of(recipe),
        like=like[recipe.model],
    )
    model = start.built(kind, spec, recipe, "float32")
    first_weights(model.network)
    trained = start.trained_variables(model, recipe)
    one = step.engine_module().Engine(
        model,
        trained,
        start.statistics_of(model, recipe),
        recipe,
        scale=1 / 128,
        offset=-1.0,
        kernels=start.regularized_kernels(model, recipe),
    )
    arrays = {}
    for number in range(3):
        loss = one.step(*batch(number, recipe.augmentation), number=number, learning_rate=1e-3)
        arrays[f"{number}/loss"] = np.array(loss)
        arrays |= {f"{number}/{name}": value for name, value in one.state().items()}
        for i, variable in enumerate(model.network.weights):
            arrays[f"{number}/weight/{i}/{variable.name}"] = variable.numpy()
    return arrays


def unknown(recipe: Recipe) -> dict[str, NDArray[Any]]:
    """The loss of the classes and its gradient by the logits, with another logit for classes that
    nobody looked for in the images; and the same if all were looked for."""
    kind = family(recipe.model)
    model = kind(kind.spec_for(3, 64, objective=recipe.objective), None, recipe.objective)
    own = step.engine_module()
    _, boxes, labels, *_ = batch(4, ())
    columns = {"side_logits": 32} if recipe.model == "nanodet_plus" else {"box_encodings": 4}
    columns |= {"class_logits": 3, "background_logits": 1}
    rng = np.random.default_rng(5)
    count = len(model.anchors if recipe.model == "ssd" else model.priors)
    values = {
        name: rng.normal(size=(4, count, size)).astype(np.float32) for name, size in columns.items()
    }
    weights = (labels >= 0).astype(np.float32)

    def lost(logits: Any, background: Any, *verified: Any) -> Any:
        outputs = values | {"class_logits": logits, "background_logits": background}
        truth = Truth(boxes, labels, weights, *verified)
        return model.losses(outputs, truth, own.suppress).classes

    losses, gradients = own.compiled(lost), own.gradient(lost, (0, 1))
    verified = np.array(VERIFIED, np.float32)
    moved = values["class_logits"] + 5 * (1 - verified[:, None])
    arrays = {}
    for name, logits, known in (
        ("unknown", values["class_logits"], (verified,)),
        ("moved", moved, (verified,)),
        ("known", values["class_logits"], (np.ones_like(verified),)),
        ("absent", values["class_logits"], ()),
    ):
        given = (logits, values["background_logits"], *known)
        arrays[f"{name}/loss"] = np.asarray(losses(*given))
        of_classes, of_background = gradients(*given)
        arrays[f"{name}/gradient"] = np.asarray(of_classes)
        if recipe.objective is not None and recipe.objective.background is not None:
            arrays[f"{name}/background"] = np.asarray(of_background)
    return arrays


def augmented() -> dict[str, NDArray[Any]]:
    """What a compiled step shows the network after each of `TRANSFORMS`."""
    own = step.engine_module()
    compiled = (
        framework.jax().jit
        if framework.engine() == "jax"
        else functools.partial(framework.tensorflow().function, autograph=False)
    )

    def shown(batches: dict[str, Any]) -> dict[str, Any]:
        return {
            name: pipeline.apply(TRANSFORMS[name], *parts, side=64, crop_and_resize=own.crop)
            for name, parts in batches.items()
        }

    found = compiled(shown)({name: batch(3, each) for name, each in TRANSFORMS.items()})
    return {
        f"{name}/augmented/{part}": np.asarray(value)
        for name, parts in found.items()
        for part, value in zip(PARTS, parts, strict=True)
    }


if __name__ == "__main__":
    mobilenet_v1.BLOCKS = ((64, 2), (128, 2), (128, 2), (256, 2))
    mobilenet_v1.TAPS = (3, 4)
    shufflenet_v2.UNITS = (1, 1, 1)
    layout.HEAD_LAYERS = 1
    framework.keras().random.normal = zeros
    found = {
        f"{name}/{key}": value
        for name, recipe in RECIPES.items()
        for key, value in three_steps(recipe).items()
    }
    for name in UNKNOWN:
        parts = unknown(RECIPES[name])
        found |= {f"{name}/verified/{key}": value for key, value in parts.items()}
    np.savez(sys.argv[1], **found, **augmented())
