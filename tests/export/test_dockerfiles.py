"""Dockerfiles: what they install and copy for each kind of detector, and that none is replaced.

tests/test_wheel.py runs the commands of one."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from typer.testing import CliRunner

from boxwright.cli.main import app
from boxwright.errors import DetectorError, ExportError
from boxwright.export.dockerfile import EVERYWHERE, write_dockerfile
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.file_kinds import FILE_KINDS, kind_of

pytestmark = pytest.mark.tiny

# kind: its files, what is installed, and what is copied
KINDS = {
    ".tflite": (["a.tflite"], "boxwright[serve]", [], ["a.tflite"]),
    ".onnx": (["a.onnx"], "boxwright[serve]", ["onnxruntime"], ["a.onnx"]),
    "OpenVINO": (["a/detector.xml"], "boxwright[serve]", ["openvino"], ["a"]),
    "Triton model": (
        ["a/config.pbtxt", "a/1/model.onnx"],
        "boxwright[serve]",
        ["onnxruntime"],
        ["a"],
    ),
    "SavedModel": (["a/saved_model.pb"], "boxwright[serve,train]", [], ["a"]),
    "frozen graph": (["a.pb"], "boxwright[serve,train]", [], ["a.pb"]),
    "run folder": (
        ["a/run.json", "a/best.weights.h5", "a/report.html"],
        "boxwright[serve,train]",
        [],
        ["run.json", "best.weights.h5"],
    ),
}


def model_of(kind: str, root: Path) -> Path:
    """A detector of a kind, as far as its name and header tell."""
    for name in KINDS[kind][0]:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"....TFL3" if kind == ".tflite" else b"")
    if kind == "run folder":
        artifact = Artifact({}, ("cat",), Preprocessing(32))
        (root / "a" / "run.json").write_text(artifact.to_text(), "utf-8")
    model = root / Path(KINDS[kind][0][0]).parts[0]
    assert kind_of(model) == kind
    return model


def instructions(path: Path) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, each on a line."""
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]


def said(path: Path, name: str) -> str:
    (found,) = (words for each, words in instructions(path) if each == name)
    return found


def test_every_kind_is_here() -> None:
    assert KINDS.keys() == FILE_KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_it_installs_and_copies_what_the_kind_needs(kind: str, tmp_path: Path) -> None:
    _, needed, packages, copied = KINDS[kind]
    model = model_of(kind, tmp_path)
    image = write_dockerfile(model)
    path = image.dockerfile
    assert path.parent == image.context == (model if kind == "run folder" else tmp_path)
    assert f'BOXWRIGHT="{needed} @ https://' in said(path, "ARG")
    install, *_ = (words for name, words in instructions(path) if name == "RUN")
    assert install.split()[4:] == ["--no-cache-dir", '"$BOXWRIGHT"', *packages]
    *sources, target = json.loads(said(path, "COPY"))
    assert sources == copied
    assert target == ("/model/a/" if model.is_dir() else "/model/")
    start = json.loads(said(path, "ENTRYPOINT"))
    assert start[:3] == ["boxwright", "serve", model.name]
    assert start[3:5] == ["--host", EVERYWHERE]
    assert re.fullmatch(r"[1-9]\d*", said(path, "USER")), "not root"
    port = start[start.index("--port") + 1]
    assert said(path, "EXPOSE") == port
    assert f"127.0.0.1:{port}/" in said(path, "HEALTHCHECK")


@pytest.mark.parametrize("kind", KINDS)
def test_docker_may_read_nothing_else(kind: str, tmp_path: Path) -> None:
    image = write_dockerfile(model_of(kind, tmp_path))
    ignored = image.context / "Dockerfile.dockerignore"
    assert ignored.read_text("utf-8") == "".join(
        f"{each}\n" for each in ("*", *(f"!{name}" for name in KINDS[kind][3]))
    )


@pytest.mark.parametrize(
    "name",
    [
        "with space.tflite",
        "ü.tflite",
        "a[1]*?.tflite",
        "$HOME.tflite",
        'q".tflite',
        "a\nRUN evil.tflite",
    ],
)
def test_names_are_data(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    try:
        path.write_bytes(b"....TFL3")
    except OSError:
        pytest.skip("this system has no such names")
    image = write_dockerfile(path)
    assert json.loads(said(image.dockerfile, "ENTRYPOINT"))[2] == name
    pattern, _ = json.loads(said(image.dockerfile, "COPY"))
    assert "$" not in pattern
    assert fnmatchcase(name, pattern)
    lines = (tmp_path / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert lines == ["*", f"!{pattern}"]
    names = [name for name, _ in instructions(image.dockerfile)]
    assert names == [
        *("FROM", "ARG", "RUN", "RUN", "USER", "WORKDIR", "COPY", "RUN"),
        *("EXPOSE", "HEALTHCHECK", "ENTRYPOINT"),
    ]
    assert re.fullmatch(r"[a-z0-9-]+", image.tag)


def test_an_edited_one_is_not_replaced(tmp_path: Path) -> None:
    model = model_of(".tflite", tmp_path)
    first = write_dockerfile(model)
    assert write_dockerfile(model) == first, "the same is no conflict"
    first.dockerfile.write_text("FROM scratch\n", "utf-8")
    with pytest.raises(ExportError) as caught:
        write_dockerfile(model)
    assert (caught.value.code, caught.value.where) == ("BW412", str(first.dockerfile))
    assert first.dockerfile.read_text("utf-8") == "FROM scratch\n"
    other = write_dockerfile(model, tmp_path / "docker" / "helmets.Dockerfile")
    assert other.context == tmp_path
    names = {path.name for path in (tmp_path / "docker").iterdir()}
    assert names == {"helmets.Dockerfile", "helmets.Dockerfile.dockerignore"}


def test_what_is_no_detector_gets_none(tmp_path: Path) -> None:
    with pytest.raises(DetectorError) as caught:
        write_dockerfile(tmp_path)
    assert caught.value.code == "BW501"
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_how_to_build_and_run_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of(".tflite", tmp_path / "my run")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["dockerfile", str(model)])
    assert result.exit_code == 0, result.output
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert "docker build --tag a --file 'my run/Dockerfile' 'my run'" in lines
    assert "docker run --rm --publish 127.0.0.1:8501:8501 a" in lines
    answer = json.loads(CliRunner().invoke(app, ["dockerfile", str(model), "--json"]).stdout)
    assert answer["path"] == str(tmp_path / "my run" / "Dockerfile")
