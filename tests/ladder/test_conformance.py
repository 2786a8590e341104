"""What every rung must do; a new rung is found and tested without a word here."""

from dataclasses import replace
from datetime import UTC, datetime, time

import numpy as np
import pytest

from frugal_ai import ladder
from frugal_ai.backtest.evaluate import Evaluation, SeriesModel, Task, evaluate, unmeasured
from frugal_ai.backtest.split import Split, training_rows
from frugal_ai.backtest.windows import Series
from frugal_ai.cost.meter import CpuMeter
from frugal_ai.data.panel import Panel
from frugal_ai.errors import RungError
from frugal_ai.export.model import check_parity, to_onnx
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.features.grid import Grid, local_grid
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder.rung import Rows, Rung

STEP, HORIZON, DAYS = 3600, 24, 140
LEVELS = (0.1, 0.5, 0.9)
START = int(datetime(2023, 12, 1, tzinfo=UTC).timestamp())
DAY = 86400
RECIPE = Recipe.model_validate(
    {
        "features": [
            {"feature": "lag", "at": ["1d", "7d"]},
            {"feature": "last", "steps": 2},
            {"feature": "rolling", "window": ["7d"], "stats": ["mean", "std"]},
            {"feature": "clock"},
            {"feature": "holiday"},
            {"feature": "known", "names": ["temperature"], "mean": ["0d", "6h"]},
            {"feature": "rolling", "window": ["1d"], "of": "flow"},
        ],
        "basis": [
            {"feature": "weekday"},
            {
                "feature": "spline",
                "of": {"feature": "known", "names": ["temperature"]},
                "knots": [0, 10],
            },
        ],
    }
)
SPLIT = Split(
    start=START,
    validation=START + DAY * np.arange(100, 112),
    test=START + DAY * np.arange(115, 138),
    at=(time(0),),
    timezone="UTC",
)
# small, so that every kind learns in a blink; kinds without these settings take their own
QUICK = {"trees": 20, "leaves": 7, "rows_per_leaf": 20}


def make(name: str) -> Rung:
    kind = ladder.kind(name)
    return kind.model_validate({k: v for k, v in QUICK.items() if k in kind.model_fields})


@pytest.fixture(params=ladder.names())
def rung(request: pytest.FixtureRequest) -> Rung:
    return make(request.param)


def series(seed: int = 0, days: int = DAYS) -> Series:
    rng = np.random.default_rng(seed)
    steps = np.arange(days * 24)
    warm = 8 + 6 * np.sin(2 * np.pi * steps / 24) + rng.normal(0, 2, len(steps)).cumsum() * 0.05
    values = 50 + 10 * np.sin(2 * np.pi * (steps - 5) / 24) - warm + rng.normal(0, 1, len(steps))
    panel = Panel(
        series_ids=("feeder",),
        start=START,
        step_s=STEP,
        values=values[None],
        known_names=("temperature",),
        known=warm[None, :, None],
        past_names=("flow",),
        past=(values * 0.3)[None, :, None],
        static_names=(),
        static=np.zeros((1, 0)),
        simulated=True,
    )
    return Series(panel, 0, values, HORIZON)


def grid() -> Grid:
    return local_grid(
        step_s=STEP,
        horizon=HORIZON,
        timezone="Europe/Paris",
        holidays="FR",
        valid_from=START,
        valid_until=START + 400 * DAY,
        known_names=("temperature",),
        past_names=("flow",),
    )


def climb(rung: Rung, one: Series, seed: int = 0) -> Evaluation:
    task = Task(RECIPE, (one,), (grid(),), SPLIT, seed, levels=LEVELS)
    return evaluate(rung, task, unmeasured)


def rows(rung: Rung, one: Series) -> Rows:
    graph = FeatureGraph(rung.blocks(RECIPE), grid())
    plain = len(FeatureGraph(RECIPE.features, grid()).columns)
    return training_rows(one, graph, SPLIT, plain, seed=0)


def test_it_says_what_it_is(rung: Rung) -> None:
    assert rung.family in {"naive", "linear", "boosting"}
    assert rung.summary
    assert rung.name.startswith(rung.rung)
    assert ladder.make({"rung": rung.rung, "label": "mine"}).name == "mine"


def test_it_forecasts_every_step_of_every_origin(rung: Rung) -> None:
    result = climb(rung, series())
    assert result.validation.shape == (1, len(SPLIT.validation), HORIZON)
    assert result.test.shape == (1, len(SPLIT.test), HORIZON)
    assert np.isfinite(result.test).all()


