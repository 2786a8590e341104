import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from frugal_edge.clock import find_zone, format_time, parse_time
from frugal_edge.errors import BundleError, InputError
from frugal_edge.manifest import Manifest
from frugal_edge.manifest_reader import read_manifest
from frugal_edge.origin import check_origin
from hypothesis import given
from hypothesis import strategies as st

ManifestOf = Callable[[Sequence[str]], dict[str, Any]]
PARIS = ZoneInfo("Europe/Paris")
FIRST, LAST = parse_time("2024-01-01T00:00:00Z"), parse_time("2024-12-31T00:00:00Z")


@pytest.fixture
def manifest(manifest_of: ManifestOf) -> Manifest:
    return read_manifest(json.dumps(manifest_of(["history"])).encode())


@pytest.fixture
def any_time(manifest_of: ManifestOf) -> Manifest:
    document = manifest_of(["history"])
    document["origins"]["local_time"] = []
    return read_manifest(json.dumps(document).encode())


def test_local_midnights_and_no_other_times_pass_through_a_year(manifest: Manifest) -> None:
    days = (datetime(2024, 1, 2, tzinfo=PARIS) + timedelta(days=n) for n in range(365))
    midnights = {int(day.timestamp()) for day in days}
    for origin in range(FIRST, LAST, 1800):
        if origin in midnights:
            assert check_origin(manifest, origin) == origin
        else:
            with pytest.raises(InputError, match="was trained for origins at 00:00"):
                check_origin(manifest, origin)


@pytest.mark.parametrize(
    ("origin", "clock", "before"),
    [
        ("2024-03-31T23:00:00Z", "01:00", "2024-03-31T22:00:00Z"),  # summer time since the morning
        ("2024-10-27T22:00:00Z", "23:00", "2024-10-26T22:00:00Z"),  # winter time since the morning
    ],
)
def test_a_day_of_clock_change_is_told_in_local_time(
    manifest: Manifest, origin: str, clock: str, before: str
) -> None:
    said = f"{origin} is {clock} in Europe/Paris: .*; the last such origin before it is {before}"
    with pytest.raises(InputError, match=said):
        check_origin(manifest, parse_time(origin))


def test_origins_outside_the_calendar_tables_are_refused(any_time: Manifest) -> None:
    assert check_origin(any_time, FIRST) == FIRST
    assert check_origin(any_time, LAST) == LAST
    for origin in (FIRST - 1800, LAST + 1800, 0, -(10**18), 10**18):
        with pytest.raises(InputError, match="expected one from 2024-01-01T00:00:00Z to 2024-12"):
            check_origin(any_time, origin)


def test_an_origin_off_the_grid_is_refused(any_time: Manifest) -> None:
    with pytest.raises(InputError, match="a whole number of steps of 1800 s"):
        check_origin(any_time, FIRST + 900)


@pytest.mark.parametrize("origin", [1.5, "2024-06-01", None, np.zeros(2)])
def test_an_origin_that_is_no_whole_number_is_refused(any_time: Manifest, origin: object) -> None:
    with pytest.raises(InputError, match="expected whole Unix seconds"):
        check_origin(any_time, origin)


def test_a_numpy_integer_is_an_origin(any_time: Manifest) -> None:
    assert check_origin(any_time, np.int64(FIRST)) == FIRST


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "Europe", "\ud800"])
def test_a_time_zone_that_this_machine_lacks_is_a_bundle_error(name: str) -> None:
    with pytest.raises(BundleError, match=r"timezone: .*install the Python package tzdata"):
        find_zone(name)


@given(st.integers(-(10**10), 10**11))
def test_a_written_time_reads_back(time: int) -> None:
    assert parse_time(format_time(time)) == time


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2024-06-01T00:00:00", "an offset from UTC or Z"),
        ("2024-06-01", "an offset from UTC or Z"),
        ("2024-06-01T00:00:00.5Z", "a whole second"),
        ("01/06/2024 00:00", "an ISO 8601 time"),
        ("", "an ISO 8601 time"),
    ],
)
def test_a_time_that_is_not_clear_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_time(text)


def test_an_offset_is_heeded() -> None:
    assert parse_time("2024-06-01T00:00+02:00") == parse_time("2024-05-31T22:00:00Z")


@given(st.text())
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    try:
        assert isinstance(parse_time(text), int)
    except ValueError as error:
        assert "expected" in str(error)  # noqa: PT017  # other errors must pass through
