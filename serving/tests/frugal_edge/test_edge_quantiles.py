import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frugal_edge.cli import main
from frugal_edge.errors import BundleError, ForecastError, GoldenError
from frugal_edge.forecast import Forecast, usable
from frugal_edge.manifest import Manifest
from frugal_edge.manifest_reader import read_manifest
from frugal_edge.runtime import Forecaster, load

MakeBundle = Callable[..., Path]
ManifestOf = Callable[..., dict[str, Any]]
InputsOf = Callable[[Sequence[str], int], dict[str, Any]]
STEPS, HORIZON, STEP = 96, 48, 1800
ORIGIN = 1_717_192_800
OFFSETS = {0.1: -2.5, 0.5: 0.25, 0.9: 4.0}
LEVELS = tuple(OFFSETS)


def read(content: object) -> Manifest:
    return read_manifest(json.dumps(content).encode())


def test_a_manifest_with_levels_is_read(manifest_of: ManifestOf) -> None:
    manifest = read(manifest_of(["history"], LEVELS))
    assert manifest.quantiles == LEVELS
    assert manifest.outputs["quantiles"].shape == (None, HORIZON, 3)


def without_levels(manifest: dict[str, Any]) -> None:
    manifest["quantiles"] = []


def without_output(manifest: dict[str, Any]) -> None:
    del manifest["outputs"][1]


def one_level_more(manifest: dict[str, Any]) -> None:
    manifest["quantiles"].append(0.95)


def a_third_output(manifest: dict[str, Any]) -> None:
    manifest["outputs"].append(manifest["outputs"][1] | {"name": "variance"})


def twice(manifest: dict[str, Any]) -> None:
    manifest["outputs"].append(manifest["outputs"][1])


def with_level(level: float) -> Callable[[dict[str, Any]], None]:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["quantiles"][1] = level

    return edit


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (without_levels, "outputs: expected outputs named 'forecast', each once, with no quantile"),
        (without_output, "outputs named 'forecast' and 'quantiles', each once, with 3 quantile"),
        (a_third_output, "outputs named 'forecast' and 'quantiles', each once, with 3 quantile"),
        (twice, "outputs named 'forecast' and 'quantiles', each once, with 3 quantile"),
        (one_level_more, r"shape: expected \(None, 48, 4\) for quantiles, got \(None, 48, 3\)"),
        (with_level(0.1), "quantiles: expected rising levels between 0 and 1"),
        (with_level(0.95), "quantiles: expected rising levels between 0 and 1"),
        (with_level(1.0), "quantiles: expected rising levels between 0 and 1"),
    ],
)
def test_levels_and_outputs_must_fit(
    manifest_of: ManifestOf, edit: Callable[[dict[str, Any]], None], said: str
) -> None:
    document = manifest_of(["history"], LEVELS)
    edit(document)
    with pytest.raises(BundleError, match=said):
        read(document)


def test_a_forecast_has_its_quantiles(make_bundle: MakeBundle, inputs_of: InputsOf) -> None:
    forecaster = load(make_bundle(offsets=OFFSETS))
    found = forecaster.forecast(**inputs_of(("history", "origin"), 1))
    assert found.quantiles.shape == (HORIZON, 3)
    assert found.quantiles.dtype == np.float32
    expected = found.point[:, None] + np.array([*OFFSETS.values()], np.float32)
    np.testing.assert_allclose(found.quantiles, expected, rtol=1e-6)


def test_a_model_without_levels_has_none(make_bundle: MakeBundle, inputs_of: InputsOf) -> None:
    found = load(make_bundle()).forecast(**inputs_of(("history", "origin"), 1))
    assert found.quantiles.shape == (HORIZON, 0)


def test_quantiles_are_replayed_too(make_bundle: MakeBundle) -> None:
    def spoil(golden: dict[str, Any]) -> None:
        golden["cases"][2]["outputs"]["quantiles"][7][1] += 0.01

    with pytest.raises(GoldenError, match=r"case 2, quantiles, step 7: expected [\d.]+ within"):
        load(make_bundle(offsets=OFFSETS, edit_golden=spoil))


