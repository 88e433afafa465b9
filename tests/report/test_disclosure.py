"""Small cells leave the evidence before anything is written."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from dataclasses import replace

import pandas as pd
import pypdf
import pytest

from tests.report.harbour import make_small
from whoworks.checks.verdict import Check, Verdict
from whoworks.findings.caveats.caveat import Caveat
from whoworks.findings.finding import Findings
from whoworks.panel.ledger import Entry, Ledger
from whoworks.report import participants
from whoworks.report.cells import WITHHELD
from whoworks.report.complements import COUNTS
from whoworks.report.disclosure import ESTIMATES, withhold
from whoworks.report.write import compose_files

TEXT = re.compile(r">([^<]+)<")
HIDDEN = {("frl", "Y"), ("frl", ""), ("locale", "R"), ("locale", "")}


def is_hidden(finding) -> bool:
    return finding.smallest_cell < 10 or finding.smallest_cell_clusters < 3


def every_text(files: dict[str, bytes]) -> str:
    """Return everything a reader could find in the files; a figure's coordinates are drawn, not read."""
    texts = [content.decode("utf-8") for name, content in files.items() if not name.startswith(("report", "fig"))]
    texts += [" ".join(TEXT.findall(content.decode("utf-8"))) for name, content in files.items() if ".svg" in name]
    reader = pypdf.PdfReader(io.BytesIO(files["report.pdf"]))
    texts += [page.extract_text() for page in reader.pages]
    return "\n".join(texts).replace("\u2212", "-")


def test_no_number_of_a_withheld_finding_is_in_any_file(small, small_files):
    text = every_text(small_files)
    for finding in filter(is_hidden, small.findings):
        for name in ESTIMATES:
            value = getattr(finding, name)
            if math.isfinite(value) and value not in (0.0, 1.0, 2.0) and name not in ("df", "df_num"):
                assert f"{value:.10g}" not in text, (finding.finding_id, name)
                assert f"{abs(value):.7g}" not in text, (finding.finding_id, name)
        interval = f"{finding.conf_low:.1f} to {finding.conf_high:.1f}"
        assert interval not in text


def test_the_numbers_are_there_when_nothing_is_small(evidence, files):
    text = every_text(files)
    shown = [f for f in evidence.findings if (f.moderator, f.level) in HIDDEN and math.isfinite(f.estimate)]
    assert shown
    for finding in shown:
        assert f"{finding.estimate:.10g}" in text


def test_a_withheld_finding_keeps_its_identity_and_loses_its_numbers(small, small_files):
    rows = list(csv.DictReader(io.StringIO(small_files["findings.csv"].decode())))
    assert [row["finding_id"] for row in rows] == [finding.finding_id for finding in small.findings]
    for row, finding in zip(rows, small.findings, strict=True):
        assert (row["suppressed"] == "true") is is_hidden(finding)
        if is_hidden(finding):
            assert {row[name] for name in (*ESTIMATES, "n_units", "n_clusters", "n_treated_clusters")} == {""}


def test_the_account_of_what_is_withheld_holds_no_number_of_it(small, small_files):
    rows = list(csv.DictReader(io.StringIO(small_files["suppressed.csv"].decode())))
    whole = [row["row"] for row in rows if row["column"] == "all numbers"]
    assert whole == [f.finding_id for f in small.findings if is_hidden(f)]
    assert {row["column"] for row in rows} == {"all numbers", " ".join(COUNTS)}
    assert {row["reason"] for row in rows} == {"fewer than 10 students or 3 clusters in an arm"}


def test_json_says_that_it_is_withheld(small_files):
    findings = json.loads(small_files["findings.json"])["findings"]
    hidden = [record for record in findings if record["suppressed"]]
    assert hidden
    assert all(record["estimate"] is None and "withheld" in record["sentence"] for record in hidden)


def small_check(**fields) -> Check:
    given = {
        "check_id": "attrition", "subject": "rd_post", "verdict": Verdict.PASS, "value": 0.0043, "threshold": 0.06,
        "n_units": 1200, "n_clusters": 48, "sentence": "reading: 0.4 % of 1,200 students have no outcome.",
        "table": pd.DataFrame({"n_missing_treated": [4], "n_treated": [600], "overall": [0.0043], "verdict": ["pass"]}),
    }  # fmt: skip
    return Check(**(given | fields))


def test_a_checks_small_cell_goes_with_what_is_computed_from_it_and_with_the_sentence_that_tells_it(evidence):
    released = withhold(replace(evidence, checks=(small_check(),)))
    (check,) = released.evidence.checks
    assert math.isnan(check.value)
    assert check.table[["n_missing_treated", "overall"]].isna().all(axis=None)
    assert "0.4" not in check.sentence
    assert check.verdict is Verdict.PASS


def test_a_caveat_says_of_a_check_what_the_check_may_still_say(evidence):
    check = small_check(verdict=Verdict.FAIL)
    caveat = Caveat(caveat_id="attrition", subject="rd_post", gravity=1, sentence=check.sentence)
    released = withhold(replace(evidence, checks=(check,), caveats=(caveat,))).evidence
    assert released.caveats[0].sentence == released.checks[0].sentence.replace(
        "this check", "the check \u201cOutcomes missing: reading\u201d, which did not pass,"
    )
    assert "0.4" not in released.caveats[0].sentence


