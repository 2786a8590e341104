from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.leaderboard.labels import Box, Label, place

FRAME = Box(0, 0, 500, 300)


def test_a_lonely_label_stands_beside_its_point() -> None:
    (box,) = place([Label(100, 100, 60, 10)], [], FRAME)
    assert box == Box(110, 95, 170, 105)


def test_a_label_at_the_right_edge_goes_to_the_left() -> None:
    (box,) = place([Label(480, 100, 60, 10)], [], FRAME)
    assert box.right < 480


def test_an_obstacle_is_not_covered() -> None:
    wall = Box(105, 90, 400, 110)
    (box,) = place([Label(100, 100, 60, 10)], [wall], FRAME)
    assert box.overlap(wall) == 0


def test_points_on_top_of_each_other_get_names_apart() -> None:
    labels = [Label(200, 150, 90, 10 + index * 1e-6) for index in range(8)]
    boxes = place(labels, [], FRAME)
    overlaps = [one.overlap(two) for i, one in enumerate(boxes) for two in boxes[:i]]
    assert max(overlaps) < 1


points = st.lists(
    st.tuples(st.integers(0, 500), st.integers(0, 300)), min_size=1, max_size=6, unique=True
)


@given(points)
def test_names_stay_in_the_frame_and_apart(found: list[tuple[int, int]]) -> None:
    boxes = place([Label(x, y, 80, 10) for x, y in found], [], FRAME)
    for index, box in enumerate(boxes):
        assert box.overlap(FRAME) > 0.999 * 800
        assert all(box.overlap(other) < 1 for other in boxes[:index])


def test_boxes_know_their_distance() -> None:
    box = Box(0, 0, 10, 10)
    assert box.gap(5, 5) == 0
    assert box.gap(13, 14) == 5
    assert box.nearest(13, 5) == (10, 5)
    assert box.overlap(Box(20, 20, 30, 30)) == 0
    assert box.overlap(Box(5, 5, 30, 30)) == 25