def test_its_quantiles_are_finite_and_never_cross(rung: Rung) -> None:
    quantiles = climb(rung, series()).test_quantiles
    assert quantiles.shape == (1, len(SPLIT.test), HORIZON, len(LEVELS))
    assert np.isfinite(quantiles).all()
    assert (np.diff(quantiles, axis=3) >= 0).all()


def test_it_beats_a_constant(rung: Rung) -> None:
    one = series()
    actual = one.targets(SPLIT.test)
    error = np.abs(climb(rung, one).test[0] - actual).mean()
    # persistence from midnight is the one that a daily cycle defeats
    limit = 2.5 if rung.rung == "persistence" else 1.0
    assert error < limit * np.abs(actual - actual.mean()).mean()


def test_it_is_deterministic_by_seed(rung: Rung) -> None:
    one, other = climb(rung, series(), seed=3), climb(rung, series(), seed=3)
    np.testing.assert_array_equal(one.test, other.test)
    assert to_onnx(one.models[0]).content == to_onnx(other.models[0]).content


def test_it_never_looks_ahead(rung: Rung) -> None:
    one = series()
    clean = climb(rung, one)
    for origins, which in ((SPLIT.validation, "validation"), (SPLIT.test, "test")):
        for k in (0, len(origins) - 1):
            cut = int(origins[k] - START) // STEP
            values, past, known = (a.copy() for a in (one.filled, one.panel.past, one.panel.known))
            # known covariates are known over the horizon, everything else up to the origin
            values[cut:], past[:, cut:], known[:, cut + HORIZON :] = 1e6, -1e6, 1e6
            panel = replace(one.panel, values=values[None], past=past, known=known)
            poisoned = climb(rung, Series(panel, 0, values, HORIZON))
            expected = getattr(clean, which)[0, k]
            np.testing.assert_array_equal(getattr(poisoned, which)[0, k], expected)
            if which == "test":  # nothing of the test calibrates, and quantiles follow the past
                got = poisoned.test_quantiles[0, k]
                np.testing.assert_array_equal(got, clean.test_quantiles[0, k])


def test_missing_targets_are_left_out(rung: Rung) -> None:
    one = series()
    values = one.panel.values.copy()
    values[0, 500:520] = np.nan
    holed = Series(replace(one.panel, values=values), 0, one.filled, HORIZON)
    assert np.isfinite(climb(rung, holed).test).all()


def test_a_missing_feature_is_refused(rung: Rung) -> None:
    data = rows(rung, series())
    features = data.features.copy()
    features[3, 2, 0] = np.nan
    with pytest.raises(RungError, match="column 0 at origin 3, step 2"):
        replace(data, features=features)


def test_no_target_at_all_is_refused(rung: Rung) -> None:
    data = rows(rung, series())
    with pytest.raises(RungError, match="all of them are missing"):
        replace(data, target=np.full_like(data.target, np.nan))


def test_onnx_agrees_with_native(rung: Rung) -> None:
    one = series()
    result = climb(rung, one)
    model = result.models[0]
    exported = to_onnx(model)
    cut = one.windows(SPLIT.test, model.graph.reach)
    mean = float(np.abs(one.panel.values).mean())
    native, drift = result.test_forecasts[0], result.test_drift[0]
    assert check_parity(exported, cut, native, mean, drift) <= 1e-5
    if not {"history", "known", "past"} & set(exported.inputs):
        return
    # one origin alone, as on a gateway, gives what the batch gave
    alone = one.windows(SPLIT.test[:1], model.graph.reach)
    for name, values in exported.run(alone).items():
        np.testing.assert_allclose(values, exported.run(cut)[name][:1], rtol=1e-6)


def test_more_rows_never_cost_less(rung: Rung) -> None:
    few = rows(rung, series())
    many = replace(
        few,
        features=np.tile(few.features, (16, 1, 1)),
        target=np.tile(few.target, (16, 1)),
        origin=np.arange(16 * len(few.origin)) * DAY + START,
    )
    meter = CpuMeter(block_cpu_s=0.01, blocks=4, single_cpu_s=0.2)
    cheap = meter.measure(lambda: rung.fit(few))[1]
    dear = meter.measure(lambda: rung.fit(many))[1]
    # a rung that learns nothing costs a fraction of a microsecond, whatever it is given
    assert dear.cpu_s >= 0.5 * cheap.cpu_s


def test_the_model_of_a_series_knows_its_rows(rung: Rung) -> None:
    model: SeriesModel = climb(rung, series()).models[0]
    assert model.n_rows == len(rows(rung, series()).origin) * HORIZON
