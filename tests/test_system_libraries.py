"""A machine without MediaPipe's libraries is given them, or is told which packages have them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

import system_libraries

pytestmark = pytest.mark.tiny

NOWHERE = {"libnowhere.so.1": "libnowhere1", "libneither.so.2": "libneither2"}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that ran; this machine lacks two libraries, and installing helps."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> None:
        commands.append(command)
        if "install" in command:
            monkeypatch.setattr(system_libraries, "missing", list)

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(system_libraries, "PACKAGES", NOWHERE)
    monkeypatch.setattr(subprocess, "run", run)
    return commands


@pytest.mark.parametrize(
    ("user", "apt"), [(1000, "/usr/bin/apt-get"), (0, None)], ids=["not root", "no apt-get"]
)
def test_what_cannot_be_installed_is_named(
    user: int,
    apt: str | None,
    ran: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    monkeypatch.setattr(shutil, "which", lambda _: apt)
    assert system_libraries.main() == 1
    assert ran == []
    said = capsys.readouterr().err
    assert "libnowhere.so.1, libneither.so.2" in said
    assert "sudo apt-get install libnowhere1 libneither2\n" in said


def test_root_on_debian_has_it_installed(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/apt-get")
    assert system_libraries.main() == 0
    assert [command[:2] for command in ran] == [
        ["/usr/bin/apt-get", "update"],
        ["/usr/bin/apt-get", "install"],
    ]
    assert ran[1][-2:] == list(NOWHERE.values())


def test_what_is_there_needs_nothing(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(system_libraries, "PACKAGES", {})
    assert system_libraries.main() == 0
    assert (ran, capsys.readouterr().err) == ([], "")


def test_elsewhere_than_on_linux_nothing_is_looked_for(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert system_libraries.main() == 0
    assert ran == []
