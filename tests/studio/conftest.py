"""The studio and its page, for tests in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from label_edits import FORMS
from label_samples import put_sample
from paging import (
    IMAGES,
    address,
    draw_images,
    labeling,
    opened,
)
from requesting import serving_images
from served import Served

from boxwright.studio.store import LabelStore
from browser import errors, visit
from folders import VocFolder

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(form: str, tmp_path: Path) -> Iterator[LabelStore]:
    opened = LabelStore.open(put_sample(tmp_path, form))
    yield opened
    opened.close()


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Served]:
    draw_images(tmp_path / "images", [f"{number}.jpg" for number in range(IMAGES)])
    with labeling(tmp_path / "images", "square", "circle") as studio:
        yield studio


@pytest.fixture
def served(voc_folder: VocFolder) -> Iterator[Served]:
    with serving_images(voc_folder) as served:
        yield served


@pytest.fixture
def page(studio: Served, browser: BrowserContext) -> Iterator[Page]:
    with visit(browser, address(studio)) as page:
        opened(page, 0)
        yield page
        assert errors(page) == []
