"""The licenses of a detector's parts."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from boxwright.inference.artifact import Artifact
from boxwright.structures.findings import counted

UNKNOWN = "unknown"


class Part(NamedTuple):
    """A part of a detector: its name, its license, and the source of the license."""

    part: str
    name: str
    license: str
    source: str


def parts_of(artifact: Artifact) -> tuple[Part, Part, Part]:
    """The code, the weights that the training started from, and the images."""
    return _code(artifact), weights_of(artifact), _images(artifact)


def _code(artifact: Artifact) -> Part:
    version = artifact.provenance.get("boxwright")
    name = f"Boxwright {version}" if version else UNKNOWN
    source = "training code and network architecture" if version else "another tool"
    return Part("code", name, "Apache-2.0" if version else UNKNOWN, source)


def weights_of(artifact: Artifact) -> Part:
    """The weights that the training started from."""
    from boxwright.models.weights.published import MODELS

    name = artifact.provenance.get("weights", UNKNOWN)
    if name is None:
        return Part("weights", "from scratch", "yours", "trained only on your images")
    for published in MODELS:
        if published.name == name:
            return Part("weights", name, published.license, published.urls[0])
    return Part("weights", str(name), UNKNOWN, "ask the author of the file")


def _images(artifact: Artifact) -> Part:
    from boxwright.openimages.licenses import image_licenses

    path, name = artifact.data_path, artifact.data_name
    if name is None:
        return Part("images", UNKNOWN, UNKNOWN, "the file does not record its training data")
    if path and (known := image_licenses(Path(path))):
        counts = ", ".join(f"{name} ({count:,})" for name, count in known.counts.items())
        source = f"{counted(known.authors, 'author')}, listed in {', '.join(known.lists)}"
        return Part("images", path, counts or UNKNOWN, source)
    texts = sorted(each.name for each in Path(path).glob("LICEN[CS]E*")) if path else []
    source = f"see {Path(path) / texts[0]}" if path and texts else "ask the authors of the images"
    return Part("images", path or name, UNKNOWN, source)
