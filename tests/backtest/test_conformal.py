import numpy as np
import pytest
import spox
from frugal_edge.session import quiet_session
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from frugal_ai.backtest import conformal
from frugal_ai.backtest.conformal import Calibrated, origins_needed, rank, require_origins
from frugal_ai.errors import PipelineError

LEVELS = (0.1, 0.5, 0.9)
Array = NDArray[np.float64]


def calibrate(
    raw: Array, actual: Array, group: NDArray[np.int64], n_groups: int, levels: tuple[float, ...]
) -> Calibrated:
    """Errors that grow with nothing known."""
    return conformal.calibrate(raw, actual, np.ones(actual.shape), group, n_groups, levels)


def apply(learnt: Calibrated, raw: Array, group: NDArray[np.int64]) -> Array:
    return learnt.apply(raw, group, np.ones(raw.shape[:2]))


@pytest.mark.parametrize(
    ("count", "level", "expected"),
    [
        (9, 0.9, 9),  # ceil(10 * 0.9): the largest
        (9, 0.1, 1),  # the smallest
        (10, 0.9, 10),  # ceil(9.9)
        (99, 0.9, 90),
        (99, 0.1, 10),
        (99, 0.7, 70),  # 100 * 0.7 is 70.00000000000001 as a float nowhere
        (4, 0.5, 3),
        (1, 0.5, 1),
    ],
)
def test_the_rank_is_that_of_conformal_prediction(count: int, level: float, expected: int) -> None:
    assert rank(count, level) == expected


@given(level=st.floats(0.001, 0.999))
def test_as_many_origins_are_needed_as_have_a_rank(level: float) -> None:
    level = round(level, 3)
    needed = origins_needed(level)
    assert 1 <= rank(needed, level) <= needed
    if needed > 1:
        assert not 1 <= rank(needed - 1, level) <= needed - 1


@pytest.mark.parametrize(
    ("level", "needed"), [(0.5, 1), (0.9, 9), (0.1, 9), (0.05, 19), (0.975, 39)]
)
def test_how_many_origins_a_level_needs(level: float, needed: int) -> None:
    assert origins_needed(level) == needed


def naive(residual: list[float], level: float) -> float:
    """The textbook: of n residuals, the ceil((n + 1) * level)-th; mirrored below the median."""
    if level < 0.5:
        return -naive([-r for r in residual], 1 - level)
    ordered = sorted(residual)
    return ordered[int(np.ceil(round((len(ordered) + 1) * level, 9))) - 1]


@given(
    residual=hnp.arrays(np.float64, (24, 3), elements=st.floats(-100, 100, width=32)),
    groups=hnp.arrays(np.int64, 24, elements=st.integers(0, 0)),
    holes=hnp.arrays(np.bool_, (24, 3), elements=st.sampled_from([False, False, True])),
)
def test_offsets_are_the_textbooks(
    residual: np.ndarray, groups: np.ndarray, holes: np.ndarray
) -> None:
    levels = (0.3, 0.5, 0.75)
    holes[:6] = False  # enough for the levels
    raw = np.full((24, 3, 1), 7.0)
    actual = np.where(holes, np.nan, 7.0 + residual)
    learnt = calibrate(raw, actual, groups, 1, levels)
    got = apply(learnt, np.zeros((1, 3, 1)), np.zeros(1, np.int64))
    for lead in range(3):
        seen = (actual - 7.0)[~holes[:, lead], lead].tolist()
        expected = [naive(seen, level) for level in levels]
        np.testing.assert_allclose(got[0, lead], expected, rtol=1e-5, atol=1e-4)


def test_groups_are_calibrated_apart() -> None:
    rng = np.random.default_rng(0)
    group = np.arange(200) % 2
    actual = rng.normal(0, 1, (200, 4)) * np.where(group, 10, 1)[:, None]
    learnt = calibrate(np.zeros((200, 4, 1)), actual, group, 2, LEVELS)
    widths = apply(learnt, np.zeros((2, 4, 1)), np.array([0, 1]))[:, :, [0, 2]] @ [-1, 1]
    assert (widths[0] < 4).all()
    assert (widths[1] > 15).all()


