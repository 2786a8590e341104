from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from frugal_edge.bundle import open_bundle
from frugal_edge.errors import BundleError, ForecastError, GoldenError, InputError
from frugal_edge.runtime import Forecaster, load
from frugal_edge.session import quiet_session
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

ORIGIN = 1_717_192_800
DAY = 86400
STEPS, HORIZON = 96, 48
ALL = ("history", "origin", "known", "past")

MakeBundle = Callable[..., Path]
InputsOf = Callable[[Sequence[str], int], dict[str, Any]]
Expect = Callable[[Mapping[str, Any]], NDArray[np.float32]]


def one_node(
    operator: str,
    given: Sequence[str | int] = ("B", STEPS),
    *,
    steps: int = HORIZON,
    made: Sequence[str | int] = ("B", HORIZON),
) -> bytes:
    """Build a graph that takes the last values of the history through one operator."""
    ends = {"tail": -steps, "end": 2**31, "one": 1}
    constants = [numpy_helper.from_array(np.array([value]), name) for name, value in ends.items()]
    nodes = [
        helper.make_node("Slice", ["history", "tail", "end", "one"], ["latest"]),
        helper.make_node(operator, ["latest"], ["forecast"]),
    ]
    history = helper.make_tensor_value_info("history", TensorProto.FLOAT, given)
    forecast = helper.make_tensor_value_info("forecast", TensorProto.FLOAT, made)
    graph = helper.make_graph(nodes, "one_node", [history], [forecast], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content


def take_root(golden: dict[str, Any]) -> None:
    for case in golden["cases"]:
        case["outputs"]["forecast"] = np.sqrt(case["outputs"]["forecast"]).tolist()


@pytest.mark.parametrize("reads", [("history",), ("origin",), ("history", "known"), ALL])
def test_a_forecast_is_what_numpy_computes(
    make_bundle: MakeBundle, inputs_of: InputsOf, expect: Expect, reads: Sequence[str]
) -> None:
    forecaster = load(make_bundle(reads))
    inputs = inputs_of(reads, 7)
    found = forecaster.forecast(
        inputs.get("history"),
        inputs.get("origin", ORIGIN),
        known=inputs.get("known"),
        past=inputs.get("past"),
    )
    assert found.point.shape == (HORIZON,)
    assert found.point.dtype == np.float32
    np.testing.assert_allclose(found.point, expect(inputs), rtol=1e-6)


def test_what_a_model_does_not_read_is_not_looked_at(make_bundle: MakeBundle) -> None:
    forecaster = load(make_bundle(["history"]))
    history = np.arange(STEPS, dtype=np.float32)
    found = forecaster.forecast(history, ORIGIN, known=[np.nan], past="none")
    np.testing.assert_array_equal(found.point, history[-HORIZON:])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("history", None, "history: the model reads it, none was given"),
        ("history", np.zeros(95), r"history: expected shape \[96\] \[N\], got \[95\]"),
        ("history", np.zeros((1, 96)), r"history: expected shape \[96\] \[N\], got \[1, 96\]"),
        ("history", ["1"] * 96, "history: expected numbers alone, got str"),
        ("history", [None] * 96, "history: expected numbers alone, got object"),
        ("history", [True] * 96, "history: expected numbers alone, got bool"),
        ("history", [[1], [1, 2]], "history: expected rows of equal length"),
        ("history", [1.0] * 95 + [np.nan], r"got nan at step 95 \(1 in all\)"),
        ("history", [np.inf] * 96, r"got inf at step 0 \(96 in all\)"),
        ("history", [1e300] * 96, "expected finite float32 values, got inf at step 0"),
        ("known", np.zeros((52, 3)), r"known: expected shape \[52, 2\] \[L\+H, K\], got \[52, 3\]"),
        ("known", [[0, 0]] * 51 + [[0, np.nan]], "known: .*got nan at step 51, wind"),
        ("past", [[np.nan]] * 96, "past: .*got nan at step 0, voltage"),
    ],
)
def test_an_input_that_does_not_fit_is_refused(
    make_bundle: MakeBundle, inputs_of: InputsOf, name: str, value: object, said: str
) -> None:
    forecaster = load(make_bundle(ALL))
    inputs = inputs_of(ALL, 0) | {name: value}
    with pytest.raises(InputError, match=said):
        forecaster.forecast(**inputs)


