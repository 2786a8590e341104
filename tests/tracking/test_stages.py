import pytest

from frugal_ai.errors import ReviewError
from frugal_ai.tracking.stages import Stage, moves


@pytest.mark.parametrize(
    ("stage", "aliases", "expected"),
    [
        ("champion", {}, {"champion": "3"}),
        ("champion", {"candidate": "3"}, {"candidate": None, "champion": "3"}),
        ("champion", {"champion": "2", "retired": "1"}, {"retired": "2", "champion": "3"}),
        ("champion", {"champion": "2", "retired": "3"}, {"retired": "2", "champion": "3"}),
        ("champion", {"retired": "3"}, {"retired": None, "champion": "3"}),
        ("champion", {"champion": "3"}, {"champion": "3"}),
        ("candidate", {"retired": "3"}, {"retired": None, "candidate": "3"}),
        ("retired", {"champion": "3", "retired": "1"}, {"champion": None, "retired": "3"}),
        ("rejected", {"candidate": "3", "champion": "2"}, {"candidate": None}),
        ("rejected", {"candidate": "4"}, {}),
    ],
)
def test_which_aliases_move(
    stage: Stage, aliases: dict[str, str], expected: dict[str, str | None]
) -> None:
    assert moves(stage, "3", aliases) == expected


@pytest.mark.parametrize("stage", ["candidate", "rejected"])
def test_no_champion_goes_without_a_word_on_what_follows(stage: Stage) -> None:
    with pytest.raises(ReviewError, match="version 3 is the champion: expected --stage retired"):
        moves(stage, "3", {"champion": "3"})


def test_the_champion_comes_last_so_that_a_crash_before_leaves_the_former_one() -> None:
    aliases = {"champion": "2", "candidate": "3"}
    assert list(moves("champion", "3", aliases)) == ["candidate", "retired", "champion"]
