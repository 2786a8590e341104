"""The records of eCO2mix as RTE's open data portal documents them, and what they mean here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import polars as pl

from frugal_ai.data.parse import with_instants, with_numbers
from frugal_ai.data.rows import TIME
from frugal_ai.data.source import listed
from frugal_ai.data.table import ROW, Table, from_frame
from frugal_ai.errors import DataError, PipelineError

INSTANT, NATURE = "date_heure", "nature"
REGION_CODE, REGION_NAME = "code_insee_region", "libelle_region"
STEP_S = 1800
Dataset = Literal["eco2mix-national", "eco2mix-regional"]
DATASETS: tuple[Dataset, ...] = get_args(Dataset)
_REAL_TIME = "temps réel"
_LOCAL_TIME = "heure"
_ZONE = "Europe/Paris"
_MISSING = ("", "ND", "N/D", "-", "nan", "NaN")

COLUMNS = {
    "load": "consommation",
    "load_forecast_day_ahead": "prevision_j1",
    "load_forecast_same_day": "prevision_j",
    "oil": "fioul",
    "coal": "charbon",
    "gas": "gaz",
    "nuclear": "nucleaire",
    "thermal": "thermique",
    "wind": "eolien",
    "wind_onshore": "eolien_terrestre",
    "wind_offshore": "eolien_offshore",
    "solar": "solaire",
    "hydro": "hydraulique",
    "pumped_storage": "pompage",
    "bioenergy": "bioenergies",
    "exchange": "ech_physiques",
    "co2": "taux_co2",
}
"""By the project's name, the column of numbers; all [MW] but ``co2`` [gCO2e/kWh]."""

_FORECASTS = ("prevision_j1", "prevision_j")

REGIONS = {
    "11": "ile_de_france",
    "24": "centre_val_de_loire",
    "27": "bourgogne_franche_comte",
    "28": "normandie",
    "32": "hauts_de_france",
    "44": "grand_est",
    "52": "pays_de_la_loire",
    "53": "bretagne",
    "75": "nouvelle_aquitaine",
    "76": "occitanie",
    "84": "auvergne_rhone_alpes",
    "93": "provence_alpes_cote_d_azur",
}
"""By INSEE's code, the regions of continental France as they are named here."""


@dataclass(frozen=True)
class Schema:
    """What the records of a dataset hold.

    Attributes
    ----------
    text, numbers
        Columns that every answer must have.
    optional
        Columns of numbers that were added over the years or that not every region has.
    median
        By column, the limits within which the median of a month lies if its unit is the one
        documented.
    """

    text: tuple[str, ...]
    numbers: tuple[str, ...]
    optional: tuple[str, ...]
    median: Mapping[str, tuple[float, float]]


NATIONAL = Schema(
    text=("perimetre", NATURE),
    numbers=(
        "consommation", "prevision_j1", "prevision_j", "fioul", "charbon", "gaz", "nucleaire",
        "eolien", "solaire", "hydraulique", "pompage", "bioenergies", "ech_physiques", "taux_co2",
    ),
    optional=("eolien_terrestre", "eolien_offshore"),
    median={"consommation": (15e3, 150e3), "nucleaire": (5e3, 80e3), "taux_co2": (1.0, 1000.0)},
)  # fmt: skip
REGIONAL = Schema(
    text=(REGION_CODE, REGION_NAME, NATURE),
    numbers=("consommation", "eolien", "solaire"),
    optional=("thermique", "nucleaire", "hydraulique", "pompage", "bioenergies", "ech_physiques"),
    median={"consommation": (100.0, 30e3)},
)


def region_code(given: str) -> str:
    """Return INSEE's code of a region that is given by its code or by its name.

    Raises
    ------
    PipelineError
        If there is no such region.
    """
    plain = given.lower().translate(str.maketrans("éèêîôç-' ", "eeeioc___")).strip()
    for code, name in REGIONS.items():
        if plain in (code, name):
            return code
    raise PipelineError(f"--region: expected one of {listed(REGIONS.values())}, got {given!r}")


