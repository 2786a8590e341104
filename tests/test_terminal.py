from importlib.metadata import PackageNotFoundError, version

import pytest

from frugal_ai import terminal


@pytest.mark.parametrize("there", [True, False])
def test_the_command_that_opens_mlflow_installs_its_pages_where_they_are_not(
    monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    found = ["a distribution"] if there else []
    monkeypatch.setattr(terminal, "distributions", lambda name: iter(found))
    expected = "" if there else f"pip install mlflow=={version('mlflow-skinny')} && "
    assert terminal._install_pages() == expected


def test_whether_mlflow_is_there_is_found_out() -> None:
    try:
        version("mlflow")
    except PackageNotFoundError:
        assert terminal._install_pages()
    else:
        assert terminal._install_pages() == ""
