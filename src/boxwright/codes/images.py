"""Codes of decoding images."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

IMAGES: dict[str, Meaning] = {
    "BW167": Meaning(
        "warning",
        "An image is in a format that is not opened",
        "JPEG, PNG, WebP, AVIF, TIFF, BMP and GIF are opened, whatever the file's suffix says. "
        "Phones write HEIC, cameras raw files, scanners and scientific tools others; or the file "
        "has a suffix that no image has.",
        "Save the image as JPEG or PNG, with the same name and the suffix .jpg or .png: in an "
        "image viewer, or with `magick mogrify -format jpg *.heic`.",
        "HEIC is opened as it is after `pip install pi-heif`.",
    ),
    "BW168": Meaning(
        "error",
        "An image has too many pixels",
        "A small file can hold so many pixels that memory does not suffice for them. Images above "
        "a limit are therefore not decoded.",
        "If you trust the file and have 12 bytes of memory for each pixel, give `--max-pixels` "
        "with its number of pixels. Otherwise cut the image into tiles, or make it smaller, before "
        "it is labeled.",
    ),
    "BW169": Meaning(
        "warning",
        "Images use a small part of their range of values",
        "Thermal cameras, X-ray devices and microscopes store 10 to 14 bits of data in files of 16 "
        "bits, or floats. A detector sees 256 levels of gray, so such images are nearly uniform "
        "to it, unless the values in use are stretched to black and white.",
        "Give the same range to all images of the camera, as `--depth-range LOW:HIGH`; the finding "
        "names the values of these images. The range is kept in the run and in exported files, "
        "and `predict` uses it. Convert images on another scale to the same one first.",
    ),
}
