"""What the name of a source says about it."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import urlsplit

from boxwright.images.kinds import suffix_of

CAMERA = "camera:"  # begins the name of a camera
RTSP = ("tcp", "udp")  # how RTSP streams are transported; UDP loses packets
SUFFIXES = frozenset(  # of videos
    (
        *(".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts"),
        *(".m2ts", ".wmv", ".asf", ".flv", ".ogv", ".mjpeg", ".mjpg", ".y4m"),
    )
)
STREAMED = frozenset({".mjpeg", ".mjpg", ".ts"})  # also end addresses of cameras, which go on


def is_video(name: str) -> bool:
    """True if a file or address has the suffix of a video that ends."""
    if "://" in name:
        return suffix_of(PurePosixPath(urlsplit(name).path).name) in SUFFIXES - STREAMED
    return suffix_of(PurePosixPath(name).name) in SUFFIXES


def is_live(name: str) -> bool:
    """True for the name of a camera and the address of a stream."""
    return name.startswith(CAMERA) or ("://" in name and not is_video(name))
