"""What the documentation says about each format is what it does."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from boxwright import formats
from boxwright.images.decoding import is_image
from folders import VocFolder

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize("form", formats.FORMATS)
def test_the_files_that_are_written_are_the_documented_ones(
    voc_folder: VocFolder, form: str
) -> None:
    for split in ("train", "val", "test"):
        voc_folder.pair(f"data/{split}/{split}")
    out = voc_folder.root / "out"
    formats.write(formats.read(voc_folder.root / "data"), out, form)
    paths = [path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()]
    names = [name for name in paths if not is_image(name)]
    patterns = formats.FORMATS[form].ABOUT.written
    for pattern in patterns:
        assert any(fnmatchcase(name, pattern) for name in names), pattern
    for name in names:
        assert any(fnmatchcase(name, pattern) for pattern in patterns), name
