import json
import zlib

import numpy as np
import pytest
from frugal_edge.errors import InputError
from frugal_edge.gateway.issued import Issued
from frugal_edge.mqtt.payload import packed, unpacked
from frugal_edge.quality import Quality
from hypothesis import given
from hypothesis import strategies as st


def body() -> bytes:
    level = 10 + 5 * np.sin(np.arange(48) / 48 * 2 * np.pi)
    return Issued(
        series_id="feeder",
        unit="MW",
        step_s=1800,
        horizon=48,
        origin=1_717_192_800,
        issued_at=1_717_192_860,
        quality=Quality.MODEL,
        model="load-ridge-0123456789ab",
        values=level.round(3).astype(np.float32),
        levels=(0.1, 0.5, 0.9),
        quantiles=np.stack([level - 1, level, level + 1], axis=1).round(3).astype(np.float32),
    ).as_json()


@pytest.mark.parametrize("deflate", [False, True])
def test_a_forecast_comes_back_whole(deflate: bool) -> None:
    assert unpacked(packed(body(), deflate=deflate)) == json.loads(body())


def test_deflated_is_smaller_and_plain_zlib() -> None:
    small = packed(body(), deflate=True)
    assert len(small) < len(body()) / 2
    assert zlib.decompress(small) == body()


@given(st.binary())
def test_nothing_that_comes_crashes(payload: bytes) -> None:
    try:
        unpacked(payload)
    except InputError as error:
        assert str(error).startswith("forecast: ")  # noqa: PT017 - most of them do not raise
    else:
        assert payload


@pytest.mark.parametrize(
    "payload", [zlib.compress(b" " * (1 << 24) + b"{}"), zlib.compress(body())[:-9], b""]
)
def test_bombs_and_torn_messages_are_refused(payload: bytes) -> None:
    with pytest.raises(InputError, match=r"cut off|larger than"):
        unpacked(payload)
