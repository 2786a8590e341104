import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.board.words import LANGUAGES, words


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_the_same_things() -> None:
    english, french = (words(language).texts for language in LANGUAGES)
    assert english.keys() == french.keys()
    assert all(isinstance(text, str) for text in (*english.values(), *french.values()))
    differing = {key for key in english if fields(english[key]) != fields(french[key])}
    assert differing == set()


def test_a_language_that_there_is_not_is_english() -> None:
    assert words("tlh").language == "en"


@given(st.floats(1e-12, 1e12))
def test_a_figure_has_three_significant_digits(value: float) -> None:
    for language in LANGUAGES:
        digits = re.sub(r"e.*", "", words(language).figure(value))
        plain = re.sub(r"[^0-9]", "", digits).lstrip("0")
        assert len(plain) >= 3


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (1234.5, "1,234", "1\u202f234"),
        (0.01234, "0.0123", "0,0123"),
        (-2.5, "\u22122.50", "\u22122,50"),
    ],
)
def test_numbers_are_written_as_the_language_does(value: float, english: str, french: str) -> None:
    assert (words("en").figure(value), words("fr").figure(value)) == (english, french)


def test_where_the_comma_is_decimal_a_semicolon_parts_the_ends() -> None:
    assert words("en").percent(0.5, (0.25, 0.75)) == "50.0 [25.0, 75.0]"
    assert words("fr").percent(0.5, (0.25, 0.75)) == "50,0 [25,0; 75,0]"
    assert words("fr").interval((0.25, 0.75)) == "[0,250; 0,750]"


@pytest.mark.parametrize(
    ("grams", "said"),
    [
        (None, "\u2013"),
        (2e-6, "2.00\u00a0µgCO2e"),
        (2e-7, "0.200\u00a0µgCO2e"),
        (0.0, "0\u00a0gCO2e"),
        (0.0456, "45.6\u00a0mgCO2e"),
        (1.5e6, "1.50\u00a0tCO2e"),
    ],
)
def test_emissions_are_in_the_unit_that_suits_them(grams: float | None, said: str) -> None:
    assert words("en").mass(grams) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(86400, "1\u00a0d"), (5400, "90\u00a0min"), (7200, "2\u00a0h"), (None, "\u2013")],
)
def test_a_horizon_is_told_in_whole_units(seconds: int | None, said: str) -> None:
    assert words("en").duration(seconds) == said
