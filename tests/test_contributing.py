"""What contributors rely on: workflows, hooks, pinned requirements, one version, the changelog."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from boxwright import __version__

pytestmark = pytest.mark.tiny

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LOCKS = [ROOT / "requirements" / name for name in ("dev.txt", "track.txt", "ray.txt", "opencv.txt")]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TARGETS = set(
    re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
)
SECTIONS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def succeed(module: str, *words: str | Path) -> None:
    """Run a module of this environment, which must report success."""
    command = [sys.executable, "-m", module, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def steps(workflow: Path) -> Iterator[dict[str, Any]]:
    for job in yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values():
        yield from job["steps"]


def test_workflows_are_what_github_takes() -> None:
    succeed("check_jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_run_targets_of_the_makefile(workflow: Path) -> None:
    commands = [step["run"] for step in steps(workflow) if "run" in step]
    assert commands[-1] == "make test"
    for command in commands:
        called = re.fullmatch(r"(?:sudo )?make ([a-z]+)", command)
        assert called, command
        assert called[1] in TARGETS, command


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_to_a_commit(workflow: Path) -> None:
    for action in (step["uses"] for step in steps(workflow) if "uses" in step):
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action), action


def test_the_gate_runs_on_every_supported_python_and_three_systems() -> None:
    text = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    matrix = yaml.safe_load(text)["jobs"]["test"]["strategy"]["matrix"]
    pythons = [line.split()[-1] for line in PROJECT["project"]["classifiers"] if "3." in line]
    assert matrix["python"] == pythons
    assert matrix["system"] == ["ubuntu-latest", "macos-latest", "windows-latest"]


@pytest.fixture(scope="module")
def hooks() -> dict[str, dict[str, Any]]:
    """The hooks by their name, of which none comes from another repository."""
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    repositories = yaml.safe_load(text)["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    return {hook["id"]: hook for hook in repositories[0]["hooks"]}


def test_hooks_are_what_pre_commit_takes() -> None:
    succeed("pre_commit", "validate-config")


def test_the_other_hook_runs_lint(hooks: dict[str, dict[str, Any]]) -> None:
    assert set(hooks) == {"lint", "subject"}
    assert hooks["lint"]["entry"] == "make lint"


@pytest.mark.parametrize(
    ("message", "refused"),
    [
        ("Add " + "x" * 68, False),
        ("Add " + "x" * 68 + "\n\n" + "y" * 90 + "\n", False),
        ("Add " + "x" * 69 + "\n", True),
    ],
    ids=["72", "72 and a long body", "73"],
)
def test_a_long_subject_is_refused(
    message: str, refused: bool, hooks: dict[str, dict[str, Any]]
) -> None:
    assert hooks["subject"]["args"] == ["--multiline"]  # the expression sees the whole message
    assert bool(re.search(hooks["subject"]["entry"], message)) == refused


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_targets_of_the_makefile(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)) <= TARGETS


def test_every_requirement_is_pinned_with_its_hashes() -> None:
    texts = [path.read_text(encoding="utf-8") for path in LOCKS]
    entries = re.sub(r" *#.*|\\\n", "", "".join(texts)).strip().splitlines()
    pins: dict[str, list[Version]] = {}
    for entry in filter(None, entries):
        words, *hashes = entry.split(" --hash=")
        pinned = Requirement(words)
        (version,) = pinned.specifier
        assert version.operator == "==", entry
        assert hashes, f"{words} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each.strip()) for each in hashes), words
        pins.setdefault(canonicalize_name(pinned.name), []).append(Version(version.version))
    project = PROJECT["project"]
    extras = project["optional-dependencies"].values()
    for line in [*project["dependencies"], *(line for extra in extras for line in extra)]:
        wanted = Requirement(line)
        if wanted.name != project["name"]:
            versions = pins.get(canonicalize_name(wanted.name), [])
            assert versions, f"{wanted.name} is not in requirements/: run make lock"
            assert all(version in wanted.specifier for version in versions), "run make lock"


def test_requirements_name_no_index() -> None:
    for path in LOCKS:
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"^-.*|\S*://\S*", text, re.MULTILINE) == []


def test_mediapipe_and_trackers_are_not_installed_together() -> None:
    """Their two builds of OpenCV have the same files."""
    dev, track, *_ = (path.read_text(encoding="utf-8") for path in LOCKS)
    assert ("mediapipe==" in dev, "trackers==" in dev) == (True, False)
    assert ("mediapipe==" in track, "trackers==" in track) == (False, True)


def test_the_version_is_written_once() -> None:
    assert "version" not in PROJECT["project"]
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "src/boxwright/__init__.py"


def test_the_changelog_keeps_its_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    releases = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\S+)", line) for line in headings[1:]]
    assert all(releases), headings
    versions = [release[1] for release in releases if release]
    dates = [date.fromisoformat(release[2]) for release in releases if release]
    assert versions[0] == __version__
    assert versions == sorted(versions, key=Version, reverse=True)
    assert dates == sorted(dates, reverse=True)
    for part in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]:
        sections = re.findall(r"^### (.+)$", part, re.MULTILINE)
        assert len(sections) == len(set(sections)), "a section stands twice in a release"
        assert set(sections) <= SECTIONS
