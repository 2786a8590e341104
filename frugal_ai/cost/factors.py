"""The table of factors: each value with its unit, region, year, range and source."""

import csv
import difflib
import hashlib
import io
import math
from dataclasses import astuple, dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from frugal_ai.cost.country import alpha3
from frugal_ai.errors import CostError

COLUMNS = ("key", "region", "value", "unit", "name", "year", "low", "high", "source")
WORLD = "WLD"
"""Region of a factor that does not depend on the place."""

_INTENSITY = "grid_intensity"


@dataclass(frozen=True)
class Factor:
    """One row.

    Attributes
    ----------
    key, region
        What it is, and where: an ISO 3166-1 alpha-3 code, or WLD.
    value, unit
        Best estimate, with its unit.
    name
        The region's or the thing's, in words.
    year
        That the value describes.
    low, high
        Scenarios below and above, where a source gives them.
    source
        Where the value and the scenarios come from.
    """

    key: str
    region: str
    value: float
    unit: str
    name: str
    year: int
    low: float | None
    high: float | None
    source: str


@dataclass(frozen=True)
class Factors:
    """A set of factors, at most one for a key and region."""

    rows: tuple[Factor, ...]

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], Factor]:
        return {(row.key, row.region): row for row in self.rows}

    def get(self, key: str, region: str = WORLD) -> Factor:
        """Return a factor.

        Raises
        ------
        CostError
            If there is none; there is no fallback to another region.
        """
        if (key, region) not in self._by_key:
            raise CostError(f"factors: expected a row {key!r} for region {region!r}, found none")
        return self._by_key[key, region]

    def find(self, key: str, region: str) -> Factor | None:
        """Return the factor of a region, else the one that depends on no place, else None."""
        return self._by_key.get((key, region)) or self._by_key.get((key, WORLD))

    def of(self, key: str, region: str) -> Factor:
        """Return what `find` does.

        Raises
        ------
        CostError
            If there is none.
        """
        found = self.find(key, region)
        return self.get(key, region) if found is None else found

    def of_country(self, country: str) -> tuple[Factor, ...]:
        """Return every factor that is in force in a country, in the order of the table."""
        region = self.intensity(country).region
        mine = {row.key for row in self.rows if row.region == region}
        return tuple(
            row
            for row in self.rows
            if row.region == region or (row.region == WORLD and row.key not in mine)
        )

    def overridden(self, other: "Factors") -> "Factors":
        """Put the rows of another set in the place of those of equal key and region."""
        rows = {(row.key, row.region): row for row in (*self.rows, *other.rows)}
        return Factors(tuple(rows.values()))

    def intensity(self, country: str) -> Factor:
        """Return the carbon intensity of a country's electricity [gCO2e/kWh].

        Parameters
        ----------
        country
            ISO 3166-1 code, alpha-3 such as FRA or alpha-2 such as FR.

        Raises
        ------
        CostError
            If the country is not in the table; a world average never stands in.
        """
        code = alpha3(country)
        if (_INTENSITY, code) not in self._by_key:
            raise CostError(
                f"country: expected an ISO 3166-1 code with a known carbon intensity, "
                f"got {country!r}; {self._hint(country)}"
            )
        return self._by_key[_INTENSITY, code]

    @cached_property
    def _digest(self) -> str:
        rows = sorted(self.rows, key=lambda row: (row.key, row.region))
        content = repr([astuple(row) for row in rows])
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def digest(self) -> str:
        """Return a short name of the set's content; the order of rows does not matter."""
        return self._digest

    def _hint(self, wanted: str) -> str:
        countries = {row.region: row.name for row in self.rows if row.key == _INTENSITY}
        code = wanted.upper()
        names = {name.upper(): region for region, name in countries.items()}
        near = [region for region in countries if code and region.startswith(code)]
        near += [names[name] for name in difflib.get_close_matches(code, names)]
        near += difflib.get_close_matches(code, countries)
        if not near:
            return f"{len(countries)} countries are known"
        close = ", ".join(f"{region} ({countries[region]})" for region in dict.fromkeys(near))
        return f"close to it: {close}"


def load_factors(own: Path | None = None) -> Factors:
    """Read the table that comes with the package.

    Parameters
    ----------
    own
        A user's table of the same columns, whose rows take the place of those of equal key and
        region.

    Raises
    ------
    CostError
        If the user's table cannot be read or a row of it is not valid.
    """
    table = files("frugal_ai.cost").joinpath("factors.csv")
    ours = parse_factors(table.read_text(encoding="utf-8"), "factors.csv")
    if own is None:
        return ours
    try:
        text = own.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CostError(f"{own}: cannot be read: {error}") from error
    return ours.overridden(parse_factors(text, str(own)))


def parse_factors(text: str, where: str) -> Factors:
    """Parse a table of factors.

    Parameters
    ----------
    text
        CSV with the columns of `COLUMNS`.
    where
        Name of the table, for messages.

    Raises
    ------
    CostError
        If a column, a cell or a source is missing, a number is not one, or a row is there twice.
    """
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise CostError(f"{where}: expected the columns {COLUMNS}, got {reader.fieldnames}")
    rows: dict[tuple[str, str], Factor] = {}
    for cells in reader:
        at = f"{where}:{reader.line_num}"
        row = _row(cells, at)
        if (row.key, row.region) in rows:
            raise CostError(f"{at}: expected one row for {row.key} {row.region}, got a second")
        rows[row.key, row.region] = row
    return Factors(tuple(rows.values()))


def _row(cells: dict[str, str], at: str) -> Factor:
    if None in cells or None in cells.values():
        raise CostError(f"{at}: expected {len(COLUMNS)} cells")
    for column in set(COLUMNS) - {"low", "high"}:
        if not cells[column].strip():
            raise CostError(f"{at}: expected a {column}, got an empty cell")
    row = Factor(
        key=cells["key"],
        region=cells["region"],
        value=_number(cells["value"], f"{at}: value"),
        unit=cells["unit"],
        name=cells["name"],
        year=int(_number(cells["year"], f"{at}: year")),
        low=_number(cells["low"], f"{at}: low") if cells["low"] else None,
        high=_number(cells["high"], f"{at}: high") if cells["high"] else None,
        source=cells["source"],
    )
    low = row.value if row.low is None else row.low
    high = row.value if row.high is None else row.high
    if not low <= row.value <= high:
        raise CostError(f"{at}: expected low <= value <= high, got {low}, {row.value}, {high}")
    return row


def _number(cell: str, at: str) -> float:
    """Parse a cell; zero is refused, no factor of the table is free of cost."""
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise CostError(f"{at}: expected a number above 0, got {cell!r}")
    return value
