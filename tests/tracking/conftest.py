"""Stores that do not wait for the disk."""

import pytest

import frugal_ai.tracking.uri  # noqa: F401 - the package sets what mlflow reads when it is imported


@pytest.fixture(scope="session", autouse=True)
def quick(hasty_disk: None) -> None:
    """Use it in every test here."""
