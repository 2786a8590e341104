"""Revision and versions that a run's report carries."""

import importlib.metadata
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from frugal_ai import provenance
from frugal_ai.provenance import git_revision, versions

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's settings, a hook's repository and one around the folder out of it."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "no.gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    program = shutil.which("git") or "git"
    done = subprocess.run(
        [program, "-C", str(folder), *identity, *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "pipelines").mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "pipelines" / "load.yaml").write_text("name: load\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


@needs_git
def test_a_clean_repository_gives_its_commit(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    assert len(commit) in {40, 64}
    assert git_revision(repository) == commit
    assert git_revision(repository / "pipelines") == commit  # a folder within it


@needs_git
def test_a_changed_file_marks_the_commit(repository: Path) -> None:
    commit = git_revision(repository)
    assert commit is not None
    changed = repository / "pipelines" / "load.yaml"
    changed.write_text("name: other\n")
    assert git_revision(repository) == f"{commit}-dirty"
    git(repository, "add", ".")
    assert git_revision(repository) == f"{commit}-dirty"  # staged is not committed
    git(repository, "commit", "-q", "-m", "second")
    second = git_revision(repository)
    assert second is not None
    assert second not in {commit, f"{commit}-dirty"}
    assert not second.endswith("-dirty")
    changed.unlink()
    assert git_revision(repository) == f"{second}-dirty"


@needs_git
def test_a_file_that_git_does_not_know_changes_nothing(repository: Path) -> None:
    commit = git_revision(repository)
    (repository / "runs").mkdir()
    (repository / "runs" / "run.json").write_text("{}")
    assert git_revision(repository) == commit


@needs_git
def test_outside_a_repository_there_is_no_revision(tmp_path: Path) -> None:
    assert git_revision(tmp_path) is None
    assert git_revision(tmp_path / "absent") is None


@needs_git
def test_a_repository_without_a_commit_has_no_revision(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert git_revision(tmp_path) is None


@needs_git
def test_without_git_there_is_no_revision(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert git_revision(repository) is None


@pytest.mark.parametrize("script", ["exit 1", "sleep 5", "no_such_command_at_all"])
def test_a_git_that_fails_or_hangs_does_not_end_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    fake = tmp_path / "git"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(fake))
    monkeypatch.setattr(provenance, "_GIT_TIMEOUT_S", 0.2)
    assert git_revision(tmp_path) is None


def test_a_git_that_cannot_be_started_does_not_end_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "git").write_text("no program")
    monkeypatch.setattr(shutil, "which", lambda _: str(tmp_path / "git"))
    assert git_revision(tmp_path) is None


def test_versions_are_those_installed() -> None:
    found = versions()
    assert found.pop("python") == platform.python_version()
    assert {"frugal-ai", "frugal-edge", "numpy", "lightgbm", "onnx", "onnxruntime"} <= set(found)
    for name, given in found.items():
        assert given == importlib.metadata.version(name)
        assert given[0].isdigit()


def test_versions_are_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "version", lambda name: f"{len(name)}.0")
    assert versions()["numpy"] == "5.0"
