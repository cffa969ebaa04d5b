"""`boxwright download`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from boxwright.cli.options import choice
from boxwright.console import echo, plain, say, show, show_json
from boxwright.errors import ArgumentError, DataError
from boxwright.formats import FORMATS
from boxwright.io.shell import quoted
from boxwright.openimages.sources import ALL, NEWEST, SPLITS, VERSIONS

if TYPE_CHECKING:
    from boxwright.openimages.download import Downloaded, Plan
    from boxwright.openimages.lists import Lists

SOURCES = ("openimages",)
SHOWN = 5  # failures that are printed


def download(
    source: Annotated[str, typer.Argument(metavar="openimages", help="The data set.")],
    more: Annotated[
        list[str] | None, typer.Argument(metavar="[CLASS]...", help="Further classes.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A new folder, or that of an earlier download, to extend it."),
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--classes",
            metavar="CLASS",
            help="A class: its name, with blanks or underscores and in any case, or its code, or "
            "a .txt file with one per line. More can follow.",
        ),
    ] = None,
    split: Annotated[
        str | None,
        choice(
            (*SPLITS, ALL),
            "--split",
            help="The images to choose from. [default: train; all with --list-classes]",
        ),
    ] = None,
    version: Annotated[
        str, choice(VERSIONS, "--version", help="The version of the annotations.")
    ] = NEWEST,
    images: Annotated[
        Path | None,
        typer.Option(
            "--images",
            metavar="FILE",
            help="Download these images: lines such as train/0a1b2c3d4e5f6071, as in failed.txt.",
        ),
    ] = None,
    with_children: Annotated[
        bool,
        typer.Option(
            "--with-children",
            help="Also the classes below these in the hierarchy, such as Car below Vehicle.",
        ),
    ] = False,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="NAME=0|1",
            help="Choose by boxes with this flag: IsOccluded, IsTruncated, IsGroupOf, IsDepiction "
            "or IsInside. Other boxes in the images become groups, which training ignores. Can be "
            "repeated.",
        ),
    ] = None,
    negatives: Annotated[
        int,
        typer.Option(
            "--negatives",
            min=0,
            help="Also this number of images of each split in which people looked for a class and "
            "did not find it.",
        ),
    ] = 0,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="The number of images with a box of each split."),
    ] = None,
    per_class: Annotated[
        int | None,
        typer.Option("--per-class", min=1, help="The number of images of each class and split."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the random choice of images.")] = 0,
    list_classes: Annotated[
        bool,
        typer.Option(
            "--list-classes",
            help="Print how many images and boxes each class has, and download no image. CLASS "
            "can be a part of a name.",
        ),
    ] = False,
    only_list: Annotated[
        bool,
        typer.Option("--only-list", help="Print the chosen images, one a line, and fetch none."),
    ] = False,
    to: Annotated[
        str | None,
        choice(
            FORMATS,
            "--to",
            help="Also write another format, into a folder beside that of --out: fruit-coco. Its "
            "images are hard links.",
        ),
    ] = None,
    threads: Annotated[
        int, typer.Option("--threads", min=1, max=256, help="Images downloaded at once.")
    ] = 16,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask above 10 GB.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Download images of some classes of Open Images, with their boxes.

    The list of boxes is read once while it arrives, and kept as a small index. An interrupted
    command resumes when it is run again. Images that could not be downloaded are listed in
    failed.txt, and the exit code is 1.

    \b
    Examples:
      boxwright download openimages --list-classes apple
      boxwright download openimages --classes Apple Orange --limit 200 --out fruit
      boxwright download openimages Vehicle --with-children --only-list
      boxwright download openimages Apple --where IsDepiction=0 --negatives 500 --out fruit
      boxwright download openimages Apple Orange --split all --limit 500 --out fruit --to yolo
      boxwright download openimages --images fruit/failed.txt --out fruit
    """
    if source not in SOURCES:
        raise typer.BadParameter(f"{source!r} is not one of {', '.join(SOURCES)}.")
    from boxwright.datasets.convert import check_free
    from boxwright.downloads import confirm_size, downloading
    from boxwright.openimages.download import check_out, choose_images, plan
    from boxwright.openimages.lists import Lists

    lists = Lists(version, downloading)
    wanted = [name for text in (*(classes or ()), *(more or ())) for name in text.split(",")]
    if list_classes:
        _list(lists, wanted, split or ALL, json=json)
        return
    if out is not None:
        check_out(out)
        if to:
            check_free(_beside(out, to))
    elif not only_list:
        raise ArgumentError("BW802", "the folder is missing: give --out.")
    chosen = choose_images(
        lists,
        wanted,
        split or SPLITS[0],
        images=images,
        children=with_children,
        where=dict(map(_flag, where or ())),
        negatives=negatives,
        limit=limit,
        per_class=per_class,
        seed=seed,
    )
    if out is None or only_list:
        echo("\n".join(map(str, chosen.images)))
        return
    planned = plan(lists, chosen, out)
    confirm_size(planned.missing, planned.estimated_bytes, yes=yes)
    _fetch(planned, threads, to, json=json)


