import pytest
from frugal_edge.errors import InputError
from frugal_edge.mqtt.topics import Topics, level
from hypothesis import given
from hypothesis import strategies as st

TOPICS = Topics("frugal", "gw")


@given(st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_any_series_is_one_level_and_comes_back(series_id: str) -> None:
    topic = TOPICS.readings(series_id)
    assert not set("+#/$\0") & set(level(series_id))
    assert topic.split("/") == ["frugal", "gw", level(series_id), "readings"]
    assert TOPICS.series_of(topic) == series_id


@pytest.mark.parametrize(
    "topic",
    [
        "frugal/gw/readings",
        "frugal/gw//readings",
        "frugal/other/feeder/readings",
        "frugal/gw/a/b/readings",
        "frugal/gw/%FF/readings",  # not UTF-8
        "frugal/gw/%61/readings",  # another spelling of a
        "frugal/gw/a/forecast",
    ],
)
def test_other_topics_are_refused(topic: str) -> None:
    with pytest.raises(InputError, match="expected frugal/gw/SERIES/readings"):
        TOPICS.series_of(topic)


def test_topics_of_different_things_differ() -> None:
    odd = ["status", "echo", "a", "a/b", "+", "#"]
    topics = [TOPICS.status, TOPICS.echo, TOPICS.all_readings]
    topics += [make(one) for one in odd for make in (TOPICS.readings, TOPICS.forecast)]
    assert len(set(topics)) == len(topics)
