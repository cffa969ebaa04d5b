"""Keras and TensorFlow come in quietly, late, and with a remedy when they are absent."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from boxwright.backend import framework
from boxwright.errors import SystemFaultError


def in_fresh_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if k not in {"KERAS_BACKEND"}}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def imported() -> subprocess.CompletedProcess[str]:
    """A process that imports Keras and TensorFlow, and then a package that these could use."""
    return in_fresh_python(
        "import sys;"
        "from boxwright.backend import framework as f;"
        "print(f.keras().backend.backend(), f.tensorflow().zeros((1,)).shape);"
        "print(*sorted({'jax', 'matplotlib', 'tensorflow'} & {*sys.modules}));"
        "import matplotlib;"
        "print(matplotlib.__name__)"
    )


def test_nothing_is_printed_on_the_way_in(imported: subprocess.CompletedProcess[str]) -> None:
    assert (imported.returncode, imported.stderr) == (0, "")
    assert imported.stdout.splitlines()[0] == "tensorflow (1,)"


def test_packages_that_are_not_used_are_left_to_others(
    imported: subprocess.CompletedProcess[str],
) -> None:
    assert imported.stdout.splitlines()[1:] == ["tensorflow", "matplotlib"]


@pytest.mark.parametrize(("command", "found"), [(False, "True"), (True, "False")])
def test_only_commands_leave_out_data_frames(command: bool, found: str, tmp_path: Path) -> None:
    wish = "found = True\ntry: import pandas\nexcept ImportError: found = False\n"
    (tmp_path / "keras.py").write_text(wish, encoding="utf-8")
    code = "f.leave_out_data_frames();" if command else ""
    done = in_fresh_python(
        f"from boxwright.backend import framework as f;{code}print(f.keras().found)",
        PYTHONPATH=str(tmp_path),
    )
    assert (done.stdout, done.stderr) == (f"{found}\n", "")


def test_the_users_engine_is_respected() -> None:
    code = "from boxwright.backend import framework as f; print(f.keras().backend.backend())"
    done = in_fresh_python(code, KERAS_BACKEND="jax")
    if done.returncode:  # jax is not installed here, and that is said
        assert "unset KERAS_BACKEND" in done.stderr
    else:
        assert done.stdout == "jax\n"


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("keras", "train"),
        ("tensorflow", "train"),
        ("onnx", "onnx"),
        ("onnxruntime", "onnx"),
        ("openvino", "openvino"),
        ("av", "video"),
        ("trackers", "track"),
    ],
)
def test_an_absent_framework_has_a_remedy(
    name: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)  # what Python itself does to block an import
    with pytest.raises(SystemFaultError) as caught:
        getattr(framework, name)()
    assert caught.value.code == "BW901"
    assert name in caught.value.message
    assert f"boxwright[{extra}]" in caught.value.remedy


@pytest.mark.tiny
def test_hushed_keeps_native_chatter_and_lets_go_afterwards(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with framework.hushed():
        os.write(2, b"chatter")
    os.write(2, b"news")
    assert capfd.readouterr().err == "news"


@pytest.mark.tiny
def test_hushed_passes_failures_on(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="broken"), framework.hushed():
        raise ValueError("broken")
    os.write(2, b"news")
    assert capfd.readouterr().err == "news"


@pytest.mark.tiny
def test_hushed_lets_python_speak() -> None:
    """A run prints its progress while TensorFlow is being imported in another thread."""
    program = """if True:
        import os, sys
        from boxwright.backend import framework
        with framework.hushed():
            os.write(2, b"chatter ")
            print("progress", file=sys.stderr)
            with framework.hushed():
                os.write(2, b"chatter ")
                print("still", file=sys.stderr)
        print("after", file=sys.stderr)
        """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.split() == ["progress", "still", "after"]


@pytest.mark.tiny
def test_hushed_leaves_a_stream_that_came_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may give standard error back while a library is silenced in this one."""
    given_back = io.StringIO()
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with framework.hushed():
        sys.stderr = given_back
    assert sys.stderr is given_back
    assert not given_back.closed


@pytest.mark.tiny
def test_a_package_that_another_thread_imports_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training imports Keras in a thread while others already ask for it."""
    begun, done = tmp_path / "begun", "import time; time.sleep(0.3); ready = True\n"
    module = f"import pathlib; pathlib.Path({str(begun)!r}).touch()\n{done}"
    (tmp_path / "supervision.py").write_text(module, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "supervision", raising=False)
    with ThreadPoolExecutor() as pool:
        importing = pool.submit(framework.supervision)
        while not begun.exists():
            time.sleep(0.01)
        assert framework.supervision().ready
        assert importing.result() is framework.supervision()
    del sys.modules["supervision"]
