"""What a download says outside of a terminal: bytes, rate and time left, now and then."""

from __future__ import annotations

import io
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from rich.console import Console

from boxwright import downloads
from boxwright.errors import ArgumentError


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    file = io.StringIO()
    console = Console(file=file, highlight=False, soft_wrap=True, width=100)
    monkeypatch.setattr(downloads, "messages", lambda: console)
    return file


def clock(monkeypatch: pytest.MonkeyPatch, *seconds: float) -> None:
    """The times that the next questions get."""
    times: Iterator[float] = iter(seconds)
    monkeypatch.setattr(downloads, "time", SimpleNamespace(monotonic=lambda: next(times)))


def test_a_list_that_takes_long(monkeypatch: pytest.MonkeyPatch, written: io.StringIO) -> None:
    """It was resumed: what was there before is not part of the rate."""
    clock(monkeypatch, 0, 1, 5, 11, 12, 31)
    with downloads.downloading("the boxes", "https://a.org/x.csv") as progress:
        for received in (1000, 1100, 1200, 1300):
            progress(received * 10**6, 2_300_000_000)
        progress(1600 * 10**6, None)
    assert written.getvalue().splitlines() == [
        "Downloading the boxes from https://a.org/x.csv",
        "1,200.0 of 2,300.0 MB, 20.0 MB/s, 55 s left",
        "1,600.0 MB, 20.0 MB/s",
    ]


def test_images(monkeypatch: pytest.MonkeyPatch, written: io.StringIO) -> None:
    clock(monkeypatch, 0, 1, 2, 4)
    with downloads.fetching("Downloading 100 images") as told:
        for done in (3, 20, 100):
            told(done, 100, done * 10**6)
    assert written.getvalue().splitlines() == [
        "20 of 100 images, 20.0 MB, 10.0 MB/s, 8 s left",
        "100 of 100 images, 100.0 MB, 25.0 MB/s, 0 s left",
    ]


def test_without_a_terminal_a_large_download_needs_a_flag(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        downloads, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: False))
    )
    downloads.confirm_size(34_000, 10**10, yes=False)
    downloads.confirm_size(10**6, 10**12, yes=True)
    with pytest.raises(ArgumentError, match="35,000 images are about 11 GB") as caught:
        downloads.confirm_size(35_000, 10**10 + 9 * 10**8, yes=False)
    assert caught.value.code == "BW802"
