"""`boxwright label`"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from boxwright.cli.options import Format
from boxwright.console import plain, say, show, show_json
from boxwright.io.shell import quoted


def label(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder of images.")],
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--classes",
            metavar="NAMES",
            help="Classes to label, separated by commas. [default: those of the labels that are "
            "there; more can be added in the page]",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="What the assistant starts from, as for `boxwright train`. [default: the usual "
            "weights, downloaded once]",
        ),
    ] = None,
    suspects: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Label suspects to review, in the JSON that `boxwright suspects` writes.",
        ),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Your own keys, in JSON. The page of keys, behind `?`, saves such a file.",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            metavar="N",
            help="The port to listen at. [default: 8765, or a free one]",
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="The address to listen at. Another one than that of this computer lets everybody "
            "on your network try the address and read what is sent.",
        ),
    ] = "127.0.0.1",
    form: Format = None,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the page in the default browser.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the address as JSON.")] = False,
) -> None:
    """Label images in the browser while a detector trains beside you.

    It prints an address. Open it in a browser on this computer; it works once, and another one is
    printed for another browser. Labels are written beside the images, in the format that the folder
    has, VOC XML where it has none. After two labeled images a training starts by itself, with low
    priority, and proposes boxes. Every fifth image is for testing and gets none. The page also
    trains, exports and reports; the run is written beside the folder. Ctrl-C ends it; all labels
    are saved at any time.

    \b
    Examples:
      boxwright label images
      boxwright label images --classes helmet,vest
      boxwright label images --weights ssd_mobilenet_v2_coco
      boxwright label images --suspects suspects.json
      boxwright label images --keys keys.json
      boxwright label images --format yolo --port 9000 --open
    """
    from boxwright.web.installed import check_installed

    check_installed("studio")
    from boxwright.studio.keys import read_keys
    from boxwright.studio.serve import serve
    from boxwright.studio.store import LabelStore
    from boxwright.suspects.queue import read_queue

    names = [name.strip() for text in classes or () for name in text.split(",") if name.strip()]
    store = partial(LabelStore.open, folder, names, form)
    queue = read_queue(suspects) if suspects else ()
    own = read_keys(keys) if keys else None

    def ready(first: str, images: int) -> None:
        if json:
            show_json({"address": first, "folder": str(folder), "images": images})
        else:
            show(f"Label {images} images of {plain(folder)} in a browser on this computer:")
            show(f"  {first}")
            say("Ctrl-C ends the studio.")
        if open_page:
            typer.launch(first)

    serve(store, ready, host=host, port=port, weights=weights, suspects=queue, keys=own)
    say(f"\nAll labels are saved. To train:  boxwright train {plain(quoted(folder))}")
