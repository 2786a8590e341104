from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from frugal_ai.bill.bill import make_bill
from frugal_ai.bill.fleet import Fleet, read_fleet
from frugal_ai.bill.model import Model
from frugal_ai.cost.factors import Factors
from frugal_ai.errors import CostError

FLEETS = sorted((Path(__file__).parents[2] / "pipelines" / "fleets").glob("*.yaml"))


def written(folder: Path, settings: Any) -> Path:
    path = folder / "fleet.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


Fleets = Callable[..., Fleet]
Models = Callable[..., Model]


@pytest.mark.parametrize("path", FLEETS, ids=lambda path: path.stem)
def test_committed_fleets_give_a_bill(path: Path, factors: Factors, model_of: Models) -> None:
    bill = make_bill(read_fleet(path), model_of(), factors)
    assert bill.whole.gco2e > 0
    assert bill.sci.score_g > 0


def test_there_are_examples() -> None:
    assert {path.stem for path in FLEETS} == {"illustration", "marginal", "shared"}


def test_file_round_trip(
    tmp_path: Path, settings_of: Callable[..., dict[str, Any]], fleet_of: Fleets
) -> None:
    assert read_fleet(written(tmp_path, settings_of())) == fleet_of()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, "colour: unknown key"),
        ({"gateways__lifetime_years": 0}, r"gateways\[0\].lifetime_years: .*greater than 0"),
        ({"gateways__lifetime_years": -5}, r"gateways\[0\].lifetime_years: .*, got -5"),
        ({"gateways__lifetime_years": float("inf")}, "lifetime_years: .*finite"),
        ({"gateways__count": 0}, r"gateways\[0\].count"),
        ({"gateways__forecasts_per_day": 0}, "forecasts_per_day"),
        ({"gateways__power": 3}, r"gateways\[0\].power: unknown key"),
        ({"gateways__busy_w": 1}, r"busy_w: expected 2 W \(idle_w\) or more, got 1"),
        ({"gateways__idle_w": None}, "expected both idle_w and busy_w, or neither"),
        ({"gateways__lines": 2}, "lines"),
        ({"gateways__device": "cloud"}, "device: .*'box'.*, got 'cloud'"),
        ({"years": 0}, "years: .*greater than 0, got 0"),
        ({"allocation": {"rule": "share", "time": 2}}, "allocation.time"),
        ({"allocation": {"rule": "marginal", "time": 1}}, "no time with rule marginal"),
        ({"allocation": ...}, "allocation: expected, but"),
        ({"country": ...}, "country: expected, but"),
        ({"country": "XXX"}, "country: expected an ISO 3166-1 code.*got 'XXX'"),
        ({"country": "WLD"}, "country: expected an ISO 3166-1 code.*got 'WLD'"),
        ({"server__country": "ZZ"}, "server.country: expected an ISO.*got 'ZZ'"),
        ({"server__pue": 0.9}, "server.pue"),
        ({"retrain_every": "0d"}, "retrain_every: expected more than 0s"),
        ({"retrain_every": "often"}, "retrain_every: expected a duration such as"),
        ({"replicas": 0}, "replicas"),
        ({"network": "pigeon"}, "network"),
        ({"gateways": []}, "gateways"),
    ],
)
def test_bad_fleets_are_refused_with_file_and_key(
    changes: dict[str, Any],
    message: str,
    tmp_path: Path,
    settings_of: Callable[..., dict[str, Any]],
) -> None:
    path = written(tmp_path, settings_of(**changes))
    with pytest.raises(CostError, match=f"^{path}: .*{message}"):
        read_fleet(path)


def test_absent_and_repeated(tmp_path: Path) -> None:
    with pytest.raises(CostError, match="cannot be read"):
        read_fleet(tmp_path / "absent.yaml")
    with pytest.raises(CostError, match="expected keys and values, got list"):
        read_fleet(written(tmp_path, ["a"]))
    path = tmp_path / "twice.yaml"
    path.write_text("years: 5\nyears: 6\n")
    with pytest.raises(CostError, match="'years' stands twice"):
        read_fleet(path)


def test_pushes_follow_retraining_unless_said(fleet_of: Fleets) -> None:
    assert fleet_of().pushes_every == timedelta(days=30)
    assert fleet_of(push_every="1d").pushes_every == timedelta(days=1)
    assert fleet_of(push_every=None).pushes_every is None
    assert fleet_of(retrain_every=None).pushes_every is None


def test_either_code_is_the_same_country(
    factors: Factors, fleet_of: Fleets, model_of: Models
) -> None:
    two, three = (make_bill(fleet_of(country=code), model_of(), factors) for code in ("FR", "FRA"))
    assert two.whole == three.whole


def test_fleets_differ_in_their_digest(fleet_of: Fleets) -> None:
    assert fleet_of().digest == fleet_of().digest
    assert fleet_of().digest != fleet_of(years=6).digest
