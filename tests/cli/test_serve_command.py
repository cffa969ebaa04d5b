"""`boxwright serve`: what it prints, what it refuses, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from boxwright.cli.main import app
from boxwright.errors import ArgumentError
from boxwright.serving.names import named

WINDOWS = sys.platform == "win32"
FILES = Path(__file__).parents[1] / "earlier" / "files"


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["run/detector.tflite"], {"detector": "run/detector.tflite"}),
        (["a/run", "b/d.onnx=birds"], {"run": "a/run", "birds": "b/d.onnx"}),
        (["my cats & dogs.tflite"], {"my-cats-dogs": "my cats & dogs.tflite"}),
        (["a=b=c"], {"c": "a=b"}),
    ],
)
def test_a_model_has_its_files_name_or_its_own(words: list[str], names: dict[str, str]) -> None:
    assert named(words) == {name: Path(path) for name, path in names.items()}


def test_a_folders_name_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run=1.2").mkdir()
    monkeypatch.chdir(tmp_path / "run=1.2")
    assert named(["."]) == {"run-1.2": Path()}
    assert named([str(tmp_path / "run=1.2")]) == {"run-1.2": tmp_path / "run=1.2"}


@pytest.mark.parametrize("words", [["a=a b"], ["a="], ["a=.b"], ["x/d.onnx", "y/d.onnx"], ["…"]])
def test_names_that_cannot_be_used(words: list[str]) -> None:
    with pytest.raises(ArgumentError) as caught:
        named(words)
    assert caught.value.code == "BW810"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nowhere.tflite"], 1, "BW501"),
        (["a.onnx", "b/a.onnx"], 2, "BW810"),
        (["{file}=x", "{file}=y", "--labels", "names.txt"], 2, "--labels is for one model"),
        (["{file}", "--host", "192.0.2.1"], 1, "BW905"),
        (["{file}"], 1, "BW502"),
    ],
)
def test_what_cannot_be_served_ends_at_once(
    tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    file = tmp_path / "d.tflite"
    file.write_bytes(b"....TFL3")
    given = [word.replace("{file}", str(file)) for word in words]
    result = CliRunner().invoke(app, ["serve", "--port", "0", *given])
    assert (result.exit_code, said in result.output) == (code, True), result.output


def test_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boxwright.web.installed.NEEDED", {"serve": ("no_such_package",)})
    result = CliRunner().invoke(app, ["serve", "run"])
    assert result.exit_code == 1
    assert "boxwright[serve]" in result.stderr


@contextmanager
def serving(*words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A server in its own process, and what it printed."""
    command = [sys.executable, "-m", "boxwright", "serve", *words, "--port", "0", "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
        try:
            printed = "".join([*iter(process.stdout.readline, "}\n"), "}"])
            yield process, json.loads(printed)
        finally:
            process.kill()


@pytest.mark.skipif(WINDOWS, reason="there is no Ctrl-C for one process alone")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_request_in_progress_is_answered_before_it_ends(how: signal.Signals) -> None:
    image = (FILES / "squares" / "000.png").read_bytes()
    with serving(f"{FILES / 'run' / 'detector.tflite'}=squares") as (process, printed):
        (model,) = printed["models"]
        assert (model["name"], model["kind"]) == ("squares", ".tflite")
        port = int(printed["address"].removeprefix("http://127.0.0.1:"))
        client = HTTPConnection("127.0.0.1", port, timeout=20)
        client.request("POST", "/detect", image)
        found = json.loads(client.getresponse().read())
        assert [each["class"] for each in found["detections"]] == ["square"]
        client.putrequest("POST", "/detect")
        client.putheader("Content-Length", str(len(image)))
        client.putheader("Expect", "100-continue")
        client.endheaders()
        assert client.sock.recv(1024).startswith(b"HTTP/1.1 100")  # a request has begun
        idle = HTTPConnection("127.0.0.1", port, timeout=20)
        idle.connect()  # does not keep the server
        process.send_signal(how)
        threading.Timer(0.3, client.send, [image]).start()
        answer = client.getresponse()
        assert (answer.status, json.loads(answer.read())) == (200, found)
        lines = [json.loads(line) for line in process.communicate(timeout=20)[1].splitlines()]
        client.close()
        idle.close()
    assert process.returncode == 0
    assert [line["event"] for line in lines] == ["loaded", "request", "request"], lines
