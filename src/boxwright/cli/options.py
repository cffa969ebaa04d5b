"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from boxwright.formats import FORMATS, ReadOptions
from boxwright.formats.options import UNIT_CHOICES, UNLABELED
from boxwright.images.options import MAX_PIXELS, DepthRange

if TYPE_CHECKING:
    from boxwright.datasets.class_choice import ClassChoice
    from boxwright.formats.options import UnitChoice, Unlabeled
    from boxwright.inference.detector import Detector


def choice(names: Collection[str], *declarations: str, help: str) -> Any:
    """An option whose value is one of the names of a registry or of a Literal.

    Args:
        names: the choices; names that are registered later are accepted too.
        declarations: the option's spelling, such as `--from`; default: the parameter's name.
        help: the help text.
    """

    def name(text: str) -> str:
        if text not in names:
            listed = ", ".join(repr(each) for each in names)
            raise typer.BadParameter(f"{text!r} is not one of {listed}.")
        return text

    return typer.Option(*declarations, metavar=f"<{'|'.join(names)}>", parser=name, help=help)


Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        help="Class names for files without names: a text file with one per line, or a label map.",
    ),
]

TrainingData = Annotated[
    list[Path],
    typer.Argument(metavar="DATA", help="A folder of labeled images; several are combined."),
]
Weights = Annotated[
    str | None, typer.Option(metavar="NAME|PATH", help="Pretrained weights, as for `train`.")
]
Model = Annotated[
    str | None, typer.Option(metavar="auto|NAME", help="A model of `boxwright models`.")
]
Steps = Annotated[
    int | None, typer.Option(min=1, help="Number of steps of each, instead of --budget.")
]

Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Load a SavedModel or frozen graph whose operators may read and write files or run "
        "programs. Only for files of people you trust.",
    ),
]

Format = Annotated[
    str | None,
    choice(
        FORMATS, "--format", "--from", help="The format of the labeled images. [default: detected]"
    ),
]
UnlabeledImages = Annotated[
    str | None,
    choice(
        UNLABELED,
        "--unlabelled",
        help="Images without annotation: use them as images without objects, or leave them out. "
        "[default: left out, but YOLO's are background while every label file has its image]",
    ),
]
BoxUnits = Annotated[
    str | None,
    choice(
        UNIT_CHOICES,
        "--units",
        help="The unit of the boxes in all annotations. [default: the format's, or the one that "
        "all boxes of a file fit]",
    ),
]
MaxPixels = Annotated[
    int | None,
    typer.Option(
        "--max-pixels",
        min=1,
        metavar="N",
        help=f"Images with more pixels are not opened. [default: {MAX_PIXELS}]",
    ),
]
Depth = Annotated[
    str | None,
    typer.Option(
        "--depth-range",
        metavar="LOW:HIGH",
        help="In images of more than 8 bits, the stored values that become black and white. "
        "[default: 0:65535, or 0:255 for an image without larger values]",
    ),
]

On = Annotated[
    str,
    typer.Option(
        "--on",
        metavar="local|ray[=ADDRESS]",
        help="Where images are processed: on this machine, or on the machines of a Ray cluster, "
        "whose address is passed to ray.init.",
    ),
]
KeepGoing = Annotated[
    bool,
    typer.Option(
        "--keep-going",
        help="Leave out images whose processing fails for good, as on a cluster whose machines "
        "have too little memory, and do the others.",
    ),
]

Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--classes",
        metavar="NAMES",
        help="Use only these classes, separated by commas. Objects of other classes are ignored; "
        "they do not count as background.",
    ),
]
ExcludeClass = Annotated[
    list[str] | None,
    typer.Option("--exclude-class", metavar="NAME", help="Ignore this class; may be repeated."),
]
Rename = Annotated[
    list[str] | None,
    typer.Option(
        "--rename",
        metavar="OLD=NEW",
        help="Rename a class; may be repeated. Classes with the same new name are merged.",
    ),
]

Tile = Annotated[
    str | None,
    typer.Option(
        "--tile",
        metavar="auto|N|HxW|none",
        help="Detect in tiles of N x N or H x W pixels too, for small objects in large images. "
        "auto takes tiles of the size of the training's images, where they are needed. "
        "[default: those of the training, if it had some]",
    ),
]
Overlap = Annotated[
    float,
    typer.Option(
        "--overlap",
        min=0,
        max=0.9,
        help="With --tile: the fraction of a side that neighboring tiles share.",
    ),
]


def with_tiles(detector: Detector, tile: str | None, overlap: float) -> Detector:
    """The detector with the tiles of `--tile` and `--overlap`; says if `auto` knows no sizes.
    Raises `typer.BadParameter` for an invalid value."""
    from dataclasses import replace

    from boxwright.console import say
    from boxwright.inference.tiling import Tiling

    if tile is None:
        return detector
    if tile == "none":
        return replace(detector, tiling=None)
    if tile != "auto":
        try:
            return replace(detector, tiling=Tiling.parse(tile, overlap))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    tiling = Tiling.auto(detector.artifact, overlap)
    if tiling is None:
        say("There are no tiles: this detector does not know the sizes of its training's images.")
    return replace(detector, tiling=tiling)


def say_trusted(*models: Path) -> None:
    """Say what `--trust` allows the files to do."""
    from boxwright.console import plain, say
    from boxwright.inference.file_kinds import refusal

    for model in models:
        why = refusal(model)
        said = f"trusted, although it {why}" if why else "--trust is not needed: it only computes."
        say(f"[bold]{plain(model)}[/]: {plain(said)}")


def class_choice(
    classes: list[str] | None, exclude: list[str] | None, rename: list[str] | None
) -> ClassChoice:
    """Return the choice that `--classes`, `--exclude-class` and `--rename` make; raises
    `typer.BadParameter` for invalid ones."""
    from boxwright.datasets.class_choice import ClassChoice

    if classes and exclude:
        raise typer.BadParameter("--classes and --exclude-class cannot be combined.")
    names = [name.strip() for text in classes or () for name in text.split(",")]
    pairs = [pair.partition("=") for pair in rename or ()]
    for old, equals, new in pairs:
        if not (equals and old.strip() and new.strip()):
            raise typer.BadParameter(f"{old + equals + new!r} is not OLD=NEW.")
    renamed = {old.strip(): new.strip() for old, _, new in pairs}
    return ClassChoice(tuple(filter(None, names)), tuple(exclude or ()), renamed)


def read_options(
    form: str | None,
    unlabeled: str | None,
    units: str | None,
    max_pixels: int | None = None,
    depth_range: str | None = None,
) -> ReadOptions | None:
    """Return the options that `--format`, `--unlabelled`, `--units`, `--max-pixels` and
    `--depth-range` make; None if none is given. Raises `typer.BadParameter` for a range that is
    none."""
    options = ReadOptions(
        form,
        cast("Unlabeled | None", unlabeled),
        cast("UnitChoice | None", units),
        max_pixels,
        None if depth_range is None else _depth_range(depth_range),
    )
    return options if options.to_json() else None


def _depth_range(text: str) -> DepthRange:
    try:
        return DepthRange.of(map(float, text.split(":")))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not LOW:HIGH, such as 0:4095.") from error
