"""Codes of reading archives of images and annotations."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

ARCHIVES: dict[str, Meaning] = {
    "BW172": Meaning(
        "error",
        "An archive is damaged",
        "The file is not a zip or tar file, whatever its name says, or it was cut off or changed, "
        "for example by an interrupted download. Nothing of it is used.",
        "Download or copy the archive again, or pack the data folder again.",
    ),
    "BW173": Meaning(
        "error",
        "A path in an archive is not safe",
        "An entry has an absolute path, a drive or .., is a link or a device, or has the same path "
        "as another entry, perhaps with other capitals. Unpacked, it could overwrite other files. "
        "Nothing of the archive is used.",
        "If you trust the archive, unpack it yourself and give the folder. To pack a folder with "
        "links, use tar with --dereference --hard-dereference, or zip, which packs the files.",
    ),
    "BW174": Meaning(
        "error",
        "An archive unpacks to too much",
        "It has more than a million entries, or unpacks to more than 256 GiB or, above 64 MiB, to "
        "more than 100 times its own size. Archives of images never do the latter; such a file is "
        "made to fill a disk. Nothing of it is used.",
        "If you trust the archive, unpack it yourself and give the folder.",
    ),
    "BW175": Meaning(
        "error",
        "An archive needs another program",
        "It needs a password, or is compressed in a way that Python does not support: RAR, 7-Zip, "
        "Zstandard, or Deflate64, which Windows uses for large zip files.",
        "Unpack it with the program that packed it, and give the folder. Or pack the folder again "
        "as a .zip without password or as a .tar.gz.",
    ),
    "BW176": Meaning(
        "error",
        "An archive cannot be changed",
        "`boxwright split` writes its file into the data folder. An archive is only read.",
        "Unpack it and give the folder. `boxwright train` and `boxwright convert` take the archive "
        "as it is.",
    ),
}
