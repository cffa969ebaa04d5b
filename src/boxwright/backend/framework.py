"""The only access to Keras, TensorFlow, JAX and the inference runtimes, which are imported when
first needed and without output."""

from __future__ import annotations

import functools
import importlib
import logging
import os
import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

from boxwright.errors import SystemFaultError

EXTRAS = {  # else `train`
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "openvino": "openvino",
    "av": "video",
    "trackers": "track",
    "ray": "ray",
}
ALONE = ("fiftyone", "pandas", "supervision")  # not in any extra; their users install them
# Switches of libraries that report their use to their makers, read when they are imported.
SILENT = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime: looks up a host, writes an id of the device
    "DO_NOT_TRACK": "1",  # what others agreed on
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray: a cluster that it starts reports its use every hour
}
# OpenVINO's looks up a host of Google Analytics and writes an id; without it, OpenVINO has a stub.
ABSENT = ("openvino_telemetry",)
# TensorFlow's converter and Keras' plots import these where they are installed: 2 s of 8.
_unused = {"jax", "matplotlib"}
_one_at_a_time = threading.RLock()


def keras() -> Any:
    """The `keras` module; on TensorFlow unless the user sets KERAS_BACKEND.

    Raises:
        SystemFaultError: BW901 Keras or its backend is not installed.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    return _imported("keras")


def engine() -> str:
    """The name of the Keras backend, imported or not."""
    if sys.modules.get("keras") is None:
        return os.environ.get("KERAS_BACKEND", "tensorflow")
    return str(keras().backend.backend())


def tensorflow() -> Any:
    """The `tensorflow` module.

    Raises:
        SystemFaultError: BW901 TensorFlow is not installed.
    """
    return _imported("tensorflow")


@functools.cache
def importing() -> threading.Thread:
    """The process's one thread that imports the packages for training, which takes seconds."""
    thread = threading.Thread(target=_import_for_training, daemon=True)
    thread.start()
    return thread


def _import_for_training() -> None:
    with suppress(SystemFaultError):  # is raised again where they are needed
        keras()
        tensorflow()  # also with JAX: Keras imports it for seeding


def jax() -> Any:
    """The `jax` module.

    Raises:
        SystemFaultError: BW901 JAX is not installed.
    """
    return _imported("jax")


def onnx() -> Any:
    """The `onnx` module, which writes .onnx files.

    Raises:
        SystemFaultError: BW901 it is not installed.
    """
    return _imported("onnx")


def onnxruntime() -> Any:
    """The `onnxruntime` module, which runs .onnx files.

    Raises:
        SystemFaultError: BW901 it is not installed.
    """
    return _imported("onnxruntime")


def openvino() -> Any:
    """The `openvino` module.

    Raises:
        SystemFaultError: BW901 it is not installed.
    """
    return _imported("openvino")


def litert() -> Any:
    """LiteRT's module of interpreters, which run .tflite files.

    Raises:
        SystemFaultError: BW901 it is not installed.
    """
    return _imported("ai_edge_litert.interpreter")


def h5py() -> Any:
    """The `h5py` module, which reads Keras' weights.

    Raises:
        SystemFaultError: BW901 it is not installed.
    """
    return _imported("h5py")


def with_constants(function: Any) -> Any:
    """A concrete TensorFlow function with its variables and calls inlined.

    Raises:
        SystemFaultError: BW901 TensorFlow is not installed.
    """
    converter = _imported("tensorflow.python.framework.convert_to_constants")
    return converter.convert_variables_to_constants_v2(function)


@contextmanager
def signatures_as_they_are() -> Iterator[None]:
    """Let `tf.saved_model.save` wrap signatures without AutoGraph, for which it has no option.

    AutoGraph writes each function that it rewrites as a module among the temporary files. It leaves
    the bytecode there, and the module if the process is killed.
    """
    saving = _imported("tensorflow.python.saved_model.signature_serialization")
    given = saving.def_function
    plain = functools.partial(given.function, autograph=False)
    saving.def_function = SimpleNamespace(**{**vars(given), "function": plain})
    try:
        yield
    finally:
        saving.def_function = given


def variable_def() -> Any:
    """TensorFlow's class of messages that describe the variables of a graph.

    Raises:
        SystemFaultError: BW901 TensorFlow is not installed.
    """
    return _imported("tensorflow.core.framework.variable_pb2").VariableDef


def pandas() -> Any:
    """The `pandas` module.

    Raises:
        SystemFaultError: BW901 it is not installed.
    """
    return _imported("pandas")


def av() -> Any:
    """The `av` module (PyAV), which reads and writes videos.

    Raises:
        SystemFaultError: BW901 it is not installed.
    """
    return _imported("av")


