"""Where pages end: no page mostly blank, no row alone, and what was planned is what is printed."""

from __future__ import annotations

import io

import pypdf
import pytest

from whoworks.report.figures.chart import SMALL
from whoworks.report.paging import LEAST_SCALE, MOST_BLANK, Box, Placed, Sheet, arrange, find_leads, runs_of, set_block

PAGE = 600.0
TITLE = Box(kind="heading", height=20.0, above=20.0, below=10.0)
FOOTER = 57.6  # points from the foot of the page to the text's lowest line


def box(kind: str, height: float, **fields: object) -> Box:
    return Box(kind=kind, height=height, above=10.0, below=10.0, **fields)


def table(n: int, row: float = 20.0, tones: tuple[str, ...] = ()) -> Box:
    parts = (row,) * n
    tones = tones or ("plain",) * n
    return box("table", 20.0 + 20.0 + sum(parts), caption=20.0, head=20.0, parts=parts, tones=tones)


def placed(*boxes: Box) -> tuple[Placed, ...]:
    return arrange([(TITLE, boxes)], PAGE)[0]


def test_few_rows_are_never_parted():
    assert runs_of(("plain",) * 5) == (5,)


def test_many_rows_leave_at_least_three_on_either_side():
    runs = runs_of(("plain",) * 19)
    assert sum(runs) == 19
    assert runs[0] >= 3
    assert runs[-1] >= 3
    assert set(runs[1:-1]) == {1}


def test_a_subheading_counts_beside_the_three_rows_under_it():
    assert runs_of(("plain",) * 12) == (3, *(1,) * 6, 3)
    assert runs_of(("group", *("plain",) * 12)) == (4, *(1,) * 6, 3)


def test_a_paragraph_between_a_heading_and_a_table_or_list_leads_it():
    assert find_leads(["paragraph", "table", "paragraph", "bullets"]) == [True, False, False, False]
    assert find_leads(["heading", "paragraph", "bullets"]) == [False, True, False]
    assert find_leads(["heading", "paragraph", "paragraph", "table"]) == [False] * 4
    assert find_leads(["heading", "paragraph", "figure", "paragraph"]) == [False] * 4


@pytest.mark.parametrize("below", [table(5), box("bullets", 120.0, parts=(60.0, 60.0))])
def test_a_lead_and_its_heading_go_to_the_page_of_what_they_lead(below):
    sheet = Sheet(page=PAGE)
    set_block(sheet, box("paragraph", 500.0), 0)
    sheet.waiting.append(TITLE)
    assert set_block(sheet, box("paragraph", 30.0, leads=True), 1).leads
    assert sheet.y == 500.0
    set_block(sheet, below, 2)
    assert not sheet.waiting
    assert 20.0 + 10.0 + 30.0 + 10.0 + below.height <= sheet.y < 500.0


def test_a_subheading_stays_with_its_rows():
    assert runs_of(("group", "plain", "strong", "group", "plain", "plain", "strong")) == (3, 4)


def test_a_group_of_one_row_goes_with_its_neighbour_at_either_end():
    assert runs_of(("group", "plain", "group", "plain", "plain", "group", "plain")) == (7,)
    assert runs_of(("group", "plain", *("group", "plain", "plain") * 3)) == (5, 3, 3)


def test_a_table_that_fits_is_kept_whole():
    assert placed(table(20)) == (Placed(place=0),)


def test_a_table_that_does_not_fit_goes_to_the_next_page_where_little_is_lost():
    assert placed(box("paragraph", 480.0), table(10))[1].runs == ()


def test_a_table_is_broken_where_much_of_a_page_would_stay_empty():
    runs = placed(box("paragraph", 300.0), table(20))[1].runs
    assert sum(runs) == 20
    assert runs[0] >= 3
    assert runs[-1] >= 3


def test_a_figure_that_nearly_fits_is_shrunk_and_none_so_far_that_its_letters_are_under_seven_points():
    (_, figure) = placed(box("paragraph", 370.0), box("figure", 205.0, tail=20.0))
    assert 7 / SMALL <= LEAST_SCALE <= figure.scale < 1
    (_, whole) = placed(box("paragraph", 300.0), box("figure", 320.0, tail=20.0))
    assert whole.scale == 1


def test_a_list_does_not_part_from_its_heading_after_one_item():
    sheet = Sheet(page=PAGE)
    set_block(sheet, box("paragraph", 480.0), 0)
    sheet.waiting.append(TITLE)
    set_block(sheet, box("bullets", 132.0, parts=(40.0, 40.0, 40.0), between=6.0), 1)
    assert sheet.y == 20.0 + 10.0 + 132.0


def test_a_figure_that_does_not_fit_lets_what_follows_go_first():
    order = [p.place for p in placed(box("paragraph", 250.0), box("figure", 500.0), box("paragraph", 100.0))]
    assert order == [0, 2, 1]


def test_nothing_passes_a_heading():
    heading = box("heading", 12.0)
    order = placed(box("paragraph", 250.0), box("figure", 500.0), heading, box("paragraph", 100.0))
    assert [p.place for p in order] == [0, 1, 2, 3]


def test_a_figure_keeps_its_place_where_it_fits():
    order = placed(box("paragraph", 100.0), box("figure", 200.0), box("paragraph", 100.0))
    assert order == tuple(Placed(place=k) for k in range(3))


def lowest(page: pypdf.PageObject) -> float:
    """Return how far above the foot of the text area a page's last line stands, in points."""
    heights: list[float] = []

    def see(text: str, cm: list[float], tm: list[float], font: object, size: float) -> None:
        if text.strip():
            heights.append(tm[4] * cm[1] + tm[5] * cm[3] + cm[5])

    page.extract_text(visitor_text=see)
    return min(height for height in heights if height > FOOTER) - FOOTER


@pytest.mark.parametrize("which", ["files", "small_files"])
def test_no_page_but_the_last_is_mostly_blank(which, request):
    pages = pypdf.PdfReader(io.BytesIO(request.getfixturevalue(which)["report.pdf"])).pages
    blank = [lowest(page) / (float(page.mediabox.height) - 2 * FOOTER) for page in pages]
    assert max(blank[1:-1]) <= MOST_BLANK + 0.15
