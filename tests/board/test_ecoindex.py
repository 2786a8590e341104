import pytest

from benchmarks.board.ecoindex import ELEMENTS, KILOBYTES, REQUESTS, ecoindex
from benchmarks.board.elements import count


def test_nothing_scores_a_hundred_and_the_worst_nothing() -> None:
    assert ecoindex(0, 0, 0.0) == 100.0
    assert ecoindex(ELEMENTS[-1], REQUESTS[-1], KILOBYTES[-1]) == pytest.approx(0.0)


def test_between_two_quantiles_the_score_is_linear() -> None:
    # half way between the fifth and the sixth quantile of elements, at the fourth of requests
    assert ecoindex((233 + 298) // 2, 34, 0.0) == pytest.approx(
        100 - 5 * (3 * (4 + 32 / 65) + 2 * 4) / 6
    )


def test_elements_inside_of_a_picture_are_counted_apart() -> None:
    rows = "<tr><td>a</td></tr>" * 30
    page = f"<html><svg><g/><a><path/></a></svg><input><table><tbody>{rows}</tbody></table></html>"
    found = count(page)
    assert found.all == 5 + 1 + 2 + 60
    assert found.outside == found.all - 3
    assert found.short == found.all - 10


def test_what_a_page_loads_by_itself_is_a_source() -> None:
    page = '<img src="a.svg"><script src="b.js"></script><a href="c"></a><link href="data:,">'
    assert count(page).sources == ("a.svg", "b.js")
