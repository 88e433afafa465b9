"""A letter that the typeface lacks costs its own place in a label, never the report."""

from __future__ import annotations

import re

import pytest

from tests.report.harbour import PLAN, averages, build, effect, explored, planned
from tests.report.test_plots import SHARES, predictions
from tests.report.test_sites_section import SITES
from whoworks.plan.plan import Plan
from whoworks.report import plots
from whoworks.report.evidence import Evidence
from whoworks.report.fonts import letters, printable
from whoworks.report.write import compose_files

ODD = "\U0001f642\u5b66\u200b"  # a face, a Chinese letter, a blank without width
SCHOOL = re.compile(r'^school =|(?<== )"school"|(?<=\[)"school"', re.MULTILINE)


@pytest.fixture(scope="module")
def odd() -> Evidence:
    """Return a run whose plan has odd letters in every label and in the school's level."""
    text = PLAN.replace('label = "', f'label = "{ODD}')
    text = SCHOOL.sub(lambda found: f'"{ODD}"' + " =" * found.group().endswith("="), text)
    for words in ("usual practice", "small groups", "eligible", "suburban", "boys"):
        text = text.replace(f'"{words}"', f'"{ODD} {words}"')
    findings = [*averages(), *planned(), *explored(), *SHARES, *SITES]
    return build(Plan.parse(text), [*findings, effect(1.0, 1.0, question="subgroup", moderator="gndr", level="M")])


def test_a_report_is_written_whatever_letters_its_labels_hold(odd):
    files = compose_files(odd)
    known = letters() | {ord("\n")}
    for name in ("importance", "sites", "forest", "ranking", "sorted-groups", "balance", "participant-flow"):
        drawn = files[f"figures/{name}.svg"].decode()
        assert {letter for letter in drawn if ord(letter) not in known} == set(), name

    assert "??free or reduced-price lunch" in files["figures/importance.svg"].decode()


@pytest.mark.parametrize(
    "draw",
    [
        plots.plot_subgroups, plots.plot_sorted_groups, plots.plot_ranking, plots.plot_sites, plots.plot_use,
        lambda evidence: plots.plot_curve(evidence, "tch_yrs"),
        lambda evidence: plots.plot_calibration(evidence, predictions()),
    ],
    ids=["subgroups", "sorted groups", "ranking", "sites", "importance", "curve", "calibration"],
)  # fmt: skip
def test_a_notebook_s_figure_is_measured_without_a_warning_of_missing_letters(odd, draw):
    draw(odd).draw_without_rendering()


def test_an_apostrophe_is_curved_between_letters_and_nowhere_else():
    assert printable("the class's devices") == "the class\u2019s devices"
    assert printable("grade == '6' and 5'11") == "grade == '6' and 5'11"
