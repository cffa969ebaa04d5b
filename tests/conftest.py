"""What every test may use."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import eagerly
from boxwright.io import download
from browser import launched
from folders import VocFolder
from misbehaving import Server

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

SHARED = Path(__file__).resolve().parents[2] / "shared"


# The garbage collector would visit all tests and modules again and again: a fifth of the time.


def pytest_configure() -> None:
    gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than cores: workers wait for processes and disks a sixth of their time."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put slow tests first, so that no core waits for the last of them."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real photos, weights and golden numbers beside the project."""
    if not SHARED.is_dir():
        pytest.skip("the folder ../shared with real photos and golden numbers is not here")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def no_trials() -> Iterator[None]:
    """Load files at once that tests write: a process that may die would take a second for each.
    tests/safety/test_trial.py starts real ones."""
    from boxwright.safety import trial

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "attempt", lambda target, path: None)
        patch.setattr(trial, "remember", lambda key: None)
        patch.setattr(trial, "is_known", lambda key: False)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_syncing() -> Iterator[Callable[[int], None]]:
    """Do not wait for the disk, for which tests would wait a tenth of their time. Yields the
    function that does; commands in processes of their own call it."""
    sync = os.fsync
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield sync


@pytest.fixture
def syncing(no_syncing: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the disk all the same."""
    monkeypatch.setattr(os, "fsync", no_syncing)


@pytest.fixture
def voc_folder(tmp_path: Path) -> VocFolder:
    root = tmp_path / "data"
    root.mkdir()
    return VocFolder(root)


@pytest.fixture(scope="module")
def small_network() -> Iterator[None]:
    """MobileNets of 4 and 6 blocks instead of 13 and 17: at 64 px their maps have the sides of the
    whole ones."""
    from boxwright.models.backbones import mobilenet_v1, mobilenet_v2

    residuals = ((16, 1), (24, 2), (24, 1), (32, 2), (64, 2), (96, 2))  # the third one adds
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mobilenet_v1, "BLOCKS", ((64, 2), (128, 2), (128, 2), (256, 2)))
        patch.setattr(mobilenet_v1, "TAPS", (3, 4))
        patch.setattr(mobilenet_v1, "LEVELS", {2: 1, 3: 2, 4: 3, 5: 4})
        patch.setattr(mobilenet_v2, "BLOCKS", residuals)
        patch.setattr(mobilenet_v2, "TAP", len(residuals))
        patch.setattr(mobilenet_v2, "LEVELS", {2: 3, 3: 4, 4: 5})
        yield


@pytest.fixture(scope="module")
def centers() -> Iterator[None]:
    """The family of `toy_family`, which is built and traced in a tenth of SSD's time."""
    from boxwright.models import registry
    from toy_family import CenterModel

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "FAMILIES", dict(registry.FAMILIES))
        registry.register(CenterModel)
        yield


@pytest.fixture
def op_by_op() -> Iterator[None]:
    with eagerly.op_by_op():
        yield


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "WAITS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(download, "SILENCE", 0.3)
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")  # until it is closed, other tests cannot call `asyncio.run`
def browser() -> Iterator[BrowserContext]:
    """A headless Chromium; where there is none, the test is skipped."""
    with launched() as browser:
        yield browser


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder, not there yet."""
    folder = tmp_path / "käche with space"
    monkeypatch.setenv("BOXWRIGHT_CACHE", str(folder))
    return folder
