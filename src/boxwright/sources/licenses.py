"""The licenses of what PyAV's wheel contains."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import PurePosixPath
from typing import NamedTuple

from boxwright.backend import framework

UNKNOWN = "unknown"
LIBRARIES = {  # beginnings of names of libraries beside FFmpeg's own, as their projects state
    "libx264": "GPL-2.0-or-later",
    "libx265": "GPL-2.0-or-later",
    "libSvtAv1": "BSD-3-Clause-Clear",
    "libXau": "MIT",
    "libaom": "BSD-2-Clause",
    "libasound": "LGPL-2.1-or-later",
    "libdav1d": "BSD-2-Clause",
    "libdrm": "MIT",
    "libgmp": "LGPL-3.0-or-later or GPL-2.0-or-later",
    "libgnutls": "LGPL-2.1-or-later",
    "libhogweed": "LGPL-3.0-or-later or GPL-2.0-or-later",
    "libmp3lame": "LGPL-2.0-or-later",
    "libnettle": "LGPL-3.0-or-later or GPL-2.0-or-later",
    "libopencore-amr": "Apache-2.0",
    "libopus": "BSD-3-Clause",
    "libsharpyuv": "BSD-3-Clause",
    "libspeex": "BSD-3-Clause",
    "libunistring": "LGPL-3.0-or-later or GPL-2.0-or-later",
    "libvorbis": "BSD-3-Clause",
    "libvpl": "MIT",
    "libvpx": "BSD-3-Clause",
    "libwebp": "BSD-3-Clause",
    "libxcb": "MIT",
}
LIBRARY = re.compile(r"(lib[A-Za-z0-9_]+(?:-[a-z]+(?=-|\.))?).*\.(so|dylib|dll)\b")


class Contained(NamedTuple):
    """A library in PyAV's wheel: its name and its license."""

    name: str
    license: str


def pyav() -> Contained:
    """PyAV itself. Raises SystemFaultError: BW901 it is not installed."""
    framework.av()
    return Contained(f"PyAV {metadata.version('av')}", "BSD-3-Clause")


def contained() -> Iterator[Contained]:
    """The libraries in PyAV's wheel; none where it was built with those of the system.

    FFmpeg's own state how they were built: with x264 and x265 the GPL holds for them too.
    """
    stated = {name: about["license"] for name, about in framework.av()._core.library_meta.items()}
    names = {
        match[1]
        for file in metadata.files("av") or ()
        if ".libs" in str(file) or ".dylibs" in str(file)
        if (match := LIBRARY.match(PurePosixPath(file).name))
    }
    for name in sorted(names, key=str.lower):
        known = (license for start, license in LIBRARIES.items() if name.startswith(start))
        yield Contained(name, stated.get(name) or next(known, UNKNOWN))
