"""Codes of downloads of images and their annotations."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

DOWNLOADS: dict[str, Meaning] = {
    "BW177": Meaning(
        "error",
        "A list of Open Images cannot be used",
        "There is no network, a firewall blocks the connection, the server does not answer, or "
        "what it sent is not one of the official lists.",
        "Run the command again: it resumes where it stopped. The environment variable "
        "BOXWRIGHT_OPENIMAGES_URL gives the address of a mirror of "
        "https://storage.googleapis.com/openimages.",
    ),
    "BW178": Meaning(
        "error",
        "Images are missing",
        "The server does not have the images, or did not send them whole. All others are in the "
        "folder, with their boxes. Or no image has a box of the classes.",
        "If no image has a box of the classes, choose others or another split: boxwright download "
        "openimages --list-classes counts them.",
        "To try the failed images again: boxwright download openimages --images {list} --out {out}",
    ),
}
