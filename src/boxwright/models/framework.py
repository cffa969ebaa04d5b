"""The one door to Keras and TensorFlow: imported when first needed, and quietly."""

from __future__ import annotations

import importlib
import os
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


def _imported(name: str) -> Any:
    # TensorFlow reads this once, when it is imported: 2 keeps errors and drops start-up chatter.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SystemFaultError(
            "BW901",
            f"this needs {name}, which cannot be imported here ({error}).",
            remedy="Install it with: pip install 'boxwright[train]'",
        ) from error
