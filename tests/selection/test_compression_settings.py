import pytest
from pydantic import ValidationError

from frugal_ai.selection.compression import Compression


def test_sizes_and_times_are_read_with_their_units() -> None:
    found = Compression.model_validate(
        {"max_bytes": "64kB", "max_latency": "0.1ms", "max_rss": "1.5 MB", "keep": 0.9}
    )
    assert (found.max_bytes, found.max_latency, found.max_rss) == (64_000, 100.0, 1_500_000)
    again = Compression.model_validate(found.model_dump())
    assert again == found


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("max_bytes", "64", "expected a size such as 64kB"),
        ("max_bytes", "64us", "expected a size such as 64kB"),
        ("max_bytes", True, "expected a size such as 64kB"),
        ("max_latency", "fast", "expected a time such as 100us"),
        ("max_bytes", 0, "greater than 0"),
        ("keep", 1.5, "less than or equal to 1"),
        ("keep", 0, "greater than 0"),
    ],
)
def test_what_is_no_quantity_is_refused(key: str, value: object, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Compression.model_validate({key: value})
