"""Faults of archives: BW172 to BW176."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from place import Place, Plant

from boxwright.io import limits
from misbehaving import tarred, zipped


def packed(content: bytes | Mapping[str, bytes], verb: str = "check") -> Plant:
    def run(place: Place) -> str:
        archive = place.root / "data.zip"
        archive.parent.mkdir(parents=True, exist_ok=True)
        archive.write_bytes(content if isinstance(content, bytes) else zipped(content))
        place.patch.setenv("BOXWRIGHT_CACHE", str(place.root / "cache"))
        return place.cli(verb, archive)

    return run


def swollen(place: Place) -> str:
    place.patch.setattr(limits, "FREE", 1 << 16)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.bmp", bytes(1 << 20))
    return packed(buffer.getvalue())(place)


PLANTS: dict[str, Plant] = {
    "BW172": packed(tarred({"a.txt": b"a"})[:-9]),
    "BW173": packed({"../a.txt": b"a"}),
    "BW174": swollen,
    "BW175": packed(b"Rar!\x1a\x07\x01\x00"),
    "BW176": packed({"a.txt": b"a"}, "split"),
}
