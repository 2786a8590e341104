"""A bundle to sign and keys to do it with."""

import shutil
from pathlib import Path

import pytest

from frugal_ai.release.keys import KeyPair, make_keys

COMMITTED = min(Path(__file__).parents[2].glob("models/load/*/manifest.json")).parent


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Copy the committed bundle, without its signature."""
    folder = tmp_path / "bundle"
    shutil.copytree(COMMITTED, folder)
    (folder / "model.sig").unlink()
    return folder


@pytest.fixture
def keys(tmp_path: Path) -> KeyPair:
    """Make a pair of keys."""
    return make_keys(tmp_path / "keys", "release")
