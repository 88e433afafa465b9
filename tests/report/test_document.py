"""The document: what is said, in which order, and that it has not changed unnoticed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.report.harbour import averages, build, explored, make_evidence, planned
from tests.report.snapshot import WRITTEN, recompute
from tests.report.test_sentences import BANNED
from tests.report.test_sites_section import SITES
from whoworks.errors import ReportError
from whoworks.findings.finding import NAN
from whoworks.plan.plan import Plan
from whoworks.report.charts import draw_charts, draw_safely, refer
from whoworks.report.compose import compose_document
from whoworks.report.disclosure import withhold
from whoworks.report.document import Document, Table
from whoworks.report.labels import read_words
from whoworks.report.next_study import clusters_needed, propose
from whoworks.report.selection import select


def compose(evidence) -> Document:
    released = withhold(evidence)
    words = read_words(released.evidence)
    chosen = select(released, words)
    return compose_document(released, chosen, words, refer(draw_charts(released, chosen, words)))


@pytest.fixture(scope="module")
def document(evidence) -> Document:
    return compose(evidence)


def test_the_document_is_the_one_written_down():
    assert recompute() == json.loads(WRITTEN.read_text(encoding="utf-8"))


def test_no_code_shows_where_a_label_exists(document):
    text = json.dumps(document.to_json())
    for code in ("rd_post", "frl", "locale", "tch_yrs", "gndr", '"bau', "sg - bau"):
        assert code not in text


@pytest.mark.parametrize("lost", [("low",), ("high",), ("low", "high")], ids=["low end", "high end", "both ends"])
def test_no_cell_and_no_tile_says_what_it_must_not(lost):
    ends = {f"{name}_{end}": NAN for name in ("conf", "effect_size") for end in lost}
    found = [replace(finding, **ends) for finding in (*averages(), *planned(), *explored(), *SITES)]
    document = compose(build(make_evidence().plan, found))
    tables = [block for section in document.sections for block in section.blocks if isinstance(block, Table)]
    cells = [cell for table in (*tables, document.front.for_whom) for row in table.rows for cell in row.cells]
    tiles = [text for tile in document.front.tiles for text in (tile.value, tile.unit, tile.range)]
    assert len(tiles) == 9
    assert not [text for text in (*cells, *tiles) if BANNED.search(text)]


def test_every_caveat_stands_in_the_body(evidence, document):
    (section,) = [section for section in document.sections if section.title == "Caveats"]
    text = json.dumps(section.blocks, default=str, ensure_ascii=False)
    for caveat in evidence.caveats:
        assert caveat.sentence in text


def test_every_check_is_shown_errors_included(evidence, document):
    text = json.dumps(document.to_json(), ensure_ascii=False)
    for check in evidence.checks:
        assert check.sentence[1:] in text
    assert '"Error"' in text


def test_the_next_study_is_as_large_as_the_square_of_what_was_missing_and_degrees_of_freedom_ask(evidence, words):
    worst = next(
        f for f in evidence.findings if f.moderator == "locale" and f.level == "R" and f.question == "difference"
    )
    assert clusters_needed(worst) == 730
    assert "about 730 classes" in " ".join(propose(evidence.findings, words, None))


def test_an_audience_of_technicians_sees_errors_and_degrees_of_freedom(evidence):
    plan = Plan.build(evidence.plan.given | {"report": {"audience": "technical"}})
    text = json.dumps(compose(replace(evidence, plan=plan)).to_json())
    assert '"SE"' in text
    assert '"SE"' not in json.dumps(compose(evidence).to_json())


def test_a_study_without_moderators_or_predictions_still_has_every_section(evidence):
    given = evidence.plan.given
    del given["moderators"]
    bare = build(
        Plan.build(given), averages(), engine="", ignores=(), no_predictions="The plan names no moderator.",
        caveats=(), checks=(), precision=(), importance=make_evidence().importance.iloc[:0],
    )  # fmt: skip
    document = compose(bare)
    assert len(document.sections) == 10
    assert "The plan names no group in advance" in document.front.for_whom_text


def test_a_figure_that_cannot_be_drawn_is_named():
    def broken():
        raise ValueError("x")

    with pytest.raises(ReportError, match="'forest'"):
        draw_safely("forest", broken)
