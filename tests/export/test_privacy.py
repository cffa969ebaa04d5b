"""No image of the user's and no path of their machine is in an exported file."""

from __future__ import annotations

import base64
import getpass
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxwright.export.targets import TARGETS
from boxwright.inference import litert

BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4}){25,}")  # a rest of it need not be read


def contents(path: Path) -> Iterator[bytes]:
    """Every file of an export, and what is packed inside it."""
    for file in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
        content = file.read_bytes()
        yield content
        yield from (base64.b64decode(text) for text in BASE64.findall(content)[:100])
        if zipfile.is_zipfile(io.BytesIO(content)):
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                for name in packed.namelist():
                    inside = packed.read(name)
                    yield inside
                    yield from (base64.b64decode(text) for text in BASE64.findall(inside))


def images(content: bytes) -> Iterator[np.ndarray[Any, Any]]:
    """Whatever begins like an image in there, as RGB."""
    for start in re.finditer(rb"\x89PNG\r\n|\xff\xd8\xff", content):
        try:
            with Image.open(io.BytesIO(content[start.start() :])) as image:
                yield np.asarray(image.convert("RGB"))
        except (OSError, SyntaxError, ValueError):
            continue


@pytest.mark.parametrize("kind", TARGETS)
def test_no_path_is_inside(kind: str, exported: Any) -> None:
    file = exported(kind)
    home, root = file.path.parents[1], file.dataset.root
    secrets = {home.name, str(home), home.parent.as_posix(), str(root), root.name}
    secrets |= {str(Path(__file__).parents[2])}
    if len(getpass.getuser()) > 4:  # a shorter one may stand for something else
        secrets.add(getpass.getuser())
    for content in contents(file.path):
        for secret in secrets:
            assert secret.encode() not in content
            assert json.dumps(secret)[1:-1].encode() not in content
    assert file.tiny.artifact.provenance["data"]["path"] == (home / "my images").as_posix()
    data = file.artifact.provenance["data"]
    assert data == {"folder": "my images", "fingerprint": "5e857f9b32036c20"}


@pytest.mark.parametrize("kind", TARGETS)
def test_no_image_of_the_data_is_inside(kind: str, exported: Any) -> None:
    file, dataset = exported(kind), exported(kind).dataset
    sources = [dataset.image(i) for i in range(len(dataset))]
    own = [np.asarray(Image.open(each).convert("RGB")) for each in sources]
    resized = [file.artifact.preprocessing.resize(image) for image in own]
    inside = [image for content in contents(file.path) for image in images(content)]
    assert inside, "the pattern is"
    for image in inside:
        for other in (*own, *resized):
            if image.shape == other.shape:
                assert np.abs(image.astype(int) - other).mean() > 10
    for content in contents(file.path):
        assert not any(Path(each).read_bytes()[:64] in content for each in sources)


def test_the_metadata_names_the_folder_alone(exported: Any) -> None:
    path = exported("tflite").path
    described = litert.read_metadata(path.read_bytes())
    assert described is not None
    assert "my images (fingerprint 5e857f9b32036c20)" in described.description
    assert path.parents[1].name not in json.dumps(described.fields, default=str)
