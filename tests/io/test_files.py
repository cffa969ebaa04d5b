"""A final name never holds a half-written file."""

from __future__ import annotations

import errno
import io
import json
import os
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from boxwright.errors import DataError, SystemFaultError
from boxwright.io import faults, files, scratch

pytestmark = pytest.mark.tiny


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_half(target: Path, failure: BaseException) -> None:
    with files.writing(target) as draft:
        draft.write_text("half of the ne", encoding="utf-8")
        raise failure


def test_text_is_utf8_with_unix_line_ends(tmp_path: Path) -> None:
    files.write_text(tmp_path / "new" / "names.txt", "Waschbär\nraccoon\n")
    assert (tmp_path / "new" / "names.txt").read_bytes() == "Waschbär\nraccoon\n".encode()


def test_an_error_names_the_final_place(tmp_path: Path) -> None:
    with (
        pytest.raises(SystemFaultError) as caught,
        files.writing(tmp_path / "out") as folder,
        files.writing(folder / "images" / "a.jpg"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.where == str(tmp_path / "out" / "images" / "a.jpg")


def test_json_reads_back(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a.json", {"class": "Waschbär", "boxes": [1.5]})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert "Waschbär" in text
    assert json.loads(text) == {"class": "Waschbär", "boxes": [1.5]}


def test_json_keeps_halves_of_characters(tmp_path: Path) -> None:
    value = {"image": "a\udcff.jpg", "class": "\ud83d"}
    files.write_json(tmp_path / "a.json", value)
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == value


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_disk_that_is_full_is_told_once() -> None:
    """Not a second time, without a code, when the file is closed."""
    with pytest.raises(SystemFaultError, match="BW902"):
        files.copy_stream(io.BytesIO(b"content"), Path("/dev/full"))


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (errno.ENOSPC, "BW902"),
        (errno.EDQUOT, "BW902"),
        (errno.EFBIG, "BW903"),
        (errno.EIO, "BW903"),
    ],
)
def test_a_library_tells_that_it_cannot_write(tmp_path: Path, reason: int, code: str) -> None:
    words = f"{tmp_path}/x: {os.strerror(reason)} [Op:SaveV2]"
    with pytest.raises(SystemFaultError) as caught, scratch.scratch_folder():
        raise RuntimeError(words)
    assert caught.value.code == code
    assert "TMPDIR" in caught.value.remedy
    with pytest.raises(SystemFaultError, match=code), faults.translating_os_errors(tmp_path):
        raise RuntimeError(words)


def test_temporary_files_without_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    with pytest.raises(SystemFaultError) as caught, scratch.scratch_folder():
        pass
    assert caught.value.code == "BW903"
    assert "TMPDIR" in caught.value.remedy


@pytest.mark.parametrize("old", ["file", "folder", None])
@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "BW902"),
        (OSError(errno.EACCES, "Permission denied"), "BW903"),
        (RuntimeError(f"SaveV2: {os.strerror(errno.ENOSPC)}"), "BW902"),
        (ValueError("a bug"), ValueError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
    ids=["full disk", "forbidden", "full disk of a library", "bug", "Ctrl-C"],
)
def test_what_was_there_survives_any_failure(
    tmp_path: Path, old: str | None, failure: BaseException, expected: str | type[BaseException]
) -> None:
    target = tmp_path / "thing"
    if old == "file":
        target.write_text("old", encoding="utf-8")
    elif old == "folder":
        target.mkdir()
        (target / "inside").write_text("old", encoding="utf-8")
    before = names(tmp_path)

    with pytest.raises(SystemFaultError if isinstance(expected, str) else expected) as caught:
        write_half(target, failure)

    if isinstance(expected, str):
        assert isinstance(caught.value, SystemFaultError)
        assert caught.value.code == expected
        assert caught.value.where == str(target)
    assert names(tmp_path) == before
    if old is not None:
        kept = target if old == "file" else target / "inside"
        assert kept.read_text(encoding="utf-8") == "old"


def test_a_folder_whose_place_cannot_be_taken_comes_back(tmp_path: Path) -> None:
    target = tmp_path / "run"
    target.mkdir()
    (target / "weights").write_text("old", encoding="utf-8")
    with pytest.raises(SystemFaultError, match="BW903"), files.writing(target):
        pass  # the block makes nothing that could take its place
    assert (target / "weights").read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["run"]


def test_a_file_never_replaces_a_folder(tmp_path: Path) -> None:
    kept = tmp_path / "images" / "a.jpg"
    kept.parent.mkdir()
    kept.touch()
    with pytest.raises(SystemFaultError, match="it is a folder") as caught:
        files.write_text(kept.parent, "a page")
    assert caught.value.code == "BW903"
    assert kept.is_file()
    assert names(tmp_path) == ["images"]


def test_a_folder_replaces_a_folder_whole(tmp_path: Path) -> None:
    target = tmp_path / "run"
    target.mkdir()
    (target / "old").touch()
    with files.writing(target) as draft:
        draft.mkdir()
        (draft / "new").touch()
    assert names(target) == ["new"]
    assert names(tmp_path) == ["run"]


def test_the_draft_keeps_the_suffixes(tmp_path: Path) -> None:
    with files.writing(tmp_path / "model.weights.h5") as draft:
        assert draft.name == "model.weights.h5"
        draft.touch()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemFaultError, match="BW903") as caught:
        files.write_text(tmp_path / "file" / "below.txt", "text")
    assert "below.txt" in str(caught.value)


