"""Read small text files: UTF-8, or UTF-16 and UTF-32 with a byte order mark.

A file in another encoding is refused with a guess of what it is. It is not decoded by the guess,
because a wrong guess gives wrong class and file names.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from boxwright.errors import DataError

CODE = "BW160"
BOMS = (  # byte order marks, longer ones first
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CODECS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
LINE_END = b"\n"
LOOKED_AT = 4096  # bytes around the first wrong one that a guess is made from
SHOWN = 20  # characters of a guessed text
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
# In each encoding, what the characters of real text look like. The first that fits best wins.
USUAL: dict[str, str] = {
    "cp1252": "[\xc0-\xff\u0152\u0153\u0160\u0161\u017d\u017e\u20ac\u2018-\u201d\u2013\xb0]",
    "cp1251": "[\u0401\u0410-\u044f\u0451\u0490\u0491\u0404\u0406\u0407\u0454\u0456\u0457]",
    "gb18030": "[\u3001\u3002\uff01-\uff5e\u4e00-\u9fff]",
    "big5": "[\u3001\u3002\uff01-\uff5e\u4e00-\u9fff]",
    "cp932": "[\u3001\u3002\u3040-\u30ff\uff66-\uff9f\u4e00-\u9fff]",
    "cp949": "[\uac00-\ud7a3]",
}
COMMON: dict[str, re.Pattern[bytes]] = {  # bytes of the characters that are in everyday use
    "gb18030": re.compile(rb"[\xb0-\xd7][\xa1-\xfe]"),
    "big5": re.compile(rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]"),
    "cp932": re.compile(rb"[\x82\x83\x88-\x97][\x40-\x7e\x80-\xfc]"),
}
HANGUL = frozenset(  # the most frequent syllables: their bytes are also those of Chinese characters
    "이다의는에을가사한고지로기자하도리시인대아서은들전안모람차정수일보어나라과해부장상주공원물동제스트"
    "구면화적용성위여중있것그를만으거조신소계유무경오간국비선회결단운연우당관마바방미학생게불금양재"
)
TITLES = {
    "cp1252": "Windows-1252",
    "cp1251": "Windows-1251",
    "gb18030": "GBK",
    "big5": "Big5",
    "cp932": "Shift JIS",
    "cp949": "EUC-KR",
}


def read_text(path: str | Path) -> str:
    """The text of a file; all line ends become `\\n`.

    Raises:
        DataError: BW160 it cannot be read, or is not in one of the encodings.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a Path costs as much as reading
            content = file.read()
    except OSError as error:
        raise _refused(path, error) from error
    return decoded(content, path)


def decoded(content: bytes, where: str | Path) -> str:
    """The text in the bytes of the file `where`; all line ends become `\\n`.

    Raises:
        DataError: BW160 it is not in one of the encodings.
    """
    try:
        text = content.decode(encoding_of(content))
    except UnicodeDecodeError as error:
        raise undecodable(content, error.start, where) from error
    if "\0" in text:
        raise undecodable(content, content.index(b"\0"), where)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


