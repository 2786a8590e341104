"""From tables to what one forecast reads: windows cut, small gaps filled, the rest refused."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frugal_edge.clock import format_time
from frugal_edge.errors import InputError
from frugal_edge.manifest import Manifest
from frugal_edge.table import Table

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Window:
    """What a model may see at one origin; None for what it does not read.

    Attributes
    ----------
    history
        Values of the N steps before the origin [N].
    known
        Known covariates over look-back and horizon [L+H, K].
    past
        Past covariates of the N steps before the origin [N, P].
    filled_steps
        How many missing values of history and past covariates were filled.
    """

    history: Values | None
    known: Values | None
    past: Values | None
    filled_steps: int


def end_of_observations(manifest: Manifest, history: Table) -> int:
    """Return the end of the last observed interval, Unix time [s].

    Raises
    ------
    InputError
        If no value was observed.
    """
    times = history.times[np.isfinite(history.columns["value"])]
    if not len(times):
        raise InputError(f"{history.path}: no value of {manifest.series_id!r}, all are missing")
    return int(times[-1]) + manifest.step_s


def observations(manifest: Manifest, history: Table, origin: int) -> Values:
    """Return what came in the horizon after an origin [unix s], [H], NaN where nothing did."""
    found = np.full(manifest.horizon, np.nan)
    _place(found, origin, manifest.step_s, history, "value")
    return found


def cut_window(manifest: Manifest, origin: int, history: Table, known: Table | None) -> Window:
    """Cut what the model reads at an origin out of the tables.

    Rows of `history` at and after the origin give nothing but known covariates. Where both tables
    hold a known covariate at one time, `known` is taken.

    Raises
    ------
    InputError
        If the tables reach not far enough, a gap is longer than the policy of the bundle allows,
        or a known covariate is missing.
    """
    target = ("value",) if "history" in manifest.inputs else ()
    observed: dict[str, Values] = {}
    filled = 0
    for name in (*target, *manifest.columns("past")):
        observed[name], missing = observed_before(manifest, origin, history, name)
        filled += missing
    value = observed.pop("value", None)
    return Window(
        history=value,
        known=_known(manifest, origin, history, known) if "known" in manifest.inputs else None,
        past=np.stack([*observed.values()], axis=1) if observed else None,
        filled_steps=filled,
    )


def observed_before(manifest: Manifest, origin: int, table: Table, name: str) -> tuple[Values, int]:
    """Return the N values of a column before the origin, and how many of them were filled.

    Raises
    ------
    InputError
        If a gap is longer than the policy of the bundle allows, or values are missing at an end.
    """
    step, steps = manifest.step_s, manifest.history_steps
    label = name if name != "value" else manifest.series_id
    _check_grid(table, origin, step)
    present = np.isfinite(table.columns[name]) & (table.times < origin)
    times, values = table.times[present], table.columns[name][present]
    wanted = origin + np.arange(-steps, 0) * step  # [N]
    before = max(int(np.searchsorted(times, wanted[0], side="right")) - 1, 0)
    times, values = times[before:], values[before:]  # a gap may begin before the window
    _check_reach(manifest, origin, table, label, times)
    _check_gaps(manifest, table, label, times)
    inside = int(np.count_nonzero(times >= wanted[0]))
    if manifest.gap_policy.fill == "previous":
        return values[np.searchsorted(times, wanted, side="right") - 1], steps - inside
    return np.interp(wanted, times, values), steps - inside


def _check_grid(table: Table, origin: int, step_s: int) -> None:
    if (origin - int(table.times[0])) % step_s:
        raise InputError(
            f"{table.path}: expected rows at whole steps of {step_s} s from the origin"
            f" {format_time(origin)}, got {format_time(int(table.times[0]))}"
        )


def _check_reach(
    manifest: Manifest, origin: int, table: Table, label: str, times: NDArray[np.int64]
) -> None:
    step, steps = manifest.step_s, manifest.history_steps
    first, last = origin - steps * step, origin - step
    if not len(times) or times[0] > first:
        given = (origin - int(times[0])) // step if len(times) else 0
        raise InputError(
            f"{table.path}: {label}: expected {steps} steps of {step} s before the origin"
            f" {format_time(origin)}, that is from {format_time(first)}, got {given}"
        )
    # a line needs a value on both sides of a gap, the last value may stand for those after it
    open_end = manifest.gap_policy.max_gap_steps if manifest.gap_policy.fill == "previous" else 0
    if times[-1] < last - open_end * step:
        raise InputError(
            f"{table.path}: {label}: expected values up to {format_time(last)} for the origin"
            f" {format_time(origin)}, got the last at {format_time(int(times[-1]))}"
        )


def _check_gaps(manifest: Manifest, table: Table, label: str, times: NDArray[np.int64]) -> None:
    step, longest = manifest.step_s, manifest.gap_policy.max_gap_steps
    strides = np.diff(times) // step  # 1 where nothing is missing
    if len(strides) and strides.min() > 1:
        raise InputError(
            f"{table.path}: {label}: expected steps of {step} s, got {int(strides.min()) * step} s"
            " at the least"
        )
    too_long = np.flatnonzero(strides > longest + 1)
    if len(too_long):
        at = too_long[0]
        raise InputError(
            f"{table.path}: {label}: gap of {int(strides[at]) - 1} steps from"
            f" {format_time(int(times[at]) + step)}; at most {longest} may be filled"
        )


def _known(manifest: Manifest, origin: int, history: Table, known: Table | None) -> Values:
    """Return the known covariates over look-back and horizon, [L+H, K]."""
    tensor = manifest.inputs["known"]
    step = manifest.step_s
    start = origin - tensor.lookback * step
    span = tensor.lookback + manifest.horizon
    tables = [table for table in (history, known) if table is not None]
    columns = []
    for name in tensor.columns:
        column = np.full(span, np.nan)
        for table in tables:
            if name in table.columns:
                _place(column, start, step, table, name)
        missing = np.flatnonzero(np.isnan(column))
        if len(missing):
            raise InputError(
                f"{' and '.join(_sources(tables))}: known covariate {name} is missing at"
                f" {format_time(start + int(missing[0]) * step)}; the origin {format_time(origin)}"
                f" needs it from {format_time(start)} to {format_time(start + (span - 1) * step)}"
            )
        columns.append(column)
    return np.stack(columns, axis=1)


def _place(column: Values, start: int, step_s: int, table: Table, name: str) -> None:
    _check_grid(table, start, step_s)
    position = (table.times - start) // step_s
    values = table.columns[name]
    inside = (position >= 0) & (position < len(column)) & np.isfinite(values)
    column[position[inside]] = values[inside]


def _sources(tables: list[Table]) -> Iterator[str]:
    return (str(table.path) for table in tables)
