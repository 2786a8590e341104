"""One forecast from files: what the command line does, without its words."""

from functools import partial
from pathlib import Path

from frugal_edge.origin import check_origin
from frugal_edge.quality import judge
from frugal_edge.render import Answer
from frugal_edge.runtime import Forecaster
from frugal_edge.state import read_state
from frugal_edge.table import read_table
from frugal_edge.window import cut_window, end_of_observations, observations


def forecast_files(
    forecaster: Forecaster,
    history: Path,
    known: Path | None,
    origin: int | None,
    state: Path | None = None,
) -> Answer:
    """Forecast from the observations and covariates in CSV files.

    Parameters
    ----------
    forecaster
        The model.
    history
        Observations and past covariates; may hold known covariates, too.
    known
        Known covariates over the horizon, and over the look-back unless `history` holds them.
    origin
        Start of the first interval, Unix time [s]; None for the end of the last observation.
    state
        Where the drift of the quantiles is kept from one forecast to the next; None for no drift.

    Raises
    ------
    InputError
        If the files do not hold what the model reads, or it does not hold for the origin.
    ForecastError
        If the model gives no usable forecast.
    OutputError
        If the state cannot be written.
    """
    about = forecaster.manifest
    ahead = about.columns("known")
    observed = read_table(
        history, about.series_id, about.step_s, ("value", *about.columns("past")), ahead
    )
    given = read_table(known, about.series_id, about.step_s, (), ahead) if known and ahead else None
    at = check_origin(about, end_of_observations(about, observed) if origin is None else origin)
    seen = cut_window(about, at, observed, given)
    kept = None
    if state is not None and about.drifts:
        came = partial(observations, about, observed)
        kept = read_state(state, about).at(at, came)
    drift = kept.drift.ahead(at, about.horizon) if kept else None
    forecast = forecaster.forecast(seen.history, at, seen.known, seen.past, drift)
    if kept and state is not None:
        kept.with_forecast(at, forecast.quantiles).write(state)
    beyond = forecaster.out_of_bounds(seen.history, seen.known, seen.past)
    return Answer(
        manifest=about,
        origin=at,
        forecast=forecast,
        quality=judge(seen.filled_steps, beyond),
        filled_steps=seen.filled_steps,
        out_of_bounds=beyond,
    )
