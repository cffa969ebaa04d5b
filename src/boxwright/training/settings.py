"""Settings: fields of a recipe by path, such as learning_rate.peak.

A path names nested parts of a recipe. Parts that have several kinds, and transforms of the
augmentation, are named by their class in snake case: `optimizer=momentum`,
`augmentation.horizontal_flip.probability=0.3`. A value is text, as in `--set PATH=VALUE`, or a
value of the field's type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_args, get_type_hints

from boxwright.augment.transforms import Color, Transform
from boxwright.errors import TrainingError
from boxwright.structures.labels import closest_name
from boxwright.training.recipe import Recipe
from boxwright.training.setting_values import NONE, converted, kinds_in, limits_of, snake_case

SET = "set by you"  # the reason of a user's setting
AUGMENTATION = "augmentation"
TRANSFORMS: Mapping[str, Any] = {snake_case(kind): kind for kind in get_args(Transform)}
OFF = (0, None, False, "0", "0.0", NONE, "no", "off", "false")  # of a transform
UNSETTABLE = ("reasons", "candidates", "choices")  # the choices of a crop cannot be written as text

Tree = dict[str, Any]  # by name; the value of a node itself has the name ""


def parse(assignments: Iterable[str]) -> dict[str, str]:
    """Parse `["batch_size=8"]` into paths and values; the last value of a path counts.

    Raises:
        TrainingError: BW313 one of them is not PATH=VALUE.
    """
    settings = {}
    for text in assignments:
        path, equals, value = text.partition("=")
        if not (equals and path.strip()):
            raise TrainingError("BW313", f"{text!r} is not PATH=VALUE.")
        settings[path.strip()] = value.strip()
    return settings


def with_settings(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """Return the recipe with fields set; the reason of each is `SET`.

    Raises:
        TrainingError: BW312 there is no such field, BW313 a value is invalid.
    """
    settings = {_spelled_out(path, value): value for path, value in settings.items()}
    tree: Tree = {}
    for path, value in settings.items():
        place, names = tree, path.split(".")
        if "" in names:
            raise TrainingError("BW312", f"{path!r} is not the path of a field.")
        for name in names:
            place = place.setdefault(name, {})
        place[""] = value
    changed: Recipe = _with_fields(recipe, tree, "")
    reasons = {path: why for path, why in recipe.reasons.items() if not _is_within(path, settings)}
    return replace(changed, reasons=reasons | dict.fromkeys(settings, SET))


def value_at(recipe: Recipe, path: str) -> Any:
    """Return the value at a path; None if there is no such part or transform."""
    value: Any = recipe
    for name in path.split("."):
        if isinstance(value, tuple):
            value = next((each for each in value if snake_case(type(each)) == name), None)
        else:
            value = getattr(value, name, None)
    return value


def paths_in(part: Any, prefix: str = "") -> Iterator[str]:
    """The paths of all fields of a recipe, or of a part, each before those of what it holds."""
    for name in _names(part):
        path, value = f"{prefix}{name}", getattr(part, name)
        yield path
        if path == AUGMENTATION:
            for transform in value:
                own = f"{path}.{snake_case(type(transform))}"
                yield own
                yield from paths_in(transform, f"{own}.")
        elif is_dataclass(value):
            yield from paths_in(value, f"{path}.")


def _spelled_out(path: str, value: Any) -> str:
    """`augmentation.horizontal_flip=0.3` sets the probability of the transform."""
    kind = TRANSFORMS.get(path.removeprefix(f"{AUGMENTATION}."))
    short = kind and path.startswith(AUGMENTATION) and not isinstance(value, kind)
    return f"{path}.probability" if short and value not in OFF and _has_odds(kind) else path


def _has_odds(kind: Any) -> bool:
    return any(item.name == "probability" for item in fields(kind))


def _with_fields(part: Any, tree: Tree, prefix: str) -> Any:
    """Return a recipe, or a part of it, with the fields in `tree`."""
    names, hints = _names(part), get_type_hints(type(part))
    changes = {}
    for name, own in tree.items():
        if name not in names:
            raise _no_such(prefix, name, names, part)
        if prefix + name == AUGMENTATION:
            changes[name] = _with_transforms(part.augmentation, own)
        else:
            wanted = hints[name]
            if wanted is Any:  # defined by the detector family
                wanted = type(getattr(part, name))
            changes[name] = _with_value(part, name, wanted, own, prefix)
    try:
        return replace(part, **changes)
    except ValueError as error:
        raise TrainingError("BW313", f"{prefix[:-1]} is invalid: {error}.") from error


def _with_value(part: Any, name: str, wanted: Any, own: Tree, prefix: str) -> Any:
    path, value = f"{prefix}{name}", getattr(part, name)
    if "" in own:
        value = converted(own[""], wanted, path, limits_of(type(part), name))
    deeper = {key: item for key, item in own.items() if key}
    if not deeper:
        return value
    kinds = kinds_in(wanted)
    if value is None and len(kinds) == 1:  # setting a field of a missing part adds the part
        value = kinds[0]()
    if not is_dataclass(value):
        raise _no_such(f"{path}.", next(iter(deeper)), ())
    return _with_fields(value, deeper, f"{path}.")


def _with_transforms(transforms: tuple[Transform, ...], tree: Tree) -> tuple[Transform, ...]:
    if "" in tree:
        transforms = converted(tree[""], tuple[Transform, ...] | None, AUGMENTATION) or ()
    for name, own in tree.items():
        if not name:
            continue
        if name not in TRANSFORMS:
            raise _no_such(f"{AUGMENTATION}.", name, TRANSFORMS)
        kind = TRANSFORMS[name]
        if not any(type(each) is kind for each in transforms):
            transforms = _inserted(transforms, kind())
        changed = (_transform(each, own) if type(each) is kind else each for each in transforms)
        transforms = tuple(each for each in changed if each is not None)
    return transforms


def _inserted(transforms: tuple[Transform, ...], new: Transform) -> tuple[Transform, ...]:
    """Insert a transform; geometry precedes color, so that pixels are read once."""
    if isinstance(new, Color):
        return (*transforms, new)
    first = next((i for i, one in enumerate(transforms) if isinstance(one, Color)), len(transforms))
    return (*transforms[:first], new, *transforms[first:])


def _transform(transform: Transform, own: Tree) -> Transform | None:
    """Return a transform with its settings; None if it is removed."""
    path, deeper = f"{AUGMENTATION}.{snake_case(type(transform))}", dict(own)
    value = deeper.pop("", transform)
    if value in OFF:
        return None
    if type(value) is not type(transform):
        own_fields = ", ".join(f"{path}.{name}" for name in _names(transform))
        raise TrainingError(
            "BW313", f"{path} can only be set to 0, not {value!r}; set {own_fields}."
        )
    changed: Transform = _with_fields(value, deeper, f"{path}.")
    return changed


def _names(part: Any) -> list[str]:
    return [item.name for item in fields(part) if item.name not in UNSETTABLE]


def _is_within(path: str, settings: Iterable[str]) -> bool:
    return any(path == each or path.startswith(f"{each}.") for each in settings)


def _no_such(prefix: str, name: str, names: Iterable[str], part: Any = None) -> TrainingError:
    """Return BW312: `name` is not among the `names` below `prefix` in `part`."""
    paths = {each: f"{prefix}{each}" for each in names}
    deeper = {} if prefix else {each.rpartition(".")[2]: each for each in paths_in(part)}
    near = _like(name, paths) or _like(name, {**deeper, **paths})
    return TrainingError(
        "BW312",
        f"the recipe has no field '{prefix}{name}'.",
        nearest=near,
        choices=", ".join(paths.values()),
    )


def _like(name: str, paths: Mapping[str, str]) -> str | None:
    """Return the path whose name is most similar to `name`, or contains it."""
    near = closest_name(name, paths) or next((each for each in paths if name in each), None)
    return near and paths[near]
