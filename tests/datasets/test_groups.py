"""Groups that a person declares: by a pattern, a folder or a list."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxwright.datasets.groups import together, user_groups
from boxwright.errors import DataError

pytestmark = pytest.mark.tiny

FRAMES = ["clip01_frame1.jpg", "clip02_frame1.jpg", "clip01_frame2.jpg", "poster.jpg", "cover.jpg"]


@pytest.mark.parametrize(
    ("images", "how", "expected"),
    [
        (FRAMES, "(clip[0-9]+)_", [0, 1, 0, 2, 3]),
        (FRAMES, "^(.)", [0, 0, 0, 1, 0]),
        (["a/x1.jpg", "b/x1.jpg", "a/x2.jpg"], "(.*)/", [0, 1, 0]),
        (["a/x1.jpg", "b/x1.jpg", "a/x2.jpg"], "(x[0-9])", [0, 0, 1]),
        (["a/x1.jpg", "b/x1.jpg", "a/x2.jpg"], "(.)/x([0-9])", [0, 1, 2]),
        (["a/x.jpg", "b/x.jpg", "a/y.jpg", "z.jpg", "a/b/x.jpg"], "folder", [0, 1, 0, 2, 3]),
        (["a.jpg", "b.jpg"], "(c)?a", [0, 1]),
        ([], "(clip)", []),
    ],
)
def test_groups_are_told_by_name(images: list[str], how: str, expected: list[int]) -> None:
    assert user_groups(images, how).tolist() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("photo,group\na/1.jpg,red\nA\\2.JPG,red\n3.jpg,blue\n", [0, 0, 1, 2]),
        ("\ufeffGroup; Photo\r\nred; a/1.jpg\r\nred; b/3.jpg\r\n", [0, 1, 0, 2]),
        ('photo,group\n"a/1.jpg",\n4.jpg,\nshort\n', [0, 1, 2, 0]),
    ],
)
def test_groups_are_told_by_a_list(text: str, expected: list[int], tmp_path: Path) -> None:
    path = tmp_path / "my groups.csv"
    path.write_bytes(text.encode())
    images = ["a/1.jpg", "a/2.jpg", "b/3.jpg", "4.jpg"]
    assert user_groups(images, str(path)).tolist() == expected


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("(clip", "is not a regular expression"),
        ("clip[0-9]+", "has no group in parentheses"),
        ("(video)_", "matches none of the images, such as clip01_frame1.jpg"),
        ("nowhere.csv", "cannot be read as CSV"),
        ("(a){99999999999}", "is not a regular expression"),
    ],
)
def test_what_tells_no_groups_is_refused(how: str, reason: str) -> None:
    with pytest.raises(DataError, match=r"BW195") as raised:
        user_groups(FRAMES, how)
    assert reason in raised.value.message


@pytest.mark.parametrize(
    "content", [b"", b"name,group\na,b\n", b"photo,group\nother.jpg,a\n", b"\xff\xfe\x00", b"\x00"]
)
def test_lists_that_tell_nothing_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"BW195"):
        user_groups(FRAMES, str(path))


def test_what_any_partition_puts_together_is_together() -> None:
    clips = np.array([0, 0, 1, 1, 2, 3])
    alike = np.array([0, 1, 1, 2, 3, 3])
    assert together(clips, alike).tolist() == [0, 0, 0, 0, 1, 1]
    assert together(alike).tolist() == alike.tolist()


def test_long_chains_are_followed_to_their_end() -> None:
    count = 20_000
    pairs = np.arange(count) // 2
    shifted = (np.arange(count) + 1) // 2
    assert not together(pairs, shifted).any()