@pytest.mark.parametrize("n", [9, 10, 23, 60])
def test_the_share_below_a_level_is_at_least_the_level_on_average(n: int) -> None:
    """Exchangeable residuals: expectation of coverage is rank / (n + 1), whatever they are."""
    rng = np.random.default_rng(n)
    trials = 2000  # lead times stand for independent repeats
    actual = rng.exponential(1.0, (n + 1, trials))
    learnt = calibrate(np.zeros((n, trials, 1)), actual[:n], np.zeros(n, np.int64), 1, LEVELS)
    quantiles = apply(learnt, np.zeros((1, trials, 1)), np.zeros(1, np.int64))[0]
    share = (actual[n][:, None] <= quantiles).mean(axis=0)
    noise = 4 * np.sqrt(0.25 / trials)
    expected = [rank(n, level) / (n + 1) for level in LEVELS]
    np.testing.assert_allclose(share, expected, atol=noise)
    assert expected[0] <= 0.1 + 1e-12
    assert expected[2] >= 0.9 - 1e-12


def test_quantiles_of_a_rung_are_calibrated_one_by_one() -> None:
    rng = np.random.default_rng(1)
    actual = rng.normal(0, 1, (999, 1))
    raw = np.broadcast_to([-0.1, 0.4, 5.0], (999, 1, 3))  # too high, off, much too wide
    learnt = calibrate(raw, actual, np.zeros(999, np.int64), 1, LEVELS)
    got = apply(learnt, raw[:1], np.zeros(1, np.int64))[0, 0]
    np.testing.assert_allclose(got, np.sort(actual[:, 0])[[99, 499, 899]], rtol=1e-5)


def test_too_few_origins_are_refused_with_how_many_are_needed() -> None:
    observed = np.ones((20, 3), bool)
    observed[8:, 1] = False
    said = (
        "quantiles: expected at least 9 validation origins with an observation at each lead time "
        "for the level 0.1, got 8 at step 1; "
        "declare more of them in periods.validation, or levels nearer to 0.5"
    )
    with pytest.raises(PipelineError, match=f"{said}$"):
        require_origins(observed, np.zeros(20, np.int64), 1, LEVELS)
    require_origins(observed, np.zeros(20, np.int64), 1, (0.2, 0.5))
    require_origins(observed, np.zeros(20, np.int64), 1, ())


def test_each_group_needs_its_own_origins() -> None:
    group = np.array([0] * 18 + [1] * 2)
    with pytest.raises(PipelineError, match=r"got 2 at step 0 of origins at 12:00;"):
        require_origins(np.ones((20, 3), bool), group, 2, LEVELS, ("00:00", "12:00"))


def test_calibration_itself_refuses_them_too() -> None:
    with pytest.raises(PipelineError, match="got 8 at step 0"):
        calibrate(np.zeros((8, 2, 1)), np.zeros((8, 2)), np.zeros(8, np.int64), 1, LEVELS)


@pytest.mark.parametrize("n_groups", [1, 3])
def test_the_graph_adds_what_python_adds(n_groups: int) -> None:
    rng = np.random.default_rng(2)
    group = np.arange(60) % n_groups
    seen = rng.normal(size=(60, 4, 1))
    learnt = calibrate(seen, rng.normal(size=(60, 4)), group, n_groups, LEVELS)
    raw = rng.normal(size=(5, 4, 1)).astype(np.float32)
    arguments = {
        "raw": spox.argument(spox.Tensor(np.float32, ("B", 4, 1))),
        "group": spox.argument(spox.Tensor(np.int64, ("B",))),
    }
    made = learnt.apply_onnx(arguments["raw"], arguments["group"] if n_groups > 1 else None, None)
    model = spox.build(arguments, {"quantiles": made})
    picked = np.arange(5) % n_groups
    session = quiet_session(model.SerializeToString())
    (got,) = session.run(None, {"raw": raw, "group": picked})
    expected = apply(learnt, raw.astype(np.float64), picked)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_offsets_follow_the_size_of_the_forecast() -> None:
    """As with wind: errors are small in a calm and at rated power, large halfway up."""
    rng = np.random.default_rng(3)
    raw = rng.uniform(0, 1, (300, 6, 1))
    actual = raw[:, :, 0] + rng.normal(0, 1, (300, 6)) * raw[:, :, 0] * (1 - raw[:, :, 0])
    learnt = calibrate(raw, actual, np.zeros(300, np.int64), 1, LEVELS)
    points = np.array([0.05, 0.5, 0.95])
    quantiles = apply(learnt, np.tile(points[:, None, None], (1, 6, 1)), np.zeros(3, np.int64))
    width = (quantiles[:, :, 2] - quantiles[:, :, 0]).mean(axis=1)
    expected = 2 * 1.2816 * points * (1 - points)
    np.testing.assert_allclose(width, expected, rtol=0.25, atol=0.05)
    fresh = rng.uniform(0, 1, (2000, 6, 1))
    came = fresh[:, :, 0] + rng.normal(0, 1, (2000, 6)) * fresh[:, :, 0] * (1 - fresh[:, :, 0])
    found = apply(learnt, fresh, np.zeros(2000, np.int64))
    share = (came[:, :, None] <= found).mean(axis=(0, 1))
    np.testing.assert_allclose(share, LEVELS, atol=0.03)


