"""TensorFlow's graphs, written byte by byte: nothing of TensorFlow is needed to make a bad one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact

ARTIFACT = Artifact({}, ("cat",), Preprocessing(64))


def field(number: int, content: bytes | str) -> bytes:
    """A field of bytes, text or a message."""
    content = content.encode() if isinstance(content, str) else content
    size, length = len(content), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def node(operator: str, name: str = "node") -> bytes:
    return field(1, name) + field(2, operator)


def function(name: str, *operators: str, calls: str = "") -> bytes:
    """A function with these operators, one of which may name another function."""
    call = [field(3, node("PartitionedCall") + field(5, field(1, "f") + field(2, calls)))]
    nodes = [field(3, node(operator)) for operator in operators]
    return field(1, field(1, name)) + b"".join(nodes + call * bool(calls))


def graph(operators: Sequence[str] = (), functions: Sequence[bytes] = ()) -> bytes:
    """A GraphDef, which is also a frozen graph."""
    nodes = b"".join(field(1, node(operator)) for operator in operators)
    library = b"".join(field(1, one) for one in functions)
    return nodes + (field(2, library) if functions else b"")


def saved_model(folder: Path, definition: bytes, objects: bytes | None = b"\x0a\x00") -> Path:
    """A SavedModel folder with one graph, and what its objects are."""
    (folder / "assets.extra").mkdir(parents=True)
    meta = field(2, definition) + (b"" if objects is None else field(7, objects))
    (folder / "saved_model.pb").write_bytes(b"\x08\x01" + field(2, meta))
    (folder / "assets.extra" / "boxwright.json").write_text(ARTIFACT.to_text(), encoding="utf-8")
    return folder