@dataclass(frozen=True)
class RawText:
    """Text with its own line ends, and how to write it as the file was: encoding and mark."""

    text: str
    codec: str = "utf-8"
    mark: bytes = b""

    @classmethod
    def of(cls, content: bytes, where: str | Path, codec: str = "utf-8") -> RawText:
        """The text in the bytes of the file `where`, in `codec` unless a mark says otherwise.

        Raises:
            DataError: BW160 it is not in one of the encodings.
        """
        mark = next((mark for mark, _ in BOMS if content.startswith(mark)), b"")
        codec = CODECS.get(mark, codec)
        try:
            return cls(content[len(mark) :].decode(codec), codec, mark)
        except UnicodeDecodeError as error:
            raise undecodable(content, len(mark) + error.start, where) from error

    @property
    def line_end(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    def bytes_of(self, text: str, errors: str = "strict") -> bytes:
        """Other text, written as this one was. Raises UnicodeEncodeError unless `errors` helps."""
        return self.mark + text.encode(self.codec, errors)


def is_encodable(text: str) -> bool:
    """False for text with half of a surrogate pair, which JSON may have and UTF-8 has not."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


@contextmanager
def open_text(path: Path, errors: str = "strict") -> Iterator[TextIO]:
    """Open a text file that may be large; line ends are unchanged.

    Args:
        path: the file.
        errors: how to handle bytes that are not in the encoding, as in `open`.

    Raises:
        DataError: BW160 it cannot be read, or a part read is not in one of the encodings.
    """
    try:
        with path.open("rb") as file:
            start = file.read(LOOKED_AT)
        encoding = encoding_of(start)
        if errors == "strict" and encoding.startswith("utf-8") and b"\0" in start:
            raise undecodable(start, start.index(b"\0"), path)
        with path.open(encoding=encoding, errors=errors, newline="") as lines:
            yield lines
    except UnicodeDecodeError as error:
        raise _first_undecodable(path, encoding) from error
    except OSError as error:
        raise _refused(path, error) from error


def encoding_of(start: bytes) -> str:
    """The encoding that the byte order mark at the start of a file states, otherwise UTF-8."""
    return next((name for mark, name in BOMS if start.startswith(mark)), "utf-8")


def _refused(path: str | Path, error: OSError) -> DataError:
    return DataError(CODE, f"cannot be read ({error.strerror or error}).", where=path)


def _first_undecodable(path: Path, encoding: str) -> DataError:
    """The error for a file that is read again piece by piece, up to the first wrong byte."""
    decoder = codecs.getincrementaldecoder(encoding)()
    before, at = b"", 0
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(LOOKED_AT), b""):
            try:
                decoder.decode(piece)
            except UnicodeDecodeError as error:
                start = at + error.start - (len(error.object) - len(piece))
                near = (before + piece + file.read(LOOKED_AT))[-3 * LOOKED_AT :]
                return undecodable(near, start - at + len(before), path, at - len(before))
            before, at = piece, at + len(piece)
    return undecodable(before, len(before), path, at - len(before))


def undecodable(content: bytes, wrong: int, where: str | Path, offset: int = 0) -> DataError:
    """The error for a file with a wrong byte.

    Args:
        content: the file, or a part of it.
        wrong: index of the wrong byte in `content`.
        where: the file.
        offset: index of the first byte of `content` in the file.
    """
    at = offset + wrong
    stated = "utf-8" if offset else encoding_of(content)
    if not stated.startswith("utf-8"):
        message = f"its first bytes state {stated.upper()}, but byte {at} does not belong to it."
        return DataError(CODE, message, where=where)
    byte = f"byte {at} is 0x{content[wrong]:02x}" if wrong < len(content) else "it is cut off"
    line = "" if offset else f", in line {content.count(LINE_END, 0, wrong) + 1}"
    message = f"is not UTF-8 text ({byte}{line})."
    start = max(0, wrong - LOOKED_AT)
    near = content[start : wrong + LOOKED_AT]
    guess = _guess(near)
    if not guess:
        return DataError(CODE, message, where=where)
    title, sample = TITLES.get(guess, guess), _sample(near, wrong - start, guess)
    message += f" It looks like {title}, in which this place reads '{sample}'."
    return DataError(CODE, message, where=where)


def _guess(content: bytes) -> str:
    """The likely encoding of bytes that are not UTF-8; empty if they are hardly text."""
    if len(CONTROL.findall(content)) > len(content) / 100:
        return _guess_of_units(content)
    scores = {name: _score(content, name) for name in USUAL}
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] > 0 else ""


def _guess_of_units(content: bytes) -> str:
    """UTF-16 without its mark has a zero in every second byte of ASCII text."""
    low, high = content[::2].count(0), content[1::2].count(0)
    if max(low, high) < len(content) / 4 or min(low, high) > max(low, high) / 4:
        return ""
    return "UTF-16LE" if high > low else "UTF-16BE"


def _score(content: bytes, encoding: str) -> float:
    """How much bytes look like text of an encoding: shares of usual and of common characters."""
    text = content.decode(encoding, "replace").lstrip("\ufffd").rstrip("\ufffd")
    foreign = [sign for sign in text if not sign.isascii()]
    if not foreign:
        return 0.0
    usual = sum(re.match(USUAL[encoding], sign) is not None for sign in foreign) / len(foreign)
    if encoding.startswith("cp125"):
        # Accents are single letters among others; words of foreign letters are in another script.
        runs = re.findall(r"[^\x00-\x7f]+", text)
        alone = sum(len(run) == 1 for run in runs) / len(runs)
        return usual * (0.2 + 0.75 * (alone if encoding == "cp1252" else 1 - alone))
    if encoding == "cp949":
        return usual * (0.2 + sum(sign in HANGUL for sign in foreign) / len(foreign))
    pairs = "".join(foreign).encode(encoding, "replace")
    common = 2 * len(COMMON[encoding].findall(pairs)) / max(1, len(pairs))
    return usual * (0.4 + 0.6 * min(common, 1.0))


def _sample(content: bytes, wrong: int, encoding: str) -> str:
    """The word around a byte, read in the guessed encoding."""
    if encoding.startswith("UTF-16"):
        return content.decode(encoding, "replace")[:SHOWN].split(LINE_END.decode())[0]
    start, end = content.rfind(LINE_END, 0, wrong) + 1, content.find(LINE_END, wrong)
    line = content[start : end if end >= 0 else None].decode(encoding, "replace").strip()
    before = len(content[start:wrong].decode(encoding, "replace").lstrip())
    first = max(0, before - SHOWN // 2)
    return line[first : first + SHOWN]
