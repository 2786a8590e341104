"""The rungs of each kind of target."""

from typing import Any

from frugal_ai.recipes import Kind


def default_ladder(kind: Kind, several: bool) -> tuple[Any, ...]:
    """Return the rungs of a pipeline that names none, cheapest first.

    Trees need the level of what moves without bounds, as load and carbon intensity do; what rests
    on forecasts of the weather needs no finer steps than they have, and fewer trees. PV's errors
    are unequal from night to noon, so that its linear rung minimizes absolute errors and not
    squares, and trees gain from what it says of them.

    Parameters
    ----------
    several
        Whether there are several series, so that one model for all is worth a try.
    """
    daily, weekly = ({"rung": "seasonal_naive", "season": season} for season in ("1d", "7d"))
    linear = {
        "load": ("ridge", "basis_ridge"),
        "intensity": ("ridge", "basis_ridge"),
        "wind": ("ridge", "basis_ridge", "linear_quantiles"),
        "pv": ("linear_quantiles",),
    }
    growing = kind in ("load", "intensity")
    bounded = {"level": None, "bins": 31, "trees": 240, "learning_rate": 0.055}
    trees: dict[str, Any] = {"rung": "boosting"} | ({} if growing else bounded)
    of_all = ({**trees, "scope": "panel", "leaves": 63},) if several else ()
    naive = ("persistence", daily, weekly, "climatology")
    stacked = ("stacked_boosting",) if kind == "pv" else ()
    return (*naive, *linear[kind], *of_all, trees, "residual_boosting", *stacked)
