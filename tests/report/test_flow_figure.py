"""The participant flow as it is drawn: an arrow to every arm, and headings that stay headings."""

from __future__ import annotations

import pytest
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Rectangle

from whoworks.report.figures.chart import BLUE, WIDTH
from whoworks.report.figures.flow import PADDING, draw

TOP = [("Records received", ("1,200 rows",))]


def column(name):
    return [(name, ("assigned: 600 students",)), ("Analysed", ("570 students in 24 classes",))]


def boxes(drawing):
    """Return each box as its left edge, right edge and top, in parts of the drawing."""
    frames = [artist for artist in drawing.get_children() if isinstance(artist, Rectangle)]
    drawn = [frame for frame in frames if frame is not drawing.patch]
    return [(f.get_x(), f.get_x() + f.get_width(), f.get_y() + f.get_height()) for f in drawn]


def heads(drawing):
    """Return where each arrow ends."""
    arrows = [artist for artist in drawing.get_children() if isinstance(artist, FancyArrowPatch)]
    return [arrow._posA_posB[1] for arrow in arrows]


@pytest.mark.parametrize("n_arms", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("n_shared", [1, 2])
def test_an_arrow_ends_in_the_middle_of_every_box_but_the_first(n_arms, n_shared):
    drawing = draw(TOP * n_shared, [column(f"Arm {place}") for place in range(n_arms)])
    ends = heads(drawing)
    assert len(ends) == n_shared - 1 + 2 * n_arms
    for left, right, top in boxes(drawing)[1:]:
        assert sum(x == pytest.approx((left + right) / 2) and y == pytest.approx(top) for x, y in ends) == 1


def test_the_trunk_to_a_second_row_of_arms_runs_between_boxes():
    drawing = draw(TOP, [column(f"Arm {place}") for place in range(5)])
    lines = [artist.get_xdata() for artist in drawing.get_children() if isinstance(artist, Line2D)]
    upright = [ends[0] for ends in lines if ends[0] == ends[1]]
    first_row = boxes(drawing)[1:7]
    assert len(upright) == 2
    assert not any(left < upright[1] < right for left, right, _ in first_row)


def test_a_heading_that_wraps_is_a_heading_to_its_last_line():
    drawing = draw(TOP, [column("Adaptive programme with weekly coaching for teachers")] * 3)
    of_first = [text for text in drawing.texts if text.get_position()[0] == pytest.approx((0.02 + PADDING) / WIDTH)]
    styles = {text.get_text(): (text.get_fontweight(), text.get_color()) for text in of_first}
    bold = " ".join(name for name, style in styles.items() if style == ("bold", BLUE))
    assert bold == "Adaptive programme with weekly coaching for teachers Analysed"
