"""Small text files: what is read, and what is said about a file in another encoding."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxwright.errors import DataError, visible
from boxwright.io.text import decoded, open_text, read_text

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_text_with_a_known_encoding(tmp_path: Path, encoding: str, ends: str) -> None:
    path = tmp_path / "classes.txt"
    path.write_bytes(f"bär{ends}紅色{ends}".encode(encoding))
    assert read_text(path) == "bär\n紅色\n"
    with open_text(path) as lines:
        assert lines.read() == f"bär{ends}紅色{ends}"


@pytest.mark.parametrize(
    ("text", "encoding", "title"),
    [
        ("紅色\n", "big5", "Big5"),
        ("安全帽\n人\n", "big5", "Big5"),
        ("红色\n", "gbk", "GBK"),
        ("person\n安全帽\n", "gbk", "GBK"),
        ("裂缝\n划痕\n", "gb18030", "GBK"),
        ("ヘルメット\n人\n", "cp932", "Shift JIS"),
        ("りんご\nみかん\n", "shift_jis", "Shift JIS"),
        ("안전모\n사람\n", "cp949", "EUC-KR"),
        ("каска\nчеловек\n", "cp1251", "Windows-1251"),
        ("casco\nniño\n", "cp1252", "Windows-1252"),
        ("Müll\ncafé\n", "latin-1", "Windows-1252"),
        ("red\ngreen\n", "utf-16-le", "UTF-16LE"),
        ("red\ngreen\n", "utf-16-be", "UTF-16BE"),
    ],
)
def test_the_encoding_is_guessed_and_shown(text: str, encoding: str, title: str) -> None:
    content = text.encode(encoding)
    with pytest.raises(DataError) as caught:
        decoded(content, "classes.txt")
    assert (caught.value.code, caught.value.where) == ("BW160", "classes.txt")
    word = next(word for word in text.split() if not word.isascii() or "UTF" in title)
    assert f"It looks like {title}, in which this place reads '{word}'." in caught.value.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\nb\xff\n", "(byte 3 is 0xff, in line 2)"),
        (b"a\xc3", "(byte 1 is 0xc3, in line 1)"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "(byte 0 is 0x89, in line 1)"),
        (b"\xff\xfea\0b", "its first bytes state UTF-16, but byte 4"),
        (b"a\0b\n", "(byte 1 is 0x00, in line 1)"),
    ],
)
def test_the_place_is_named(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match="BW160") as caught:
        decoded(content, "a.txt")
    assert message in caught.value.message


@pytest.mark.parametrize("rows", [0, 1000, 100_000])
def test_a_large_file_is_read_in_pieces_up_to_the_wrong_byte(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "boxes.csv"
    others = b"a.jpg,cat\n" * rows
    path.write_bytes(others + "b.jpg,bär\n".encode("latin-1") + others)
    with pytest.raises(DataError) as caught, open_text(path) as lines:
        lines.read()
    assert f"byte {10 * rows + 7} is 0xe4" in caught.value.message
    assert "reads 'b.jpg,bär'" in caught.value.message


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    for read in (read_text, lambda path: open_text(path).__enter__()):
        with pytest.raises(DataError, match=r"BW160.*cannot be read") as caught:
            read(tmp_path / "missing.txt")
        assert caught.value.where == str(tmp_path / "missing.txt")


@given(st.binary(max_size=200))
def test_bytes_are_text_or_an_error_without_words_of_python(content: bytes) -> None:
    try:
        decoded(content, "a.txt")
    except DataError as error:
        message = str(error)
    else:
        return
    assert not any(word in message for word in ("codec", "decode", "position", "invalid"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cat", "cat"),
        ("c\u200bat", "c\\u200bat"),
        ("\ufeffcat", "\\ufeffcat"),
        ("a\xa0cat", "a\\xa0cat"),
        ("可见", "可见"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\u200d", "a\\u200d"),
    ],
)
def test_signs_without_ink_are_shown_as_escapes(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert DataError("BW110", text).message == shown
