"""What a run is scored on has a digest of its own, beside that of all its data."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import yaml

from frugal_ai.outcome import _targets_digest
from frugal_ai.pipeline import read_pipeline
from frugal_ai.prepare import Prepared, prepare


@pytest.fixture(scope="module")
def ready(small_settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    path = tmp_path_factory.mktemp("digest") / "small.yaml"
    path.write_text(yaml.safe_dump(small_settings | {"series": ["feeder_load", "feeder_wind"]}))
    return prepare(read_pipeline(path), path.parent, {}, lambda _: None)


def digests(ready: Prepared) -> tuple[str, str]:
    """Of all data, and of what is scored."""
    return ready.panel.digest(), _targets_digest(ready)


def changed(ready: Prepared, name: str, at: int, value: float = 99.0) -> Prepared:
    """Data with one other number at an instant [unix s]."""
    array = getattr(ready.panel, name).copy()
    array[0, ready.panel.index(at)] = value
    panel = replace(ready.panel, **{name: array})
    return replace(ready, panel=panel, series=tuple(replace(s, panel=panel) for s in ready.series))


def test_the_targets_digest_stands_for_test_origins_and_what_came_after_them(
    ready: Prepared,
) -> None:
    split = ready.split
    first, last = int(split.test[0]), int(split.test[-1])
    data, targets = digests(ready)
    assert digests(ready) == (data, targets)
    # the first and the last target
    for at in (first, last + 47 * 1800):
        other = digests(changed(ready, "values", at))
        assert other[0] != data
        assert other[1] != targets
    assert digests(changed(ready, "values", first, np.nan))[1] != targets
    # training and validation data, and covariates, are not what is scored
    for at in (ready.panel.start, int(split.validation[3]), first - 1800):
        other = digests(changed(ready, "values", at))
        assert other[0] != data
        assert other[1] == targets
    assert digests(changed(ready, "known", first))[1] == targets
    filled = tuple(replace(s, filled=s.filled + 1) for s in ready.series)
    assert digests(replace(ready, series=filled)) == (data, targets)
    # other origins, and other series
    for origins in (split.test[1:], split.test[:-1], split.test - 1800):
        shifted = replace(ready, split=replace(split, test=origins))
        assert digests(shifted)[1] != targets
        assert digests(shifted)[0] == data
    assert digests(replace(ready, series=ready.series[:1]))[1] != targets
    assert digests(replace(ready, split=replace(split, validation=split.validation[1:])))[1] == (
        targets
    )


def test_equal_targets_of_other_origins_are_other_targets(ready: Prepared) -> None:
    panel = replace(ready.panel, values=np.ones_like(ready.panel.values))
    flat = replace(ready, panel=panel, series=tuple(replace(s, panel=panel) for s in ready.series))
    moved = replace(flat, split=replace(flat.split, test=flat.split.test - 1800))
    assert digests(moved)[1] != digests(flat)[1]
