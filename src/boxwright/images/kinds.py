"""Which image files are opened, and the names of those that are not."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.util import find_spec

# Formats that Pillow may use, whatever the suffix: others run programs (EPS) or are odd sources of
# errors. JPEG includes MPO.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "AVIF")
SUFFIXES_OF = {
    "JPEG": frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".pjpeg", ".pjp", ".mpo"}),
    "MPO": frozenset({".jpg", ".jpeg", ".jpe", ".mpo"}),  # a JPEG followed by more pictures
    "PNG": frozenset({".png", ".apng"}),
    "GIF": frozenset({".gif"}),
    "BMP": frozenset({".bmp", ".dib"}),
    "DIB": frozenset({".bmp", ".dib"}),
    "TIFF": frozenset({".tif", ".tiff"}),
    "WEBP": frozenset({".webp"}),
    "AVIF": frozenset({".avif"}),
}
SUFFIXES = frozenset().union(*SUFFIXES_OF.values())
HEIF = "HEIF"
HEIF_SUFFIXES = frozenset({".heic", ".heif", ".hif"})
HEIF_PACKAGES = ("pi_heif", "pillow_heif")  # the extra `heic` installs the first
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
AVIF_BRANDS = {b"avif", b"avis"}
# Images that annotations may name, but that are not opened: suffix -> name of the format.
UNOPENED = {
    **dict.fromkeys(HEIF_SUFFIXES, "HEIC"),
    ".jxl": "JPEG XL",
    ".jxr": "JPEG XR",
    **dict.fromkeys((".jp2", ".j2k", ".jpf", ".jpx", ".j2c"), "JPEG 2000"),
    **dict.fromkeys((".ppm", ".pgm", ".pbm", ".pnm", ".pfm"), "Netpbm"),
    **dict.fromkeys((".dcm", ".dicom"), "DICOM"),
    **dict.fromkeys((".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"), "raw"),
    ".raw": "raw",
    ".psd": "Photoshop",
    ".tga": "TGA",
    ".dds": "DDS",
    ".exr": "OpenEXR",
    ".hdr": "Radiance HDR",
    ".ico": "icon",
    ".svg": "SVG",
    ".npy": "NumPy",
    ".pdf": "PDF",
    **dict.fromkeys((".eps", ".ps"), "PostScript"),
}
SIGNATURES = {
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"II\xbc\x01": "JPEG XR",
    b"8BPS": "Photoshop",
}


def suffix_of(name: str) -> str:
    """The lower-case suffix of a file name, with its dot; empty if there is none."""
    _, dot, suffix = name.rpartition(".")
    return f".{suffix.lower()}" if dot else ""


def names_image(name: str) -> bool:
    """True if a file name is that of an image, opened or not."""
    suffix = suffix_of(name)
    return suffix in SUFFIXES or suffix in UNOPENED


def opens_heif() -> bool:
    """True if a package that decodes HEIC is installed."""
    return _heif_package() is not None


def register_heif() -> None:
    """Have Pillow open HEIC, if `opens_heif`."""
    if package := _heif_package():
        importlib.import_module(package).register_heif_opener()


def format_by_signature(content: bytes) -> str:
    """The format of an image that Pillow does not open by itself, from its first bytes: "HEIC",
    "AVIF", "JPEG XL", ...; empty for anything else."""
    if content[4:8] == b"ftyp":
        end = min(int.from_bytes(content[:4], "big"), len(content))
        brands = {content[8:12], *(content[i : i + 4] for i in range(16, end, 4))}
        if brands & HEIF_BRANDS:
            return "HEIC"
        return "AVIF" if brands & AVIF_BRANDS else ""
    return next((name for start, name in SIGNATURES.items() if content.startswith(start)), "")


@cache
def _heif_package() -> str | None:
    return next((name for name in HEIF_PACKAGES if find_spec(name)), None)
