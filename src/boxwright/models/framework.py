"""The one door to Keras and TensorFlow: imported when first needed, and quietly."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from boxwright.errors import SystemFaultError


def keras() -> Any:
    """The `keras` module; on TensorFlow unless the user's KERAS_BACKEND says otherwise.

    Raises:
        SystemFaultError: BW901 Keras or its backend is not installed.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    return _imported("keras")


def tensorflow() -> Any:
    """The `tensorflow` module.

    Raises:
        SystemFaultError: BW901 TensorFlow is not installed.
    """
    return _imported("tensorflow")


@contextmanager
def hushed() -> Iterator[None]:
    """Keep what native libraries print on standard error from the user while the block runs.

    TensorFlow and LiteRT announce themselves there whatever their log level is. Failures are
    not lost: they come back as exceptions.
    """
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error, as in a windowed program
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _imported(name: str) -> Any:
    if sys.modules.get(name) is not None:
        return sys.modules[name]
    # TensorFlow reads this once, when it is imported. Failures come as exceptions in any case.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        with hushed():
            return importlib.import_module(name)
    except ImportError as error:
        remedy = "Install it with: pip install 'boxwright[train]'"
        engine = os.environ.get("KERAS_BACKEND", "tensorflow")
        if name == "keras" and engine != "tensorflow":
            remedy += f", and what KERAS_BACKEND={engine} needs; or unset KERAS_BACKEND."
        raise SystemFaultError(
            "BW901",
            f"this needs {name}, which cannot be imported here ({error}).",
            remedy=remedy,
        ) from error