@pytest.mark.parametrize("days", [-200, -153, 214, 5000])
def test_an_origin_outside_the_tables_cannot_wrap_around(
    make_bundle: MakeBundle, inputs_of: InputsOf, days: int
) -> None:
    forecaster = load(make_bundle(ALL))
    inputs = inputs_of(ALL, 0) | {"origin": ORIGIN + days * DAY}
    with pytest.raises(InputError, match=r"expected one from 2024-01-01.* to 2024-12-31"):
        forecaster.forecast(**inputs)


def test_the_graph_alone_would_wrap_around(make_bundle: MakeBundle) -> None:
    session = quiet_session((make_bundle(["origin"]) / "model.onnx").read_bytes())
    (forecast,) = session.run(None, {"origin": np.array([ORIGIN - 200 * DAY])})
    assert np.isfinite(forecast).all()  # plausible, and wrong: why origins are checked


def test_the_origin_is_checked_even_if_the_graph_does_not_read_it(make_bundle: MakeBundle) -> None:
    forecaster = load(make_bundle(["history"]))
    with pytest.raises(InputError, match="trained for origins at 00:00"):
        forecaster.forecast(np.zeros(STEPS), ORIGIN + 1800)


def test_golden_cases_are_counted_and_measured(make_bundle: MakeBundle) -> None:
    cases, largest = Forecaster(open_bundle(make_bundle(ALL))).self_test()
    assert cases == 3
    assert largest <= 1e-3


def test_a_golden_case_that_differs_is_told(make_bundle: MakeBundle) -> None:
    def spoil(golden: dict[str, Any]) -> None:
        golden["cases"][1]["outputs"]["forecast"][5] += 0.01

    said = r"case 1, forecast, step 5: expected [\d.]+ within 0.001, got [\d.]+"
    with pytest.raises(GoldenError, match=said):
        load(make_bundle(["history"], edit_golden=spoil))


def test_a_difference_within_the_tolerance_passes(make_bundle: MakeBundle) -> None:
    def spoil(golden: dict[str, Any]) -> None:
        golden["cases"][1]["outputs"]["forecast"][5] += 0.0005

    load(make_bundle(["history"], edit_golden=spoil))


def test_a_golden_case_that_gives_nan_fails(make_bundle: MakeBundle) -> None:
    def spoil(golden: dict[str, Any]) -> None:
        take_root(golden)
        golden["cases"][0]["inputs"]["history"][-1] = -1.0

    with pytest.raises(GoldenError, match=r"case 0, forecast, step 47: expected .*, got -?nan"):
        load(make_bundle(["history"], model=one_node("Sqrt"), edit_golden=spoil))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("cases",), [], "cases: expected at least one case"),
        (("tolerance_abs",), -1, "tolerance_abs: expected a number from 0"),
        (("cases", 0, "inputs", "history"), [1.0], r"cases\[0\].*history: expected shape \[96\]"),
        (("cases", 0, "inputs", "history"), ["1"] * 96, "history: expected numbers alone"),
        (("cases", 0, "inputs", "origin"), 0, r"cases\[0\].*origin 1970-01-01.*expected one from"),
        (("cases", 0, "inputs", "rain"), [], r"cases\[0\].inputs: unknown key 'rain'"),
        (("cases", 0, "outputs"), {}, r"cases\[0\].outputs.forecast: the key is missing"),
        (("cases", 0, "outputs", "forecast"), [None] * 48, "forecast: expected numbers alone"),
        (("colour",), "red", "unknown key 'colour'"),
    ],
)
def test_golden_cases_that_do_not_fit_the_manifest_are_refused(
    make_bundle: MakeBundle, path: tuple[Any, ...], value: object, said: str
) -> None:
    def spoil(golden: Any) -> None:
        for key in path[:-1]:
            golden = golden[key]
        golden[path[-1]] = value

    with pytest.raises(BundleError, match=rf"golden\.json: .*{said}"):
        load(make_bundle(edit_golden=spoil))


def test_a_forecast_that_is_not_finite_is_an_error(make_bundle: MakeBundle) -> None:
    forecaster = load(make_bundle(["history"], model=one_node("Sqrt"), edit_golden=take_root))
    history = np.ones(STEPS)
    history[-HORIZON + 3] = -1
    with pytest.raises(ForecastError, match=r"the model gave -?nan for step 3 of the horizon"):
        forecaster.forecast(history, ORIGIN)


@pytest.mark.parametrize("model", [b"", b"not a graph", one_node("Unheard")])
def test_a_graph_that_cannot_be_loaded_is_a_bundle_error(
    make_bundle: MakeBundle, model: bytes
) -> None:
    with pytest.raises(BundleError, match=r"model.onnx: onnxruntime [\d.]+ cannot load it"):
        load(make_bundle(["history"], model=model))