def trackers() -> Any:
    """The `trackers` module, which follows objects through videos.

    Raises:
        SystemFaultError: BW901 it is not installed.
    """
    return _imported("trackers")


def ray() -> Any:
    """The `ray` module, which runs functions on the machines of a cluster.

    Raises:
        SystemFaultError: BW901 it is not installed.
    """
    return _imported("ray")


def fiftyone() -> Any:
    """The `fiftyone` module.

    Raises:
        SystemFaultError: BW901 it is not installed.
    """
    return _imported("fiftyone")


def supervision() -> Any:
    """The `supervision` module.

    Raises:
        SystemFaultError: BW901 it is not installed.
    """
    return _imported("supervision")


def make_deterministic() -> None:
    """Make all further computation in this process deterministic.

    TensorFlow's own switch is not enough: to save memory, its graph optimizer adds three or more
    gradients in the order in which they arrive.

    Raises:
        SystemFaultError: BW901 TensorFlow is not installed.
    """
    config = tensorflow().config
    config.experimental.enable_op_determinism()
    config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@contextmanager
def hushed() -> Iterator[None]:
    """Suppress the output of native libraries on standard error while the block runs.

    TensorFlow and LiteRT print messages there at any log level. Output of Python is kept, also
    from other threads, and failures still raise exceptions. Only one block can be active at a
    time; others wait.
    """
    with _one_at_a_time:
        python_stderr, replacement = sys.stderr, None
        if _writes_to_descriptor_2(python_stderr):
            python_stderr.flush()
            replacement = sys.stderr = os.fdopen(
                os.dup(2), "w", buffering=1, encoding=python_stderr.encoding, errors="replace"
            )
        try:
            with _to_nowhere(2):
                yield
        finally:
            if replacement is not None and sys.stderr is replacement:  # or another thread's
                sys.stderr = python_stderr
                replacement.close()


@contextmanager
def silent_output() -> Iterator[None]:
    """Suppress the output of native libraries on standard output while the block runs: gloo, which
    connects processes of JAX, prints a line that nobody asked for. Nothing else may print."""
    with _to_nowhere(1):
        yield


@contextmanager
def _to_nowhere(descriptor: int) -> Iterator[None]:
    """Discard what is written to a descriptor; it may be closed, as in a windowed program."""
    try:
        kept = os.dup(descriptor)
    except OSError:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, descriptor)
        yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)
        os.close(nowhere)


def _writes_to_descriptor_2(stream: Any) -> bool:
    try:
        os.fstat(2)
        return bool(stream.fileno() == 2)
    except (AttributeError, OSError):  # none, captured, or closed
        return False


def _is_being_imported(module: Any) -> bool:
    """True while a thread still executes it; `import_module` waits for that."""
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _imported(name: str) -> Any:
    known = sys.modules.get(name)
    if known is not None and not _is_being_imported(known):
        return known
    silence()
    # TensorFlow reads these once at import. Failures raise exceptions in any case. It uses oneDNN
    # by itself only on processors with AVX-512, though depthwise convolutions gain most with AVX2.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        with hushed(), _without(_unused if _needs_no_jax(name) else ()):
            return importlib.import_module(name)
    except ImportError as error:
        raise SystemFaultError(
            "BW901",
            f"the package {name} is required but cannot be imported ({error}).",
            **_needed(name),
        ) from error


def leave_out_data_frames() -> None:
    """Let Keras and TensorFlow do without pandas and SciPy, whose import takes a second. A program
    that uses Keras with data frames beside Boxwright would miss them, a command does not."""
    _unused.update(("pandas", "scipy"))


def _needs_no_jax(name: str) -> bool:
    return name in ("keras", "tensorflow") and os.environ.get("KERAS_BACKEND") != "jax"


@contextmanager
def _without(names: Collection[str]) -> Iterator[None]:
    """Let imports of these packages fail while the block runs, unless they are imported already."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # how Python blocks one
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def silence() -> None:
    """Switch off the telemetry of all libraries, before they are imported.

    A user who sets one of the variables keeps it.
    """
    for variable, value in SILENT.items():
        os.environ.setdefault(variable, value)
    for module in ABSENT:
        sys.modules.setdefault(module, None)  # type: ignore[arg-type]  # how Python blocks one


def _needed(name: str) -> dict[str, str]:
    """The package to install for a module, and the chosen engine if that one needs it."""
    if name in ALONE:
        return {"package": name}
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    chosen = name in ("keras", "jax") and backend != "tensorflow"
    extra = "jax" if chosen and backend == "jax" else EXTRAS.get(name, "train")
    return {"package": f"'boxwright[{extra}]'", "engine": backend if chosen else ""}