def gaps(widest: int) -> Check:
    """Return a balance check of two variables of which the second counts seven students under treatment."""
    table = pd.DataFrame({"n_treated": [600, 7], "n_control": [580, 500], "standardised": [0.31, -0.2]})
    table.loc[widest, "standardised"] = -0.42
    return small_check(check_id="balance", value=0.42, sentence="The largest is \u22120.42 SD.", table=table)


def test_a_checks_value_goes_with_a_small_cell_below_zero_and_stays_where_another_row_is_the_widest(evidence):
    hidden, told = withhold(replace(evidence, checks=(gaps(1), gaps(0)))).evidence.checks
    assert math.isnan(hidden.value)
    assert "0.42" not in hidden.sentence
    assert (told.value, told.sentence) == (0.42, "The largest is \u22120.42 SD.")
    assert list(told.table["standardised"].isna()) == [False, True]


def test_a_ceilings_share_goes_and_its_sentence_that_guards_itself_stays(evidence):
    table = pd.DataFrame({"n_there": [2, 5], "n_elsewhere": [202, 199], "share": [2 / 204, 5 / 204]})
    said = "of 204 students, fewer than 10 are at the highest value seen"
    given = small_check(check_id="ceiling_floor", value=5 / 204, sentence=said, table=table)
    (check,) = withhold(replace(evidence, checks=(given,))).evidence.checks
    assert math.isnan(check.value)
    assert check.sentence == said


def test_a_few_missing_values_of_a_covariate_go_alone(evidence):
    table = pd.DataFrame({"n_treated": [600], "n_missing": [3], "standardised": [0.07]})
    released = withhold(replace(evidence, checks=(small_check(check_id="balance", table=table, value=0.07),)))
    (check,) = released.evidence.checks
    assert math.isnan(check.table["n_missing"].iloc[0])
    assert check.table["standardised"].iloc[0] == 0.07


def test_a_check_over_too_few_students_says_nothing(evidence):
    released = withhold(replace(evidence, checks=(small_check(n_units=8),)))
    (check,) = released.evidence.checks
    assert check.sentence == "Withheld: fewer than 10 students or 3 clusters in an arm."
    assert check.n_units < 0


FEW_LOST = Ledger(
    entries=(
        Entry(step="received", reason="rows", arm="sg", n_rows=607),
        Entry(
            step="excluded", reason="outcome missing", outcome="rd_post", arm="sg", n_rows=7, n_units=7, n_clusters=3
        ),
        Entry(step="analysed", reason="", outcome="rd_post", arm="sg", n_rows=600, n_units=600, n_clusters=24),
    )
)


def test_small_counts_leave_the_ledger_and_the_flow(evidence):
    files = compose_files(replace(evidence, ledger=FEW_LOST))
    rows = list(csv.DictReader(io.StringIO(files["ledger.csv"].decode())))
    assert [row["n_rows"] for row in rows] == ["", "", "600"]
    assert "assigned: not shown" in files["figures/participant-flow.svg"].decode()
    assert "607" not in files["figures/participant-flow.svg"].decode()


def test_a_caveat_of_a_withheld_finding_goes_with_it_whatever_it_says_and_others_keep_all_their_numbers(evidence):
    small = make_small()
    hidden = next(f for f in small.findings if f.moderator == "frl" and f.question == "difference")
    shown = next(f for f in small.findings if f.question == "average")
    about = Caveat(
        caveat_id="x", subject="frl", gravity=1, sentence=f"It is {hidden.estimate / 3:.1f} times as much.",
        about=(shown.finding_id, hidden.finding_id),
    )  # fmt: skip
    beside = Caveat(
        caveat_id="y", subject="", gravity=1, sentence=f"The {abs(hidden.estimate):.0f} schools that took part.",
        about=(shown.finding_id,),
    )  # fmt: skip
    released = withhold(replace(small, caveats=(about, beside)))
    assert released.evidence.caveats == (beside,)
    assert [(w.file, w.row) for w in released.withheld if w.column == "caveat"] == [("findings.json", "x")]


def test_nothing_is_withheld_when_no_cell_is_small(evidence):
    assert withhold(evidence).withheld == ()


def test_a_sum_with_a_small_count_in_it_is_not_shown_either(evidence, words):
    released = withhold(replace(evidence, ledger=FEW_LOST))
    arm = next(arm for arm in participants.read_flow(released.evidence.ledger, words, "rd_post").arms if arm.analysed)
    assert [step.n_units for step in arm.left] == [WITHHELD]
    assert arm.assigned.n_units == WITHHELD
    assert participants.say_units(arm.assigned) == "not shown"
    assert participants.say_units(arm.analysed[0]) == "600 students"


def lacking(evidence, few: int, **fields):
    """Return the evidence with `few` students of whom sex is not recorded."""
    average = next(f for f in evidence.findings if f.question == "average")
    items = [f if f.moderator != "gndr" else replace(f, **fields) for f in evidence.findings]
    items = [
        replace(f, n_units=average.n_units - few) if f.moderator == "gndr" and f.question == "difference" else f
        for f in items
    ]
    return replace(evidence, findings=Findings(items=tuple(items)))