@pytest.mark.parametrize(
    ("reads", "model", "said"),
    [
        (("origin",), one_node("Abs"), r"inputs: expected \['origin'\] as the manifest says"),
        (("history",), one_node("Abs", ("B", 95)), r"input history: expected float32 \[None, 96\]"),
        (
            ("history",),
            one_node("Abs", (1, STEPS)),
            r"input history: .*got tensor\(float\) \[1, 96",
        ),
    ],
)
def test_a_graph_that_is_not_what_the_manifest_says_is_refused(
    make_bundle: MakeBundle, reads: Sequence[str], model: bytes, said: str
) -> None:
    with pytest.raises(BundleError, match=f"model.onnx: {said}"):
        load(make_bundle(reads, model=model))


def test_what_a_forecast_gave_is_not_written_over(make_bundle: MakeBundle) -> None:
    forecaster = Forecaster(open_bundle(make_bundle(["history"], model=one_node("Abs"))))
    first, second = (
        forecaster.forecast(np.full(STEPS, value, np.float32), ORIGIN) for value in (-3.0, 5.0)
    )
    np.testing.assert_array_equal(first.point, np.full(HORIZON, 3.0))
    np.testing.assert_array_equal(second.point, np.full(HORIZON, 5.0))


def test_a_graph_that_gives_another_shape_than_it_says_is_found(make_bundle: MakeBundle) -> None:
    model = one_node("Abs", ("B", "N"), steps=3, made=("B", "H"))
    with pytest.raises(GoldenError, match=r"case 0: the model failed: .*'forecast'.*\{1,3\}"):
        load(make_bundle(["history"], model=model))


@pytest.mark.parametrize(("minimum", "fits"), [("1.20", True), ("1.20.0", True), ("99.0", False)])
def test_the_oldest_onnxruntime_is_heeded(
    make_bundle: MakeBundle, minimum: str, fits: bool
) -> None:
    def require(manifest: dict[str, Any]) -> None:
        manifest["minimum_onnxruntime"] = minimum

    folder = make_bundle(edit=require)
    if fits:
        load(folder)
    else:
        with pytest.raises(BundleError, match=r"the model needs 99.0, this machine has \d"):
            load(folder)


def test_versions_are_compared_as_numbers(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_bundle()
    monkeypatch.setattr(onnxruntime, "__version__", "1.100.0+gateway")
    load(folder)
    monkeypatch.setattr(onnxruntime, "__version__", "1.9.0")
    with pytest.raises(BundleError, match=r"the model needs 1.20, this machine has 1.9.0"):
        load(folder)


def test_inputs_beyond_the_training_are_named_and_not_refused(
    make_bundle: MakeBundle, inputs_of: InputsOf
) -> None:
    forecaster = load(make_bundle(ALL))
    inputs = inputs_of(ALL, 0)
    seen = {name: inputs[name] for name in ("history", "known", "past")}
    assert forecaster.out_of_bounds(**seen) == ()
    seen["history"][3] = 2000.5
    seen["known"][0][1] = -1001.0
    least = np.float32(min(seen["history"]))
    strongest = np.float32(max(row[1] for row in seen["known"]))
    assert forecaster.out_of_bounds(**seen) == (
        f"history: {least} to 2000.5, in training -1000.0 to 1000.0",
        f"wind: -1001.0 to {strongest}, in training -1000.0 to 1000.0",
    )
    assert forecaster.forecast(**inputs).point.shape == (HORIZON,)
    assert len(forecaster.out_of_bounds(seen["history"])) == 1


def test_a_session_uses_one_thread_that_does_not_spin(make_bundle: MakeBundle) -> None:
    session = quiet_session((make_bundle() / "model.onnx").read_bytes())
    options = session.get_session_options()
    assert options.intra_op_num_threads == 1
    assert options.inter_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert options.get_session_config_entry("session.inter_op.allow_spinning") == "0"
    assert session.get_providers() == ["CPUExecutionProvider"]


def test_a_failure_inside_the_graph_is_a_forecast_error(make_bundle: MakeBundle) -> None:
    def promise_too_much(manifest: dict[str, Any]) -> None:
        manifest["origins"]["valid_until"] = "2034-01-01T00:00:00Z"

    forecaster = load(make_bundle(["origin"], edit=promise_too_much))
    with pytest.raises(ForecastError, match=r"the model failed: .*Gather"):
        forecaster.forecast(None, ORIGIN + 365 * DAY)  # beyond the last entry of the table
