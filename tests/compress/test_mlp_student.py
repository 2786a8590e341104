from dataclasses import replace

import numpy as np
import pytest
import spox
from frugal_edge.session import quiet_session
from numpy.typing import NDArray

from frugal_ai.compress._perceptrons import LINEAR, Perceptrons, Schedule
from frugal_ai.compress._reduced_rank import reduced_rank
from frugal_ai.compress.mlp import Mlp, Perceptron
from frugal_ai.errors import RungError
from frugal_ai.export.compact import compact
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder._linear import moments, recency
from frugal_ai.ladder.ridge import Ridge
from frugal_ai.ladder.rung import Fitted, FittedSparing, Rows

DAY = 86400
Float32Array = NDArray[np.float32]
QUICK = Mlp(epochs=15)


def rows(seed: int = 0, days: int = 200) -> Rows:
    """Weights that differ by lead time along one direction, and one kink; column 4 says nothing."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(days, 12, 6)).astype(np.float32)
    x[..., 4] = 7.0
    lead = np.linspace(-1, 1, 12)
    y = 20 + 2 * x[..., 0] + lead * (x[..., 1] - x[..., 2]) + 3 * np.maximum(x[..., 3], 0)
    origin = DAY * np.arange(days, dtype=np.int64)
    return Rows(x, (y + lead).astype(np.float64), origin, 7200, plain=6, seed=0)


def error(fitted: Fitted, data: Rows) -> float:
    return float(np.abs(fitted.predict(data.features) - data.target).mean())


def exported(fitted: Fitted, features: Float32Array) -> Float32Array:
    argument = spox.argument(spox.Tensor(np.float32, ("B", *features.shape[1:])))
    model = spox.build({"features": argument}, {"forecast": fitted.to_onnx(argument)})
    session = quiet_session(model.SerializeToString())
    found: Float32Array = session.run(None, {"features": features})[0]
    return found


def fitted(settings: Mlp, data: Rows) -> Perceptron:
    found = settings.fit(data)
    assert isinstance(found, Perceptron)
    return found


def test_rectified_units_learn_what_a_ridge_cannot() -> None:
    data, new = rows(), rows(1)
    ridge, bent = error(Ridge().fit(data), new), error(Mlp(units=8).fit(data), new)
    assert bent < 0.3 * ridge


@pytest.mark.parametrize("settings", [QUICK, Mlp(units=0, epochs=5), Mlp(linear=0, epochs=5)])
def test_the_graph_says_what_the_model_says(settings: Mlp) -> None:
    data = rows()
    for weights in ("int16", "float32"):
        learnt = settings.model_copy(update={"weights": weights}).fit(data)
        native = learnt.predict(data.features)
        np.testing.assert_allclose(exported(learnt, data.features), native, rtol=2e-6, atol=2e-5)


def test_it_is_deterministic_by_seed() -> None:
    data = rows()
    one, again = (fitted(QUICK, data) for _ in range(2))
    other = fitted(QUICK, replace(data, seed=1))
    np.testing.assert_array_equal(one.hidden, again.hidden)
    np.testing.assert_array_equal(one.bias, again.bias)
    assert (one.hidden != other.hidden).any()


def test_weights_of_16_bits_change_next_to_nothing() -> None:
    data = rows()
    exact = fitted(QUICK.model_copy(update={"weights": "float32"}), data)
    small = exact.rounded()
    assert small.hidden.dtype == small.out.dtype == np.int16
    away = np.abs(small.predict(data.features) - exact.predict(data.features)).max()
    assert away < 1e-3 * float(np.std(data.target))


def test_without_units_or_training_it_is_the_ridge_cut_to_a_rank() -> None:
    data = rows()
    sums = moments(data, 4, recency(data, None))
    said = np.array([0, 1, 2, 3, 5])
    solved = sums.solve(1e-3)
    ridge = sums.design.forecast(solved)
    scaled = (data.features[:, :, said] - sums.mean[said]) / sums.deviation[said]
    away = []
    for rank in (0, 1, 5):
        cut = reduced_rank(sums, said, 1e-3, rank)
        forecast = np.einsum("bhk,kr,hr->bh", scaled, cut.directions, cut.out) + cut.bias
        away.append(float(np.abs(forecast - ridge).mean()))
    assert away[0] > 5 * away[1]  # the weights differ along one direction, and a little by chance
    assert away[2] < 1e-4


def test_lead_times_that_nobody_has_observed_are_forecast_all_the_same() -> None:
    data = rows()
    target = data.target.copy()
    target[:, :3] = np.nan
    assert np.isfinite(Mlp(epochs=2).fit(replace(data, target=target)).predict(data.features)).all()


def test_missing_targets_have_no_say() -> None:
    data = rows()
    target = data.target.copy()
    target[::7, 3:9] = np.nan
    holed = Mlp(units=8).fit(replace(data, target=target))
    assert error(holed, rows(1)) < 2 * error(Mlp(units=8).fit(data), rows(1)) + 0.05


def test_features_that_say_nothing_are_not_read() -> None:
    learnt = fitted(QUICK, rows())
    assert isinstance(learnt, FittedSparing)
    np.testing.assert_array_equal(learnt.reads, [True, True, True, True, False, True])
    kept = learnt.kept(np.flatnonzero(learnt.reads))
    features = rows(3).features
    np.testing.assert_allclose(
        kept.predict(features[:, :, [0, 1, 2, 3, 5]]), learnt.predict(features), rtol=1e-12
    )


def test_of_several_seeds_the_best_on_held_out_weeks_is_taken() -> None:
    data = rows()
    settings = Mlp(seeds=4, epochs=3, weights="float32", held=5)
    chosen = settings.fit(data)
    held = data.origin // (7 * DAY) % 5 == 0
    part = replace(
        data, features=data.features[held], target=data.target[held], origin=data.origin[held]
    )
    # the others can be had by training on what is not held out, and keeping each in turn
    errors = []
    for k in range(4):
        only = _Kept(**settings.model_dump(), number=k)
        errors.append(error(only.fit(data), part))
    assert error(chosen, part) == pytest.approx(min(errors))
    assert len(set(errors)) == 4


class _Kept(Mlp):
    number: int

    def _trained(self, *arguments: object) -> tuple[Perceptrons, int]:
        return super()._trained(*arguments)[0], self.number  # type: ignore[arg-type]


def test_gradients_are_those_of_the_loss() -> None:
    rng = np.random.default_rng(0)
    floor = np.array([LINEAR, 0.0], np.float32)

    def nets(shift: float = 0.0, name: str = "", at: tuple[int, ...] = ()) -> Perceptrons:
        made = np.random.default_rng(1)
        found = Perceptrons(
            hidden=made.normal(size=(4, 3, 2)).astype(np.float32),
            threshold=made.normal(size=(3, 2)).astype(np.float32),
            out=made.normal(size=(5, 3, 2)).astype(np.float32),
            bias=made.normal(size=(5, 3)).astype(np.float32),
            floor=floor,
        )
        if name:
            getattr(found, name)[at] += np.float32(shift)
        return found

    x = rng.normal(size=(30, 5, 4)).astype(np.float32)
    y = rng.normal(size=(30, 5)).astype(np.float32)
    y[3, 2] = np.nan

    def loss(one: Perceptrons, net: int) -> float:
        size = np.abs(one.forecast(x)[:, :, net].astype(np.float64) - y)
        huber = np.where(size < 0.5, size**2, 0.5 * (2 * size - 0.5))  # over 2 * 0.5
        return float(np.nansum(huber) / y.size)

    found = nets()._gradients(x, y, 0.5)
    for name, at, net in (
        ("hidden", (1, 2, 1), 2), ("hidden", (0, 0, 0), 0), ("threshold", (1, 1), 1),
        ("out", (3, 1, 1), 1), ("bias", (2, 2), 2),
    ):  # fmt: skip
        step = 1e-3
        up, down = (loss(nets(sign * step, name, at), net) for sign in (1, -1))
        assert found[name][at] == pytest.approx((up - down) / (2 * step), rel=0.03, abs=2e-4)
    assert (found["threshold"][:, 0] == 0).all()  # of the linear unit


def test_training_goes_down() -> None:
    data = rows()
    x = data.features[:, :, [0, 1, 2, 3, 5]]
    y = ((data.target - 20) / 3).astype(np.float32)
    rng = np.random.RandomState(0)
    nets = Perceptrons(
        hidden=rng.normal(0, 0.5, (5, 1, 8)).astype(np.float32),
        threshold=np.zeros((1, 8), np.float32),
        out=np.zeros((12, 1, 8), np.float32),
        bias=np.zeros((12, 1), np.float32),
        floor=np.zeros(8, np.float32),
    )
    before = np.abs(nets.forecast(x)[:, :, 0] - y).mean()
    nets.train(x, y, Schedule(epochs=30, batch=16, rate=0.01, huber=0.1), rng)
    assert np.abs(nets.forecast(x)[:, :, 0] - y).mean() < 0.3 * before


def test_too_few_origins_are_refused() -> None:
    with pytest.raises(RungError, match="at least 28 training origins"):
        QUICK.fit(rows(days=20))


def test_it_reads_the_basis_or_not_and_is_named_by_its_units() -> None:
    recipe = Recipe.model_validate(
        {"features": [{"feature": "clock"}], "basis": [{"feature": "weekday"}]}
    )
    assert len(Mlp().blocks(recipe)) == 2
    assert len(Mlp(reads="features").blocks(recipe)) == 1
    assert [Mlp().name, Mlp(units=0).name, Mlp(label="mine").name] == [
        "mlp_8", "low_rank_8", "mine",
    ]  # fmt: skip


def test_floats_in_the_place_of_integers_say_the_same_and_are_of_one_size() -> None:
    rng = np.random.default_rng(3)
    seen = rng.normal(size=(60, 4, 6)).astype(np.float32) * np.array(
        [1, 100, 0.01, 1, 5, 1], np.float32
    )
    seen[:, :, 5] = 0.25  # a flag that is never set here, and means much where it is
    made = Perceptron(
        mean=seen.mean(axis=(0, 1)),
        scale=np.array([1, 0.01, 100, 1, 0.2, 1e-9], np.float32),
        hidden=rng.integers(-9, 9, (6, 3)).astype(np.int16) + np.int16(1),
        threshold=rng.normal(size=3).astype(np.float32),
        floor=np.zeros(3, np.float32),
        out=rng.integers(-30_000, 30_000, (4, 3)).astype(np.int16),
        bias=np.zeros(4, np.float32),
    )
    wide = made.widened(seen)
    other = rng.normal(size=(20, 4, 6)).astype(np.float32)
    np.testing.assert_allclose(wide.predict(other), made.predict(other), rtol=1e-4, atol=1.0)
    rows = np.abs(wide.hidden).max(axis=1)
    assert rows.max() < 100 * rows.min()
    assert np.abs(wide.out).max() == pytest.approx(1.0)


@pytest.mark.parametrize(("level", "far"), [(3.0, False), (1e4, True)])
def test_means_far_from_zero_are_taken_off_before_the_product(level: float, far: bool) -> None:
    data = rows()
    data = replace(data, features=data.features + np.float32(level))
    made = fitted(Mlp(units=2, linear=1, seeds=1, epochs=1), data)
    assert made.far is far
    features = spox.argument(spox.Tensor(np.float32, ("B", *data.features.shape[1:])))
    model = compact(spox.build({"x": features}, {"y": made.to_onnx(features)}))
    got = quiet_session(model.SerializeToString()).run(None, {"x": data.features})[0]
    np.testing.assert_allclose(got, made.predict(data.features), rtol=1e-4, atol=1e-4)
    moving, before = {"x"}, []
    for node in model.graph.node:
        if moving.intersection(node.input):
            moving.update(node.output)
            before.append(node.op_type)
    assert ("Sub" in before[: before.index("MatMul")]) is far