def _flag(text: str) -> tuple[str, int]:
    """`IsDepiction=0` as a pair, in any case."""
    from boxwright.openimages.kinds import FLAGS

    name, _, value = text.partition("=")
    known = {flag.lower(): flag for flag in FLAGS}
    if name.strip().lower() not in known or value.strip() not in {"0", "1"}:
        raise ArgumentError(
            "BW803",
            f"--where cannot be '{text}'.",
            choices=", ".join(f"{flag}=0 or 1" for flag in FLAGS),
        )
    return known[name.strip().lower()], int(value)


def _list(lists: Lists, words: list[str], split: str, *, json: bool) -> None:
    """Print the images and boxes of classes, by split."""
    known = lists.classes()
    codes = list(dict.fromkeys(c for word in words or [""] for c in known.matching(word)))
    if not codes:
        codes = known.codes_of(words)  # which names the nearest
    splits = SPLITS if split == ALL else (split,)
    counts = {each: lists.boxes(each).counts() for each in splits}
    rows = [
        (known.names[code], code, {each: counts[each].get(code, (0, 0)) for each in splits})
        for code in codes
    ]
    if json:
        show_json(
            [
                {
                    "name": name,
                    "code": code,
                    **{s: {"images": n, "boxes": m} for s, (n, m) in found.items()},
                }
                for name, code, found in rows
            ]
        )
        return
    show(_table(rows, splits))
    say("[dim]Next: boxwright download openimages --classes NAME --out FOLDER[/]")


def _table(rows: list[tuple[str, str, dict[str, tuple[int, int]]]], splits: tuple[str, ...]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("class", overflow="fold")
    for split in splits:
        table.add_column(f"{split} images", justify="right")
        table.add_column("boxes", justify="right")
    for name, _, found in rows:
        cells = [f"{number:,}" for split in splits for number in found[split]]
        table.add_row(plain(name), *cells)
    return table


def _fetch(planned: Plan, threads: int, to: str | None, *, json: bool) -> None:
    from boxwright.downloads import fetching
    from boxwright.openimages.download import fetch
    from boxwright.structures.findings import counted

    with fetching(f"Downloading {planned.missing:,} images") as told:
        done = fetch(planned, threads, told)
    if json:
        show_json(_as_json(done))
    else:
        total = f"{sum(done.images.values()):,} images with {sum(done.boxes.values()):,} boxes"
        by_split = ", ".join(f"{count:,} {name}" for name, count in done.images.items() if count)
        show(f"[bold]{plain(done.out)}[/]: {total} ({by_split or 'none'}).")
    for split, index in planned.indexes.items():
        if index.unusable:
            rows = counted(index.unusable, "row")
            say(f"{rows} of the boxes of {split} cannot be used and were left out.")
    _check_complete(done, len(planned.images) + len(planned.refused))
    folder = _convert(done.out, to) if to else done.out
    if not json:
        show("Next:")
        if not done.images.get(SPLITS[0]):
            show(f"  boxwright split {plain(quoted(folder))} --anew")  # training needs some images
        show(f"  boxwright train {plain(quoted(folder))}")


def _check_complete(done: Downloaded, asked: int) -> None:
    """Raise DataError BW178 if images failed, and print the first ones."""
    from boxwright.openimages.fetching import FAILED

    if not done.failures:
        return
    for failure in done.failures[:SHOWN]:
        say(f"  {failure.image}: {plain(failure.reason)}")
    raise DataError(
        "BW178",
        f"{len(done.failures):,} of {asked:,} images could not be downloaded.",
        where=done.out / FAILED,
        list=quoted(done.out / FAILED),
        out=quoted(done.out),
    )


def _convert(out: Path, to: str) -> Path:
    """Write a download in another format beside it, and say what that format cannot store."""
    from boxwright.cli.describe import say_findings
    from boxwright.cli.progress import waiting
    from boxwright.datasets.convert import convert

    beside = _beside(out, to)
    with waiting(f"Writing and verifying {FORMATS[to].TITLE}"):
        done = convert(out, beside, to, link=True)
    say(f"[bold]{plain(beside)}[/]: the same images as {FORMATS[to].TITLE}.")
    say_findings(done.lost)
    return beside


def _beside(out: Path, to: str) -> Path:
    return out.with_name(f"{out.name}-{to}")


def _as_json(done: Downloaded) -> dict[str, Any]:
    return {
        "path": str(done.out),
        "images": done.images,
        "boxes": done.boxes,
        "classes": list(done.classes),
        "failed": [
            {"image": str(failure.image), "reason": failure.reason} for failure in done.failures
        ],
    }
