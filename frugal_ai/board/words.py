"""What pages say, in English and French: a catalogue each, and numbers as the language has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

from frugal_ai.leaderboard.figures import figure, percent
from frugal_ai.wording import scale

LANGUAGES: Mapping[str, str] = {"en": "English", "fr": "Français"}
_FRENCH = str.maketrans({",": "\u202f", ".": ","})  # a narrow space between thousands
_UNKNOWN = "\u2013"


@dataclass(frozen=True)
class Words:
    """A language."""

    language: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **given: object) -> str:
        """Return a text with what is given put in."""
        return self.texts[key].format(**given) if given else self.texts[key]

    def of(self, group: str, name: str) -> str:
        """Return the text of one of several names; the name itself where there is none."""
        return self.texts.get(f"{group}_{name.replace(' ', '_')}", name)

    def local(self, number: str) -> str:
        """Write a number as the language does."""
        signed = number.replace("-", "\u2212") if number.startswith("-") else number
        return signed.translate(_FRENCH) if self.language == "fr" else signed

    def figure(self, value: float | None, digits: int = 3) -> str:
        """Write a number with at least so many significant digits."""
        return _UNKNOWN if value is None else self.local(figure(value, digits))

    def percent(self, share: float | None, interval: tuple[float, float] | None = None) -> str:
        """Write a share in percent, with its interval in brackets."""
        if share is None:
            return _UNKNOWN
        value, _, ends = percent(share, interval).partition(" [")
        value = self.local(value)
        if not ends:
            return value
        low, high = ends.rstrip("]").split(", ")
        return f"{value} {self.bracket(low, high)}"

    def interval(self, ends: tuple[float, float] | None, digits: int = 3) -> str:
        """Write the ends of an interval in brackets; nothing where there is none."""
        return "" if ends is None else self.bracket(*(figure(one, digits) for one in ends))

    def bracket(self, low: str, high: str) -> str:
        """Put two numbers in brackets; where a comma is decimal, a semicolon parts them."""
        between = "; " if self.language == "fr" else ", "
        return f"[{self.local(low)}{between}{self.local(high)}]"

    def mass(self, grams: float | None) -> str:
        """Write emissions in the unit that suits them."""
        if grams is None:
            return _UNKNOWN
        size, unit = scale(grams)
        return f"{self.local(figure(grams / size))}\u00a0{unit}CO2e"

    def duration(self, seconds: int | None) -> str:
        """Write a time ahead in days, hours or minutes."""
        if seconds is None:
            return _UNKNOWN
        for size, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
            if seconds % size == 0:
                return f"{seconds // size}\u00a0{self.texts[name]}"
        return f"{seconds}\u00a0s"


@cache
def words(language: str) -> Words:
    """Return a language; English for one that there is not."""
    name = language if language in LANGUAGES else "en"
    file = resources.files("frugal_ai.board") / "i18n" / f"{name}.yaml"
    return Words(name, yaml.safe_load(file.read_text(encoding="utf-8")))
