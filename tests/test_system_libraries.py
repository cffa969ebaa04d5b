"""A machine is given the libraries and programs of the tests, or is told their packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

import system_libraries

pytestmark = pytest.mark.tiny

APT = "/usr/bin/apt-get"
NO_PROGRAM = {"neverium": ("never",), "nevernode": ("never-node", "nevernode")}
NOWHERE = {"libnowhere.so.1": "libnowhere1", "libneither.so.2": "libneither2"}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that ran; this machine lacks two libraries, and installing helps."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> None:
        commands.append(command)
        if set(NOWHERE.values()) & set(command):
            monkeypatch.setattr(system_libraries, "missing", list)
        if NO_PROGRAM.keys() & set(command):
            monkeypatch.setattr(system_libraries, "PROGRAMS", {})

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(system_libraries, "PACKAGES", NOWHERE)
    monkeypatch.setattr(system_libraries, "PROGRAMS", {})
    monkeypatch.setattr(subprocess, "run", run)
    return commands


def be(user: int, apt: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as this user, on a machine that has apt-get or not, and no other program."""
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: apt if name == "apt-get" else None)


@pytest.mark.parametrize(("user", "apt"), [(1000, APT), (0, None)], ids=["not root", "no apt-get"])
def test_what_cannot_be_installed_is_named(
    user: int,
    apt: str | None,
    ran: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    be(user, apt, monkeypatch)
    assert system_libraries.main() == 1
    assert ran == []
    said = capsys.readouterr().err
    assert "libnowhere.so.1, libneither.so.2" in said
    assert "sudo apt-get install libnowhere1 libneither2\n" in said


def test_root_on_debian_has_it_installed(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_libraries, "PROGRAMS", NO_PROGRAM)
    be(0, APT, monkeypatch)
    assert system_libraries.main() == 0
    assert [command[:2] for command in ran] == [[APT, "update"], [APT, "install"], [APT, "install"]]
    assert ran[1][-2:] == list(NOWHERE.values())
    assert ran[2][-2:] == list(NO_PROGRAM)


def test_without_a_program_only_tests_are_skipped(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(system_libraries, "PACKAGES", {})
    monkeypatch.setattr(system_libraries, "PROGRAMS", NO_PROGRAM)
    be(1000, APT, monkeypatch)
    assert system_libraries.main() == 0
    assert ran == []
    said = capsys.readouterr().err
    assert "Without neverium and nevernode some tests are skipped" in said
    assert "sudo apt-get install neverium nevernode\n" in said


def test_any_command_of_a_program_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", {"google-chrome": "/opt/chrome"}.get)
    assert system_libraries.program("chromium") == "/opt/chrome"
    assert system_libraries.program("nodejs") is None


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
