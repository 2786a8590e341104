import re
from pathlib import Path

from frugal_ai.review.pages import history
from frugal_ai.review.words import LANGUAGES, words

TEMPLATES = Path(__file__).parents[2] / "frugal_ai" / "review" / "templates"


def test_every_language_says_the_same_things_with_the_same_blanks() -> None:
    blanks = re.compile(r"\{\w+\}")
    english = words("en")
    for language in LANGUAGES:
        there = words(language)
        assert there.keys() == english.keys()
        for key, text in there.items():
            assert text
            assert blanks.findall(text) == blanks.findall(english[key])


def test_every_word_of_the_templates_is_there() -> None:
    used = {
        word
        for path in TEMPLATES.glob("*.html")
        for word in re.findall(r"\bw\.(\w+)", path.read_text())
    }
    assert used
    assert used <= words("en").keys()


def test_an_unknown_language_is_english() -> None:
    assert words("de") is words("de")
    assert words("de") == words("en")
    assert "Nobody has decided" in history([], "de")
    assert "Personne" in history([], "fr")
