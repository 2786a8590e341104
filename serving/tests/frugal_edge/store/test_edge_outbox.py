from collections import deque
from collections.abc import Callable
from pathlib import Path

from frugal_edge.store.database import Database
from frugal_edge.store.outbox import Message, Outbox
from hypothesis import given, settings
from hypothesis import strategies as st

MOST_MESSAGES, MOST_BYTES = 5, 40
messages = st.builds(Message, st.text("aé/", max_size=6), st.binary(max_size=20), st.booleans())
steps = st.one_of(
    st.tuples(st.just("put"), st.lists(messages, max_size=4)),
    st.tuples(st.just("send"), st.integers(1, 4)),
)


def size(message: Message) -> int:
    return len(message.topic.encode()) + len(message.payload)


@settings(deadline=None)  # it writes to disk
@given(st.lists(steps, max_size=12))
def test_the_outbox_is_a_queue_with_two_bounds(
    open_database: Callable[[], Database], asked: list[tuple[str, object]]
) -> None:
    outbox = Outbox(open_database(), MOST_MESSAGES, MOST_BYTES)
    oracle: deque[Message] = deque()
    for what, argument in asked:
        if isinstance(argument, list):
            oracle.extend(argument)
            dropped = 0
            while len(oracle) > MOST_MESSAGES or sum(map(size, oracle)) > MOST_BYTES:
                oracle.popleft()
                dropped += 1
            assert outbox.put(argument, 0) == dropped
        elif isinstance(argument, int):
            for one in outbox.head(argument):
                outbox.done(one)
                expected = oracle.popleft()
                assert (one.topic, one.payload, one.retain) == (
                    expected.topic, expected.payload, expected.retain,
                )  # fmt: skip
        assert outbox.size() == len(oracle), what
    assert [one.payload for one in outbox.head()] == [one.payload for one in oracle]


def test_what_waits_outlives_the_process_and_keeps_its_order(tmp_path: Path) -> None:
    first = Database(tmp_path)
    Outbox(first, 10, 1000).put([Message("t", b"1"), Message("t", b"2")], 0)
    first.close()
    again = Database(tmp_path)
    outbox = Outbox(again, 10, 1000)
    outbox.done(outbox.head(1)[0])
    outbox.put([Message("t", b"3")], 1)
    assert [one.payload for one in outbox.head()] == [b"2", b"3"]
    again.close()


def test_a_message_that_was_sent_before_the_crash_is_not_confused_with_a_new_one(
    tmp_path: Path,
) -> None:
    database = Database(tmp_path)
    outbox = Outbox(database, 10, 1000)
    outbox.put([Message("t", b"1")], 0)
    (sent,) = outbox.head()
    outbox.done(sent)
    outbox.put([Message("t", b"2")], 0)
    outbox.done(sent)  # told twice
    assert outbox.size() == 1
    database.close()