def to_frame(answer: Any, dataset: str, schema: Schema) -> pl.DataFrame:
    """Check the records of an answer and bring them into one form.

    Quarter-hours of which only the forecast is published, and instants that are not yet observed,
    are left out.

    Parameters
    ----------
    answer
        JSON of the service: a list of records.
    dataset
        For messages.
    schema
        What a record should hold.

    Returns
    -------
    pl.DataFrame
        Column ``timestamp`` in UTC, the texts of the schema, and its numbers in float64, ordered
        by time; a time stands once for each region.

    Raises
    ------
    DataError
        If a column is missing, or is not of its type or unit.
    """
    if not isinstance(answer, list) or not all(isinstance(record, dict) for record in answer):
        raise DataError(
            f"{dataset}: expected a list of records, got {type(answer).__name__}:"
            f" {str(answer)[:100]}"
        )
    names = list(dict.fromkeys(name for record in answer for name in record))
    numbers = [*schema.numbers, *(name for name in schema.optional if name in names)]
    if not answer:
        return _blank(schema)
    table = from_frame(
        pl.DataFrame([_column(name, (record.get(name) for record in answer)) for name in names]),
        dataset,
    )
    table.need([INSTANT, *schema.text, *schema.numbers])
    table = with_numbers(table, numbers, _MISSING)
    table = _with_text(table, schema)
    table = with_instants(
        table, INSTANT, timezone=None, dst="refuse", tell=_silent, group=schema.text[0]
    )
    _check_nature(table)
    measured = [name for name in numbers if name not in _FORECASTS]
    filled = table.frame.filter(~pl.all_horizontal(pl.col(measured).is_nan()))
    if filled.is_empty():
        return _blank(schema)
    _check_units(dataset, filled, schema)
    return _distinct(filled, schema).select(TIME, *schema.text, *numbers)


def _silent(_sentence: str) -> None:
    """Hear nothing: no row is dropped here."""


def _column(name: str, values: Iterable[Any]) -> pl.Series:
    """Make a column of numbers, or of text if there is anything else in it."""
    found = list(values)
    plain = all(
        v is None or (isinstance(v, int | float) and not isinstance(v, bool)) for v in found
    )
    if plain and any(v is not None for v in found):
        return pl.Series(name, found, dtype=pl.Float64, strict=False)
    return pl.Series(name, [None if v is None else str(v) for v in found], dtype=pl.String)


def _with_text(table: Table, schema: Schema) -> Table:
    """Turn columns of text that look like whole numbers, such as codes, back into text."""
    codes = [name for name in schema.text if table.frame[name].dtype == pl.Float64]
    return table.with_frame(table.frame.with_columns(pl.col(codes).cast(pl.Int64).cast(pl.String)))


def _blank(schema: Schema) -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            TIME: pl.Datetime("us", "UTC"),
            **dict.fromkeys(schema.text, pl.String()),
            **dict.fromkeys(schema.numbers, pl.Float64()),
        }
    )


def _check_nature(table: Table) -> None:
    given = table.frame[NATURE]
    wrong = table.frame.filter(given.is_null() | ~given.cast(pl.String).str.contains("[A-Za-z]"))
    if not wrong.is_empty():
        raise DataError(
            f"{table.at(wrong)}: {NATURE}: expected a text such as 'Données définitives', got"
            f" {wrong.item(0, NATURE)!r}"
        )


def _check_units(dataset: str, filled: pl.DataFrame, schema: Schema) -> None:
    for name, (low, high) in schema.median.items():
        median = filled[name].drop_nans().median()
        if isinstance(median, float) and not low <= median <= high:
            unit = "gCO2e/kWh" if name == COLUMNS["co2"] else "MW"
            raise DataError(
                f"{dataset}: {name}: expected a median of {low:g} to {high:g} {unit}, got"
                f" {median:g}; has its unit changed?"
            )


def _distinct(filled: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Leave one row for each time and region.

    On the day of the change to summer time the files have rows of an hour that does not exist,
    which stand for the same instants as those of the next hour: the rows whose local time is that
    of their instant are the real ones.
    """
    frame = filled.with_columns(
        pl.from_epoch(INSTANT).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias(TIME)
    )
    local = pl.col(TIME).dt.convert_time_zone(_ZONE).dt.strftime("%H:%M")
    told = pl.col(_LOCAL_TIME) if _LOCAL_TIME in frame.columns else local
    key = [TIME, *([REGION_CODE] if REGION_CODE in schema.text else [])]
    return (
        frame.with_columns((told != local).fill_null(value=True).alias("__off__"))
        .sort([*key, "__off__", ROW])
        .unique(subset=key, keep="first", maintain_order=True)
    )


def is_real_time(frame: pl.DataFrame) -> pl.Series:
    """Tell which rows are real-time data, which RTE replaces later."""
    return frame[NATURE].str.contains(_REAL_TIME, literal=True)
