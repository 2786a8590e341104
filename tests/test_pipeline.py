from collections.abc import Callable
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from frugal_ai.errors import PipelineError
from frugal_ai.pipeline import Covariates, read_pipeline

ROOT = Path(__file__).parents[1]
FILES = sorted(
    file
    for file in [*ROOT.glob("pipelines/**/*.yaml"), *ROOT.glob("benchmarks/tasks/*.yaml")]
    if file.parent.name not in {"fleets", "uses"}
)

Edit = Callable[[dict[str, Any]], Any]


def declared() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "pipelines/load.yaml").read_text())
    return content


def written(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / "p.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_committed_pipeline_is_valid(path: Path) -> None:
    pipeline = read_pipeline(path)
    assert pipeline.steps * pipeline.step == pipeline.horizon
    assert pipeline.name == path.stem


def test_what_is_declared_is_read() -> None:
    pipeline = read_pipeline(ROOT / "pipelines/load.yaml")
    assert (pipeline.step_s, pipeline.steps) == (1800, 48)
    assert pipeline.periods.test.at == (time(0),)
    assert pipeline.quality.max_gap == timedelta(hours=2)
    assert [rung.name for rung in pipeline.rungs[:3]] == [
        "persistence",
        "seasonal_naive_1d",
        "seasonal_naive_7d",
    ]


def drop(*keys: str) -> Edit:
    return lambda content: [content.pop(key) for key in keys]


def put(**values: Any) -> Edit:
    return lambda content: content.update(values)


def inside(section: str, **values: Any) -> Edit:
    return lambda content: content[section].update(values)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (put(horizn="1d"), r"horizn: unknown key"),
        (drop("unit"), r"unit: expected, but it is missing"),
        (put(step="half an hour"), r"step: expected a duration .* got 'half an hour'"),
        (put(step=30), r"step: expected a duration .* got 30"),
        (put(horizon="50min"), r"horizon: expected a multiple of the step \(30min\), got 50min"),
        (put(step="0d"), r"step: expected more than 0s"),
        (put(kind="gas"), r"kind: Input should be 'load', 'pv', 'wind' or 'intensity', got 'gas'"),
        (put(counts={"kind": "average"}), r"counts.basis: expected, but it is missing"),
        (
            put(counts={"kind": "average", "basis": "direct", "scope": "production"}),
            r"counts: expected a target of kind intensity, got load",
        ),
        (put(seed="x"), r"seed: Input should be a valid integer.*got 'x'"),
        (put(series=[]), r"series: .*at least 1 item"),
        (put(source={"name": "ftp"}), r"source.name: expected one of .*sample, got 'ftp'"),
        (put(source=3), r"source: expected a name or a mapping with the key name, got 3"),
        (put(source={"name": "file", "path": "x", "paht": 1}), r"source.paht: .*no such key"),
        (put(rungs=["ridge", "gru"]), r"rungs\[1\]: rung: expected one of .*got 'gru'"),
        (put(rungs=["ridge", "ridge"]), r"rungs: expected distinct names .*got ridge twice"),
        (put(rungs=[{"rung": "ridge", "alfa": 1}]), r"rungs\[0\].alfa: unknown key"),
        (put(rungs=[{"rung": "boosting", "trees": -3}]), r"rungs\[0\].trees: .*got -3"),
        (put(cost={"country": "FRA", "pue": 0.5}), r"cost.pue: .*greater than or equal to 1.*0.5"),
        (put(metrics={"nmae": "capacity"}), r"metrics: expected a capacity if and only if"),
        (
            put(metrics={"nmae": "capacity", "capacity": 0}),
            r"metrics.capacity: Input should be greater than 0, got 0$",
        ),
        (
            put(recipe={"features": [{"feature": "sun", "places": [{"longitude": 4.85}]}]}),
            r"recipe.features\[0\].sun.places\[0\].latitude: expected, but it is missing$",
        ),
        (
            put(covariates={"known": ["temperature"], "assume": "good"}),
            r"covariates.assume: Input should be 'perfect', got 'good'$",
        ),
        (
            put(covariates={"known": ["temperature"], "certain": ["price"]}),
            r"covariates.certain: expected names that are under known, too, got 'price'$",
        ),
        (inside("periods", train="soon"), r"periods.train.*got 'soon'"),
        (
            inside("periods", validation={"first": "2024-01-01", "last": "2024-02-01"}),
            r"validation origins before the first test origin \(2024-01-01\), got .*2024-02-01",
        ),
        (
            put(recipe={"features": [{"feature": "lags", "at": ["1d"]}]}),
            r"recipe.features\[0\]: .*'lags'.* does not match any of the expected tags",
        ),
        (
            put(recipe={"features": [{"feature": "lag", "at": ["1d"], "on": 1}]}),
            r"recipe.features\[0\].lag.on: unknown key",
        ),
        (
            put(horizon="7d"),
            r"targets of the last validation origin before the first test origin, got .* 7d",
        ),
        (put(name="my load"), r"name: String should match pattern"),
        (put(series=["a/b"]), r"series\[0\]: String should match pattern"),
        (
            inside(
                "periods", validation={"first": "2023-07-01", "last": "2023-07-30", "at": ["06:00"]}
            ),
            r"the same local times \(at\) for validation and test",
        ),
        (
            put(quantiles=[0.1, 1.0]),
            r"quantiles: expected levels between 0 and 1, got \[0.1, 1.0\]",
        ),
        (put(quantiles=[0.0, 0.5]), r"quantiles: expected levels between 0 and 1, got"),
        (put(quantiles=[-0.1]), r"quantiles: expected levels between 0 and 1, got"),
        (put(quantiles=[float("nan")]), r"quantiles\[0\]: .*finite number, got nan"),
        (put(quantiles=[0.9, 0.1]), r"quantiles: expected ascending levels, each once, got"),
        (put(quantiles=[0.1, 0.1]), r"quantiles: expected ascending levels, each once, got"),
        (put(quantiles=["low"]), r"quantiles\[0\]: .*valid number.*got 'low'"),
        (put(quantiles=0.5), r"quantiles: .*valid tuple, got 0.5"),
        (put(quality={"max_gap": "a day"}), r"quality.max_gap: expected a duration"),
        (put(selection={"budget": {"bytes": 1}, "price": 2}), r"a budget or a price, got both"),
    ],
)
def test_what_is_wrong_is_said_with_file_key_expected_and_given(
    tmp_path: Path, edit: Edit, said: str
) -> None:
    content = declared()
    edit(content)
    path = written(tmp_path, content)
    with pytest.raises(PipelineError, match=rf"p\.yaml: .*{said}") as caught:
        read_pipeline(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected keys and values, got NoneType"),
        ("- a\n- b", "expected keys and values, got list"),
        ("name: [", "expected YAML: .* line 1"),
        ("name: a\nname: b\n", "expected YAML: .*'name' stands twice.* line 1"),
        ("name: a\nperiods: {train: 1, train: 2}\n", "'train' stands twice.* line 2"),
    ],
)
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(PipelineError, match=said):
        read_pipeline(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"no\.yaml: cannot be read: No such file"):
        read_pipeline(tmp_path / "no.yaml")
    with pytest.raises(PipelineError, match="cannot be read: Is a directory"):
        read_pipeline(tmp_path)
    (tmp_path / "b.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(PipelineError, match="expected UTF-8"):
        read_pipeline(tmp_path / "b.yaml")


@pytest.mark.parametrize("levels", [[], [0.5], [0.05, 0.25, 0.5]])
def test_quantile_levels_are_read(tmp_path: Path, levels: list[float]) -> None:
    content = declared()
    content["quantiles"] = levels
    assert list(read_pipeline(written(tmp_path, content)).quantiles) == levels


def test_an_interval_of_80_percent_is_the_default(tmp_path: Path) -> None:
    assert read_pipeline(written(tmp_path, declared())).quantiles == (0.1, 0.5, 0.9)


@pytest.mark.parametrize(
    ("certain", "vintages", "unproven", "weather"),
    [
        ((), (), ("temp", "price"), "perfect"),
        (("price",), (), ("temp",), "perfect"),
        (("price",), ("temp",), (), "as_known"),
        ((), ("temp",), ("price",), "perfect"),
        ((), ("temp", "price"), (), "as_known"),
        (("temp", "price"), (), (), "none"),
    ],
)
def test_how_known_covariates_were_known(
    certain: tuple[str, ...], vintages: tuple[str, ...], unproven: tuple[str, ...], weather: str
) -> None:
    covariates = Covariates(known=("temp", "price"), certain=certain)
    assert covariates.unproven(vintages) == unproven
    assert covariates.weather(vintages) == weather
    assert Covariates(past=("temp",)).weather(vintages) == "none"
