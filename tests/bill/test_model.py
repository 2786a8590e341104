"""What a bill reads of the committed bundle."""

import json
import shutil
from pathlib import Path

import pytest

from frugal_ai.bill.model import read_model
from frugal_ai.errors import CostError

BUNDLE = next((Path(__file__).parents[2] / "models" / "load").glob("load-*"))
COSTS = json.loads((BUNDLE / "manifest.json").read_text())["costs"]


def test_figures_are_those_of_the_manifest() -> None:
    model = read_model(BUNDLE)
    assert model.name == "basis_ridge-mlp_8_features_int8_weights"
    assert model.run["training"].kwh == pytest.approx(COSTS["training_energy_wh"] / 1000)
    grams = model.run["distillation"].kwh * COSTS["intensity_g_per_kwh"]
    assert grams == pytest.approx(COSTS["compression_co2e_g"])
    assert model.cpu_s == pytest.approx(COSTS["cpu_us_per_forecast"] * 1e-6)
    assert model.bundle_bytes == sum(file.stat().st_size for file in BUNDLE.iterdir())
    assert (model.country, model.pue, model.power_spread) == ("FRA", 1.0, 2.5)
    assert model.pays_after == COSTS["compression_pays_after_forecasts"]


def changed(folder: Path, **costs: object) -> Path:
    """Copy the bundle with other costs; ... leaves one out."""
    shutil.copytree(BUNDLE, folder / "bundle")
    file = folder / "bundle" / "manifest.json"
    manifest = json.loads(file.read_text())
    merged = manifest["costs"] | costs
    manifest["costs"] = {name: value for name, value in merged.items() if value is not ...}
    file.write_text(json.dumps(manifest))
    return folder / "bundle"


def test_missing_figure_is_named(tmp_path: Path) -> None:
    bundle = changed(tmp_path, training_energy_wh=...)
    with pytest.raises(CostError, match=r"manifest\.json: costs\.training_energy_wh: expected"):
        read_model(bundle)


def test_time_of_a_forecast_is_the_declared_one(tmp_path: Path) -> None:
    assert read_model(changed(tmp_path, cpu_us_per_forecast=7.0)).cpu_s == pytest.approx(7e-6)


def test_damaged_bundle_is_refused(tmp_path: Path) -> None:
    bundle = changed(tmp_path)
    (bundle / "model.onnx").write_bytes(b"else")
    with pytest.raises(CostError, match=r"model\.onnx"):
        read_model(bundle)
