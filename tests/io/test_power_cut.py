"""What a command has written outlasts a power cut.

The commands write to a file system on a loop device. A copy of the device, made when a command has
ended, has only what was on the disk at that moment. Making one needs root on Linux.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from boxwright.cli.main import app
from boxwright.io.files import writing
from boxwright.io.scratch import is_scratch
from folders import VocFolder

SIZE = 64 << 20  # bytes of the device


class Disk:
    """A file system in a file."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._device = folder, folder / "device"
        self.path = folder / "disk"

    def make(self) -> None:
        """Raises CalledProcessError or OSError where it cannot be made."""
        with self._device.open("wb") as file:
            file.truncate(SIZE)
        _run("mkfs.ext4", "-q", "-F", str(self._device))
        _mount(self._device, self.path)

    def after_power_cut(self) -> Path:
        """What is on the disk if the power is cut now."""
        copy = self._folder / "copy"
        shutil.copyfile(self._device, copy)
        _mount(copy, self._folder / "after")
        return self._folder / "after"

    def unmount(self) -> None:
        for place in (self._folder / "after", self.path):
            if place.is_mount():
                _run("umount", str(place))


def _mount(device: Path, place: Path) -> None:
    place.mkdir()
    _run("mount", "-o", "loop", str(device), str(place))


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path, syncing: None) -> Iterator[Disk]:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a loop device needs root on Linux")
    made = Disk(tmp_path)
    try:
        made.make()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no loop device can be mounted here: {error}")
    try:
        yield made
    finally:
        made.unmount()


def contents(folder: Path) -> dict[str, bytes]:
    """All files but those of temporary folders, which the next command removes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not is_scratch(path)
    }


@pytest.mark.parametrize(
    "words",
    [
        *(["convert", "{data}", "{out}", "--to", form] for form in ("coco", "voc", "yolo")),
        ["convert", "{data}", "{out}", "--to", "tfrecord"],
        ["merge", "{data}", "{more}", "--out", "{out}"],
        ["check", "{data}", "--fix", "{out}"],
        ["check", "{data}", "--html", "{out}/page.html"],
    ],
    ids=" ".join,
)
def test_what_a_command_has_written_is_on_the_disk(
    disk: Disk, tmp_path: Path, words: list[str]
) -> None:
    for name in ("data", "more"):
        folder = VocFolder(tmp_path / name, made=len(name) * 10)
        for i in range(3):
            folder.pair(f"{name}{i}")
    folder.xml("data0.xml", [("cat", 4, 6, 90, 40)])  # for `check --fix`
    out = disk.path / "out"
    places = {"data": tmp_path / "data", "more": tmp_path / "more", "out": out}
    result = CliRunner().invoke(app, [word.format(**places) for word in words])
    assert out.exists(), result.output
    found = contents(disk.after_power_cut() / "out")
    assert found == contents(out)
    assert found


def test_a_file_that_is_not_synced_is_lost(disk: Disk) -> None:
    """So that the test above can fail."""
    (disk.path / "lost.txt").write_text("a" * 5000, encoding="utf-8")
    with writing(disk.path / "kept.txt") as draft:
        draft.write_text("b" * 5000, encoding="utf-8")
    after = disk.after_power_cut()
    assert (after / "kept.txt").read_text("utf-8") == "b" * 5000
    lost = after / "lost.txt"
    assert not lost.exists() or lost.read_text("utf-8") == ""