def about_sex(released) -> list:
    return [finding for finding in released.evidence.findings if finding.moderator == "gndr"]


def test_students_are_counted_in_no_group_of_a_moderator_that_few_lack(evidence):
    told = about_sex(withhold(lacking(evidence, 4)))
    assert {finding.n_units for finding in told} == {0}
    assert all(math.isfinite(finding.estimate) and finding.n_clusters for finding in told)
    files = compose_files(lacking(evidence, 4))
    rows = [row for row in csv.DictReader(io.StringIO(files["findings.csv"].decode())) if row["moderator"] == "gndr"]
    assert {row["n_units"] for row in rows} == {""}
    assert "1,098" not in every_text(files)


def test_students_are_counted_in_the_groups_of_a_moderator_that_many_lack_or_none(evidence):
    assert 0 not in {finding.n_units for finding in about_sex(withhold(lacking(evidence, 14)))}
    assert 0 not in {finding.n_units for finding in about_sex(withhold(lacking(evidence, 0)))}


def test_the_groups_beside_one_that_is_withheld_are_not_counted_either(small):
    beside = [f for f in withhold(small).evidence.findings if f.moderator in ("frl", "locale") and not f.suppressed]
    assert beside
    assert {getattr(finding, name) for finding in beside for name in COUNTS} == {0}
    assert all(math.isfinite(f.estimate) for f in beside if f.question == "subgroup")


def test_a_group_withheld_in_one_outcome_leaves_its_moderator_uncounted_in_the_others(evidence):
    other = [replace(f, outcome="mth_post") for f in evidence.findings if f.outcome == "rd_post"]
    small = [replace(f, smallest_cell=7) if (f.moderator, f.level) == ("frl", "Y") else f for f in other]
    given = replace(evidence, findings=Findings(items=(*evidence.findings, *small)))
    told = [f for f in withhold(given).evidence.findings if f.outcome == "rd_post" and f.n_units]
    assert "frl" not in {f.moderator for f in told}
    assert "locale" in {f.moderator for f in told}


def test_the_share_of_a_withheld_group_is_withheld_too_and_other_shares_stay(small):
    asked = small.findings.items[0]
    shares = [
        replace(asked, question="site-profile", moderator=name, unit="percentage points", estimate=6.2)
        for name in ("locale", "gndr")
    ]
    released = withhold(replace(small, findings=Findings(items=(*small.findings, *shares)))).evidence.findings
    assert {f.moderator: f.suppressed for f in released if f.question == "site-profile"} == {
        "locale": True,
        "gndr": False,
    }


def test_where_students_are_the_clusters_neither_is_counted(evidence):
    told = about_sex(withhold(lacking(evidence, 4, cluster="student")))
    assert {(finding.n_units, finding.n_clusters, finding.n_treated_clusters) for finding in told} == {(0, 0, 0)}


def test_a_note_tells_a_small_count_of_students_as_small(evidence):
    released = lacking(evidence, 14, notes=("9 students who lack it are left out", "10 students are in"))
    notes = {note for finding in about_sex(withhold(released)) for note in finding.notes}
    assert notes == {"fewer than 10 students who lack it are left out", "10 students are in"}


def test_a_note_of_a_finding_that_is_not_counted_tells_nobody_left_out(evidence):
    released = lacking(
        evidence, 4, notes=("24 students are left out: of each, at least one of the moderators is not known",)
    )
    notes = {note for finding in about_sex(withhold(released)) for note in finding.notes}
    assert notes == {"some students are left out: of each, at least one of the moderators is not known"}


def test_moderators_together_are_not_counted_where_few_lack_one_and_others_keep_their_counts(evidence):
    given = lacking(evidence, 4)
    sex = next(f for f in given.findings if f.moderator == "gndr" and f.question == "difference")
    together = replace(sex, question="projection", moderator="tch_yrs", n_units=sex.n_units - 20)
    items = (*given.findings, together)
    cleared = withhold(replace(given, findings=Findings(items=items))).evidence.findings
    counted = {(f.question, f.moderator): f.n_units for f in cleared if f.moderator in ("tch_yrs", "gndr")}
    assert counted["projection", "tch_yrs"] == counted["difference", "gndr"] == 0
    assert counted["difference", "tch_yrs"] == 1102


@pytest.mark.parametrize(("moderator", "counted"), [("tch_yrs", False), ("frl", True)])
def test_the_students_of_one_class_without_a_record_of_its_teacher_are_not_worked_out(evidence, moderator, counted):
    one = {"n_units": 1102 - 25, "n_clusters": 47, "n_treated_clusters": 23}
    items = [
        replace(f, **one) if (f.moderator, f.question) == (moderator, "difference") else f for f in evidence.findings
    ]
    cleared = withhold(replace(evidence, findings=Findings(items=tuple(items)))).evidence.findings
    assert {f.n_units > 0 for f in cleared if (f.moderator, f.question) == (moderator, "difference")} == {counted}