def test_one_at_a_time_gets_past_a_lock(tmp_path: Path) -> None:
    path = tmp_path / "new" / ".lock"
    inside: list[int] = []

    def work() -> None:
        with files.locked(path):
            inside.append(1)
            assert len(inside) == 1
            inside.pop()

    with files.locked(path):
        others = [threading.Thread(target=work) for _ in range(3)]
        for other in others:
            other.start()
        others[0].join(0.2)
        assert all(other.is_alive() for other in others)
    for other in others:
        other.join(5)
    assert not any(other.is_alive() for other in others)


def test_a_killed_process_holds_no_lock(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    program = (
        "import sys, time; from boxwright.io.files import locked\n"
        "with locked(sys.argv[1]): print('in', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in\n"
        process.kill()
    with files.locked(path):
        pass


def test_who_does_not_want_to_wait_is_told_who_is_inside(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    path.write_text("123456789", encoding="ascii")  # of a process long gone

    def refusal(process: str) -> SystemFaultError:
        return SystemFaultError("BW999", process)

    with files.locked(path, refusal):
        with pytest.raises(SystemFaultError) as caught, files.locked(path, refusal):
            pass
        assert caught.value.message == str(os.getpid())
    with files.locked(path, refusal):
        pass


# ---- New folders -------------------------------------------------------------------------------


def taken(beside: Path) -> DataError:
    return DataError("BW194", f"the result is in {beside.name}.")


@pytest.mark.parametrize("before", [None, "empty"])
def test_a_new_folder_takes_a_free_place(tmp_path: Path, before: str | None) -> None:
    target = tmp_path / "out"
    if before:
        target.mkdir()
    with files.writing(target, taken) as draft:
        draft.mkdir()
        (draft / "new").touch()
    assert names(target) == ["new"]
    assert names(tmp_path) == ["out"]


def write_both(draft: Path, target: Path, kind: str) -> None:
    """The result, and what another program puts into its place meanwhile."""
    draft.mkdir()
    (draft / "new").touch()
    if kind == "file":
        target.touch()
    else:
        target.mkdir()
        (target / "theirs").touch()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_appears_there_meanwhile_stays_and_so_does_the_result(
    tmp_path: Path, kind: str
) -> None:
    target = tmp_path / "out"
    (tmp_path / "out-2").mkdir()
    (tmp_path / "out-2" / "older").touch()
    with pytest.raises(DataError, match="in out-3"), files.writing(target, taken) as draft:
        write_both(draft, target, kind)
    assert target.is_file() or names(target) == ["theirs"]
    assert names(tmp_path) == ["out", "out-2", "out-3"]
    assert (names(tmp_path / "out-2"), names(tmp_path / "out-3")) == (["older"], ["new"])


def test_of_several_at_once_one_gets_the_place(tmp_path: Path) -> None:
    refused: list[str] = []
    together = threading.Barrier(4)

    def write(number: int) -> None:
        try:
            with files.writing(tmp_path / "out", taken) as draft:
                draft.mkdir()
                (draft / str(number)).touch()
                together.wait()
        except DataError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["BW194"] * 3
    assert names(tmp_path) == ["out", "out-2", "out-3", "out-4"]
    kept = [name for folder in tmp_path.iterdir() for name in names(folder)]
    assert sorted(kept) == ["0", "1", "2", "3"]


# ---- Power cuts --------------------------------------------------------------------------------


@pytest.mark.parametrize("many", [False, True])
def test_data_is_on_the_disk_before_its_name(
    many: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are synced before the rename, and the folder with the new name after it."""
    done: list[str] = []
    target = tmp_path / "out"

    def fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        done.append(f"{'folder' if is_folder else 'file'} {target.exists()}")

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "sync", lambda: done.append(f"all {target.exists()}"), raising=False)
    monkeypatch.setattr(scratch, "MANY", 1 if many else 9)
    with files.writing(target) as draft:
        (draft / "images").mkdir(parents=True)
        for name in ("a", "b"):
            with files.writing(draft / "images" / name) as image:
                image.touch()
    at_once = many and sys.platform == "linux"
    contents = ["all False"] if at_once else ["file False"] * 2 + ["folder False"] * 2
    names = ["folder True"]
    assert [each for each in done if sys.platform != "win32" or "file" in each] == [
        *contents, *(names if sys.platform != "win32" else [])
    ]  # fmt: skip


# ---- Killed processes --------------------------------------------------------------------------


def test_what_a_killed_process_left_half_written_is_swept_away(tmp_path: Path) -> None:
    """The next process removes it; but not what belongs to a process that still runs, or is not
    known to belong to any."""
    code = """if True:
        import os, sys
        from pathlib import Path
        from boxwright.io.scratch import scratch_folder
        with scratch_folder(Path(sys.argv[1])) as folder:
            (folder / "half").touch()
            os._exit(9)
    """
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    (left,) = tmp_path.iterdir()
    assert names(left) == [scratch.IN_USE, "half"]
    with scratch.scratch_folder(tmp_path) as running:
        strange, empty = (tmp_path / f"{scratch.SCRATCH}{name}" for name in ("strange", "empty"))
        strange.mkdir()
        (strange / "file").touch()
        empty.mkdir()  # its process was killed before it took its lock, or is about to
        scratch.sweep(tmp_path)
        assert left.exists(), "it has only just ended"
        assert empty.exists(), "it has only just begun"
        for folder in (left, running, strange, empty):
            os.utime(folder, (0, 0))
        scratch.sweep(tmp_path)
        assert set(tmp_path.iterdir()) == {running, strange}
