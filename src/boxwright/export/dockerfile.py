"""The Dockerfile of a server for a detector."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from boxwright.export.new_file import write_new
from boxwright.inference.file_kinds import FILE_KINDS, kind_of
from boxwright.inference.run import Run

NAME = "Dockerfile"
PYTHON = "3.13"
SOURCE = "https://github.com/boxwright/boxwright/archive/refs/heads/main.zip"
PORT = 8501
EVERYWHERE = "0.0.0.0"  # noqa: S104  # nosec B104  # inside the container
USER = 10001  # a number, so that Kubernetes can tell that it is not root
READY = f"http://127.0.0.1:{PORT}/healthz"
ASK = f"import urllib.request; urllib.request.urlopen('{READY}', timeout=4)"


class Image(NamedTuple):
    """A container image that can be built.

    Attributes:
        dockerfile: the file that was written.
        context: the folder that `docker build` gets.
        tag: a name for the image.
    """

    dockerfile: Path
    context: Path
    tag: str


def write_dockerfile(model: str | Path, out: str | Path | None = None) -> Image:
    """Write the Dockerfile of a server for a detector, and beside it the list of what Docker may
    read: only the detector, so that none of the images of a run folder gets into the image.

    Args:
        model: a run folder, or an exported file or folder.
        out: the file to write; `Dockerfile` in the run folder or beside the exported file by
            default.

    Raises:
        DetectorError: BW501 there is no detector.
        ExportError: BW412 there is such a file already, with other content.
        SystemFaultError: BW902, BW903 it cannot be written.
    """
    model = Path(model).resolve()  # Docker follows no links
    kind = FILE_KINDS[kind_of(model)]
    run = Run(model)
    parts = (run.description, run.weights) if run.exists() else (model,)
    context = parts[0].parent
    path = context / NAME if out is None else Path(out)
    lines = _lines(model, [part.name for part in parts], kind.extras, kind.packages)
    write_new(path, "\n".join(lines) + "\n")
    allowed = "".join(f"!{_pattern(part.name)}\n" for part in parts)
    write_new(path.with_name(f"{path.name}.dockerignore"), f"*\n{allowed}")
    return Image(
        path, context, re.sub(r"[^a-z0-9]+", "-", model.stem.lower()).strip("-") or "model"
    )


def _lines(
    model: Path, parts: Sequence[str], extras: Sequence[str], packages: Sequence[str]
) -> list[str]:
    """The Dockerfile. Names of files are in JSON and reach no shell."""
    needed = ",".join(("serve", *extras))
    install = " ".join(['"$BOXWRIGHT"', *packages])
    inside = re.sub(r"([\\$])", r"\\\1", f"/model/{model.name}/" if model.is_dir() else "/model/")
    start = ["boxwright", "serve", model.name, "--host", EVERYWHERE, "--port", str(PORT)]
    return [
        "# Serves a detector over HTTP.",
        f"FROM python:{PYTHON}-slim",
        f'ARG BOXWRIGHT="boxwright[{needed}] @ {SOURCE}"',
        f"RUN python -m pip install --no-cache-dir {install}",
        f"RUN useradd --uid {USER} --create-home boxwright",
        f"USER {USER}",
        "WORKDIR /model",
        f"COPY {_json([*map(_pattern, parts), inside])}",
        "# Load the model once, so that a bad file fails here and the server starts sooner.",
        f"RUN {_json(['boxwright', 'inspect', model.name])}",
        f"EXPOSE {PORT}",
        f"HEALTHCHECK --start-period=60s --timeout=5s CMD {_json(['python', '-c', ASK])}",
        f"ENTRYPOINT {_json(start)}",
    ]


def _json(words: Sequence[str]) -> str:
    return json.dumps(words, ensure_ascii=False)


def _pattern(name: str) -> str:
    """A pattern of Docker's for a file name; ? is any character."""
    return re.sub(r"[^\w. -]", "?", name)