def test_offsets_grow_with_what_errors_grow_with() -> None:
    """As with PV: what is uncertain is a share of what a clear sky would give."""
    rng = np.random.default_rng(4)
    clear = np.tile([0.0, 0.001, 0.5, 1.0], (200, 1)) * rng.uniform(0.8, 1.0, (200, 1))
    raw = 0.6 * clear[:, :, None]
    actual = clear * np.clip(rng.normal(0.6, 0.2, (200, 4)), 0, 1)
    learnt = conformal.calibrate(raw, actual, clear, np.zeros(200, np.int64), 1, LEVELS)
    quantiles = learnt.apply(raw, np.zeros(200, np.int64), clear)
    assert (quantiles[:, 0] == 0).all()  # no light, no doubt
    widths = (quantiles[:, :, 2] - quantiles[:, :, 0]) / np.maximum(clear, 1e-9)
    np.testing.assert_allclose(widths[:, 2:], 2 * 1.2816 * 0.2, atol=0.12)
    inside = (quantiles[:, 2:, 0] <= actual[:, 2:]) & (actual[:, 2:] <= quantiles[:, 2:, 2])
    assert inside.mean() == pytest.approx(0.8, abs=0.03)


def test_the_graph_spreads_what_python_spreads() -> None:
    rng = np.random.default_rng(5)
    clear = np.tile([0.0, 0.001, 0.5, 1.0], (60, 1)) * rng.uniform(0.5, 1.0, (60, 1))
    raw = clear[:, :, None] * rng.uniform(0.2, 1.0, (60, 4, 1))
    actual = clear * rng.uniform(0, 1, (60, 4))
    learnt = conformal.calibrate(raw, actual, clear, np.zeros(60, np.int64), 1, LEVELS)
    arguments = {
        "raw": spox.argument(spox.Tensor(np.float32, ("B", 4, 1))),
        "spread": spox.argument(spox.Tensor(np.float32, ("B", 4))),
    }
    made = learnt.apply_onnx(arguments["raw"], None, arguments["spread"])
    session = quiet_session(spox.build(arguments, {"quantiles": made}).SerializeToString())
    given = {"raw": raw.astype(np.float32), "spread": clear.astype(np.float32)}
    (got,) = session.run(None, given)
    expected = learnt.apply(raw, np.zeros(60, np.int64), clear)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("light", [np.zeros((20, 3)), np.tile([0.0, 0.0, 1.0], (20, 1))])
def test_where_nothing_is_uncertain_quantiles_are_the_forecast(light: Array) -> None:
    group = np.zeros(20, np.int64)
    actual = np.where(np.arange(20)[:, None] < 12, light, np.nan)
    actual[:, :2] = 0.0
    learnt = conformal.calibrate(light[:, :, None], actual, light, group, 1, LEVELS)
    quantiles = learnt.apply(light[:, :, None], group, light)
    np.testing.assert_allclose(quantiles, light[:, :, None].repeat(3, axis=2), atol=1e-6)


def test_a_few_uncertain_origins_are_no_reason_to_fail() -> None:
    light = np.zeros((20, 3))
    light[:4, 1] = 1.0  # fewer than the levels need
    group = np.zeros(20, np.int64)
    learnt = conformal.calibrate(light[:, :, None], 0.5 * light, light, group, 1, LEVELS)
    assert np.isfinite(learnt.apply(light[:, :, None], group, light)).all()