def test_a_golden_quantile_that_is_no_number_is_named(make_bundle: MakeBundle) -> None:
    def spoil(golden: dict[str, Any]) -> None:
        golden["cases"][0]["outputs"]["quantiles"][7][1] = 1e60

    said = r"golden\.json: cases\[0\].*quantiles: expected finite float32 .* at step 7, Q = 1"
    with pytest.raises(BundleError, match=said):
        load(make_bundle(offsets=OFFSETS, edit_golden=spoil))


def test_quantiles_that_cross_are_refused(make_bundle: MakeBundle, inputs_of: InputsOf) -> None:
    forecaster = load(make_bundle(offsets={0.1: 1.0, 0.9: -1.0}))
    said = r"quantiles that cross for step 0 of the horizon: [\d.]+ at level 0.1, [\d.]+ at 0.9"
    with pytest.raises(ForecastError, match=said):
        forecaster.forecast(**inputs_of(("history", "origin"), 0))


def outputs(**changes: float) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    quantiles = np.tile(np.array([1, 2, 3], np.float32), (4, 1))
    for place, value in changes.items():
        step, level = map(int, re.findall(r"\d", place))
        quantiles[step, level] = value
    return {"forecast": np.full(4, 2, np.float32), "quantiles": quantiles}


@pytest.fixture
def manifest(manifest_of: ManifestOf) -> Manifest:
    return read(manifest_of(["history"], LEVELS))


def test_equal_quantiles_do_not_cross(manifest: Manifest) -> None:
    found = usable(manifest, outputs(at_2_1=3.0, at_3_0=2.0))
    assert isinstance(found, Forecast)


def test_no_zero_has_a_sign(manifest: Manifest) -> None:
    found = usable(manifest, outputs(at_0_0=-0.0) | {"forecast": np.full(4, -0.0, np.float32)})
    assert not np.signbit(found.point).any()
    assert not np.signbit(found.quantiles).any()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_quantiles_that_are_not_finite_are_refused(manifest: Manifest, value: float) -> None:
    said = rf"the model gave {value} at level 0.9 for step 1 of the horizon"
    with pytest.raises(ForecastError, match=said):
        usable(manifest, outputs(at_1_2=value))


@pytest.fixture
def files(make_bundle: MakeBundle, write_csv: Callable[..., Path]) -> list[str]:
    folder = make_bundle(offsets=OFFSETS)
    start, rising = ORIGIN - STEPS * STEP, [float(i) for i in range(STEPS)]
    history = write_csv("history.csv", start, {"value": rising})
    return ["forecast", str(folder), "--history", str(history)]


def test_csv_has_a_column_for_each_level(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(files) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    # those who read the first six columns find them where they were
    names = ["series_id", "timestamp", "value", "unit", "quality", "model", "q0.1", "q0.5", "q0.9"]
    assert list(rows[0]) == names
    assert len(rows) == HORIZON
    for row in rows:
        value = float(row["value"])
        found = [float(row[f"q{level!r}"]) for level in LEVELS]
        np.testing.assert_allclose(found, [value + add for add in OFFSETS.values()], rtol=1e-6)


def test_json_has_a_number_for_each_level(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*files, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["quantiles"] == list(LEVELS)
    first = answer["forecast"][0]
    assert list(first) == ["timestamp", "value", "q0.1", "q0.5", "q0.9"]
    assert first["q0.9"] == pytest.approx(first["value"] + 4.0)


def test_info_names_the_levels(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", files[1]]) == 0
    assert re.search(r"^quantiles +0\.1, 0\.5, 0\.9$", capsys.readouterr().out, re.MULTILINE)


def test_the_self_test_counts_both_outputs(make_bundle: MakeBundle) -> None:
    from frugal_edge.bundle import open_bundle

    cases, largest = Forecaster(open_bundle(make_bundle(offsets=OFFSETS))).self_test()
    assert cases == 3
    assert largest <= 1e-3
