"""Where a target is, how much it can be, what follows for a pipeline that says no more."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from frugal_ai.errors import PipelineError
from frugal_ai.features.blocks.sun import Place
from frugal_ai.pipeline import Pipeline, read_pipeline
from frugal_ai.site import Site

LYON: dict[str, Any] = {"latitude": 45.75, "longitude": 4.85}


@pytest.fixture
def bare(small_settings: dict[str, Any], tmp_path: Path) -> Callable[..., Pipeline]:
    """Read the small pipeline without recipe and rungs, with some sections replaced."""

    def read(**changes: Any) -> Pipeline:
        kept = {k: v for k, v in small_settings.items() if k not in {"recipe", "rungs"}}
        path = tmp_path / "small.yaml"
        path.write_text(yaml.safe_dump(kept | changes))
        return read_pipeline(path)

    return read


def test_places_are_read() -> None:
    one = Site.model_validate({"places": [LYON]})
    assert one.sunlit == (Place(latitude=45.75, longitude=4.85),)
    assert Site.model_validate({"places": "static"}).sunlit == "static"
    assert Site.model_validate({"places": "unknown"}).sunlit is None
    assert Site().sunlit is None


def test_daylight_is_told_from_the_places() -> None:
    midnight = 1_704_067_200 + 86400 * np.arange(366)  # of UTC
    lyon = Site.model_validate({"places": [LYON]})
    assert not lyon.daylight_at(midnight)
    assert lyon.daylight_at(midnight + 12 * 3600)
    assert lyon.daylight_at(midnight + 4 * 3600), "in summer"
    assert Site(places="unknown").daylight_at(midnight)
    assert not Site(places="static").daylight_at(midnight + 12 * 3600)


@pytest.mark.parametrize(
    "site",
    [
        {"places": []},
        {"places": "here"},
        {"places": [{"latitude": 91, "longitude": 0}]},
        {"capacity": 0},
        {"capacity": -3.0},
        {"place": [LYON]},
    ],
)
def test_a_wrong_site_is_refused(site: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Site.model_validate(site)


def test_pv_without_a_place_is_refused(bare: Callable[..., Pipeline]) -> None:
    said = (
        r"small\.yaml: .*site\.places: expected latitude and longitude for a target of kind pv "
        r"\(or static, or unknown\), but it is missing"
    )
    with pytest.raises(PipelineError, match=said) as caught:
        bare(kind="pv")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("places", ["static", "unknown", [LYON]])
def test_pv_with_a_place_has_a_recipe(bare: Callable[..., Pipeline], places: Any) -> None:
    pipeline = bare(kind="pv", site={"places": places})
    names = {block.model_dump()["feature"] for block in pipeline.features.features}
    assert ("sun" in names) == (places != "unknown")
    assert pipeline.limits.minimum == 0


def test_a_pipeline_with_a_recipe_of_its_own_keeps_it(
    bare: Callable[..., Pipeline], small_settings: dict[str, Any]
) -> None:
    own = bare(kind="pv", recipe=small_settings["recipe"]).features
    assert [block.model_dump()["feature"] for block in own.features] == [
        "lag",
        "rolling",
        "fourier",
        "known",
    ]


@pytest.mark.parametrize(("kind", "minimum"), [("load", None), ("pv", 0.0), ("wind", 0.0)])
def test_production_is_never_below_zero_unless_said(
    bare: Callable[..., Pipeline], kind: str, minimum: float | None
) -> None:
    site = {"places": "unknown"}
    assert bare(kind=kind, site=site).limits.minimum == minimum
    assert bare(kind=kind, site=site, limits={"minimum": -1}).limits.minimum == -1


def test_a_capacity_that_is_a_number_is_a_limit(bare: Callable[..., Pipeline]) -> None:
    site = {"capacity": 7.5}
    limits = bare(kind="wind", site=site).limits
    assert (limits.minimum, limits.maximum) == (0.0, 7.5)
    assert bare(kind="wind", site=site, limits={"maximum": 9}).limits.maximum == 9


def test_a_capacity_that_is_no_covariate_is_refused(bare: Callable[..., Pipeline]) -> None:
    said = (
        r"site\.capacity: expected a number or a known covariate \(temperature, wind_speed\), "
        r"got 'installed'"
    )
    with pytest.raises(PipelineError, match=said):
        bare(kind="wind", site={"capacity": "installed"})


def test_a_capacity_is_no_weather(bare: Callable[..., Pipeline]) -> None:
    pipeline = bare(kind="wind", site={"capacity": "temperature"})
    text = str([block.model_dump() for block in pipeline.features.features])
    assert "'temperature'" not in text
    assert "'wind_speed'" in text


def test_quantities_override_what_names_say(bare: Callable[..., Pipeline]) -> None:
    known = {"known": ["temperature", "wind_speed", "x1"], "assume": "perfect"}
    guessed = bare(kind="wind", covariates=known)
    told = bare(kind="wind", covariates=known | {"quantities": {"x1": "wind_speed"}})
    other = {"temperature": "wind_speed", "wind_speed": "humidity"}
    turned = bare(kind="wind", covariates=known | {"quantities": other})

    def main(pipeline: Pipeline) -> str:
        splines = [b for b in pipeline.features.basis if b.model_dump()["feature"] == "spline"]
        return str(splines[0].model_dump()["of"]["names"][0])

    assert (main(guessed), main(told), main(turned)) == ("wind_speed", "x1", "temperature")


def test_a_wrong_quantity_is_refused(bare: Callable[..., Pipeline]) -> None:
    known = {"known": ["temperature"], "assume": "perfect", "quantities": {"temperature": "heat"}}
    with pytest.raises(PipelineError, match=r"covariates\.quantities\.temperature: .*got 'heat'"):
        bare(covariates=known)


@pytest.mark.parametrize("kind", ["load", "pv", "wind"])
def test_each_kind_has_a_ladder_from_naive_to_boosting(
    bare: Callable[..., Pipeline], kind: str
) -> None:
    rungs = bare(kind=kind, site={"places": "unknown"}).rungs
    families = [rung.family for rung in rungs]
    order = ["naive", "linear", "boosting"]
    assert families == sorted(families, key=order.index)
    assert set(families) == set(order)
    assert all(rung.scope == "series" for rung in rungs)


def test_several_series_try_one_model_for_all(bare: Callable[..., Pipeline]) -> None:
    rungs = bare(kind="wind", series=["a", "b"]).rungs
    assert [rung.name for rung in rungs if rung.scope == "panel"] == ["boosting_panel"]
