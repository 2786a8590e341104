from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np

from frugal_ai.drawing import new_figure, style, to_png, to_svg

SVG = "{http://www.w3.org/2000/svg}"


def drawn(text: str = "") -> str:
    with style():
        figure = new_figure(4.0, 3.0)
        axes = figure.add_subplot()
        axes.plot([0, 1, 2], [0.123456, 1.234567, -2.345678])
        axes.set_title(text)
        return to_svg(figure, "A <title>", "What it shows & why.")


def test_title_and_description_are_there_for_those_who_do_not_see() -> None:
    root = ET.fromstring(drawn())  # noqa: S314 - drawn here
    assert [node.tag for node in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert [node.text for node in root][:2] == ["A <title>", "What it shows & why."]


def test_paths_are_short_and_where_they_were() -> None:
    root = ET.fromstring(drawn())  # noqa: S314 - drawn here
    (line,) = [
        node.attrib["d"]
        for group in root.iter(f"{SVG}g")
        if group.attrib.get("id", "").startswith("line2d")
        for node in group.findall(f"{SVG}path")
        if "1f77b4" in node.attrib.get("style", "")
    ]
    assert line.startswith("M")
    points = [[float(x) for x in part.split()] for part in line[1:].split("L")]
    assert len(points) == 3
    x, y = np.array(points).T
    np.testing.assert_allclose(np.diff(x), (x[2] - x[0]) / 2, atol=0.11)
    rise = (1.234567 - 0.123456) / (-2.345678 - 1.234567)
    np.testing.assert_allclose((y[1] - y[0]) / (y[2] - y[1]), rise, atol=2e-3)
    assert all(len(number.partition(".")[2]) <= 1 for part in points for number in map(str, part))


def test_what_looks_like_a_path_in_a_text_is_left_alone() -> None:
    odd = 'd="M 1.23456 L 2.34567" -0.123456'
    root = ET.fromstring(drawn(odd))  # noqa: S314 - drawn here
    assert odd in ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]


def test_a_users_style_stays_as_it_was() -> None:
    before = dict(mpl.rcParams)
    with style():
        assert mpl.rcParams["font.size"] == 9.0
    assert dict(mpl.rcParams) == before


def test_png_has_twice_the_pixels() -> None:
    with style():
        content = to_png(new_figure(4.0, 3.0), "title", "description")
    width, height = (int.from_bytes(content[at : at + 4]) for at in (16, 20))
    assert (width, height) == (4 * 144, 3 * 144)
    assert b"Software" not in content
