"""A made-up run of a classroom trial: numbers invented by hand, coherent with one another, no data behind them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from whoworks.checks.verdict import Check, Verdict
from whoworks.design.design import Design
from whoworks.findings.caveats.caveat import Caveat
from whoworks.findings.finding import Finding, Findings
from whoworks.findings.precision import Precision
from whoworks.panel.ledger import Entry, Ledger
from whoworks.panel.panel import Kind, Provenance, Role, Variable
from whoworks.plan.plan import Plan
from whoworks.report.evidence import Evidence

PLAN = """
schema = 1

[study]
name = "Harbour small-group reading pilot"
question = "Do daily small groups raise reading, for whom, and in which classrooms?"
registered = 2026-08-15

[records]
path = "harbour.csv"

[levels]
student = "pupil_ref"
class = "room_ref"
school = "bldg_ref"

[arms]
column = "cond"
control = "bau"
treatments = ["sg"]
labels = { bau = "usual practice", sg = "small groups" }

[design]
assigned = "class"
blocks = ["school"]
site = "school"
probability = "blocks"

[[outcomes]]
column = "rd_post"
label = "reading (district test, spring)"
primary = true
kind = "continuous"
domain = "reading"
baseline = ["rd_pre"]
meaningful = 0.10

[[outcomes]]
column = "promoted"
label = "promotion to the next grade"
kind = "binary"
values = { 1 = "promoted", 0 = "not yet" }
domain = "progress"
meaningful = 5
meaningful_in = "points"

[[moderators]]
column = "frl"
label = "free or reduced-price lunch"
level = "student"
values = { N = "not eligible", Y = "eligible" }
planned = true
expect = { larger = "Y" }

[[moderators]]
column = "locale"
label = "school's setting"
level = "school"
values = { S = "suburban", I = "inner city", R = "rural" }
planned = true

[[moderators]]
column = "tch_yrs"
label = "teacher's years of experience"
level = "class"
kind = "number"
planned = true
expect = "decreasing"

[[moderators]]
column = "gndr"
label = "sex"
level = "student"
values = { M = "boys", F = "girls" }

[covariates]
columns = ["rd_pre"]

[analysis]
seed = 20260815
"""

SD = 31.6
CONTRAST = "sg - bau"
RECEIVED = {"bau": 661, "sg": 651, "waitlist": 35}


def shape(plan: Plan) -> tuple[Variable, ...]:
    """Return the variables of the plan, as a panel would."""
    variables = [
        Variable(name=o.name, column=o.column, roles=(Role.OUTCOME,), kind=Kind.NUMBER, label=o.label)
        for o in plan.outcomes
    ]
    for m in plan.moderators:
        kind = Kind.NUMBER if m.kind == "number" else Kind.CATEGORY
        variables.append(
            Variable(
                name=m.name, column=m.column, roles=(Role.MODERATOR,), kind=kind, label=m.label, level=m.level,
                levels=tuple(m.values), level_labels=tuple(m.values.values()),
            )
        )  # fmt: skip
    return tuple(variables)


def design() -> Design:
    """Return a design of 48 classes in 12 schools, half and half, with 25 students each."""
    n = 1200
    cluster = np.arange(n) // 25
    return Design(
        kind="randomised", rows=np.arange(n), arms=("bau", "sg"), arm_labels=("usual practice", "small groups"),
        arm=cluster % 2, probability=np.full((n, 2), 0.5), assigned=cluster, drawn=cluster, block=cluster // 4,
        site=cluster // 4, cluster=cluster, cluster_level="class",
        cluster_reason="The class carries the arm, so classes are the clusters.", sensitivity=cluster // 4,
        sensitivity_level="school", assigned_level="class", drawn_level="class", block_level="school",
        site_level="school", ledger=Ledger(), probability_from="shares",
    )  # fmt: skip


def effect(estimate: float, error: float, **fields: object) -> Finding:
    """Return a finding on reading with its interval, p and size worked out from estimate and error."""
    scale = SD if fields.get("unit", "outcome") != "percentage points" else 55.0
    df = float(fields.pop("df", 21.4))  # type: ignore[arg-type]
    t = estimate / error
    p = math.erfc(abs(t) / math.sqrt(2))
    half = 2.077 * error
    given: dict[str, object] = {
        "outcome": "rd_post", "domain": "reading", "contrast": CONTRAST, "quantity": "effect", "unit": "outcome",
        "cluster": "class", "conf_level": 0.95, "df_num": 1.0, "df": df, "statistic": t, "p_value": p,
        "estimate": estimate, "std_error": error, "conf_low": estimate - half, "conf_high": estimate + half,
        "effect_size": estimate / scale, "effect_size_low": (estimate - half) / scale,
        "effect_size_high": (estimate + half) / scale, "sd_used": "pooled student-level SD of both arms",
        "mde": 2.9 * error, "meaningful": 0.1 * SD if scale == SD else 5.0,
        "n_units": 1102, "n_clusters": 48, "n_treated_clusters": 24, "n_control_clusters": 24,
        "smallest_cell": 540, "smallest_cell_clusters": 24, "n_tests": 0,
    }  # fmt: skip
    if math.isfinite(float(fields.get("p_adjusted", math.nan))):  # type: ignore[arg-type]
        given["adjustment"] = "Holm"
    return Finding(**(given | fields))  # type: ignore[arg-type]


def claim(estimate: float, error: float, **fields: object) -> Finding:
    """Return a difference between groups."""
    return effect(estimate, error, question="difference", **fields)


def averages() -> list[Finding]:
    """Return the averages of both outcomes, in both weightings, and the weightings' difference."""
    passed = {
        "outcome": "promoted", "domain": "progress", "unit": "percentage points", "sd_used": "Cox index",
        "n_units": 1150,
    }  # fmt: skip
    found = [
        effect(6.3214159, 2.1371, question="average", quantity="average effect", status="confirmatory"),
        effect(5.9031, 2.2913, question="average", quantity="average effect", weighting="cluster"),
        claim(
            0.4183, 0.5127, quantity="average weighting students equally minus weighting clusters equally",
            moderator="weighting", level="student - cluster", reference="cluster", weighting="both",
            status="descriptive",
        ),
        effect(2.1337, 1.9713, question="average", quantity="average effect", **passed),
        effect(1.9117, 2.0713, question="average", quantity="average effect", weighting="cluster", **passed),
    ]  # fmt: skip
    return found


def planned() -> list[Finding]:
    """Return the planned groups, differences and joint test."""
    holm = {"adjustment": "Holm", "family": "reading", "n_tests": 3, "status": "confirmatory"}
    plan = {"status": "confirmatory"}
    lunch, setting, years = {"moderator": "frl"}, {"moderator": "locale"}, {"moderator": "tch_yrs"}
    return [
        effect(3.2117, 2.3119, question="subgroup", level="N", n_units=560, smallest_cell=271, **lunch, **plan),
        effect(9.5713, 2.4719, question="subgroup", level="Y", n_units=542, smallest_cell=262, **lunch, **plan),
        claim(
            6.3597, 2.1913, level="Y", reference="N", p_adjusted=0.0113, credibility="moderate",
            caps=("leaving out one school brings the opposite within reach: one step down",), smallest_cell=262,
            **lunch, **holm,
        ),
        effect(7.1319, 3.2117, question="subgroup", level="S", n_units=430, n_clusters=18, smallest_cell=200,
               smallest_cell_clusters=9, **setting, **plan),
        effect(4.9713, 3.7119, question="subgroup", level="I", n_units=390, n_clusters=16, smallest_cell=190,
               smallest_cell_clusters=8, **setting, **plan),
        effect(6.8917, 4.3719, question="subgroup", level="R", n_units=282, n_clusters=14, smallest_cell=130,
               smallest_cell_clusters=7, **setting, **plan),
        claim(-2.1613, 4.9119, level="I", reference="S", smallest_cell_clusters=8, n_clusters=34, **setting, **plan),
        claim(-0.2413, 5.4319, level="R", reference="S", smallest_cell_clusters=7, n_clusters=32, **setting, **plan),
        Finding(
            question="joint", outcome="rd_post", domain="reading", contrast=CONTRAST, quantity="joint test",
            moderator="locale", statistic=0.1937, df_num=2.0, df=18.3, p_value=0.826, p_adjusted=0.826,
            credibility="very low", cluster="class", n_units=1102, n_clusters=48, n_treated_clusters=24,
            n_control_clusters=24, smallest_cell=130, smallest_cell_clusters=7, **holm,  # type: ignore[arg-type]
        ),
        claim(
            -1.3719, 1.9513, unit="per SD", quantity="slope", p_adjusted=0.9637, credibility="very low",
            caps=("the interval is wide against what would matter",), **years, **holm,
        ),
    ]  # fmt: skip


def explored() -> list[Finding]:
    """Return what was explored: groups, a curve, calibration and sorted groups."""
    sex = {"moderator": "gndr", "status": "exploratory", "n_tests": 2}
    found = [
        effect(5.1713, 2.6119, question="subgroup", level="M", n_units=561, smallest_cell=270, **sex),
        effect(7.5117, 2.5713, question="subgroup", level="F", n_units=541, smallest_cell=268, **sex),
        claim(
            2.3407, 2.2713, level="F", reference="M", p_adjusted=0.6119, adjustment="BH", credibility="very low", **sex
        ),
    ]
    for step in range(21):
        years = 1.0 + 1.25 * step
        found.append(
            effect(
                8.4 - 0.19 * years, 2.3 + 0.02 * (years - 12) ** 2, question="curve", moderator="tch_yrs",
                level=f"{years:g}", status="exploratory", quantity="effect at a value",
            )
        )  # fmt: skip
    none = dict.fromkeys(("std_error", "conf_low", "conf_high", "effect_size_low", "effect_size_high", "mde"), math.nan)
    predicted = none | {"moderator": "predicted effect", "quantity": "calibration slope"}
    found.append(
        effect(
            0.3917, 0.4413, question="heterogeneity", status="exploratory", n_tests=2, p_adjusted=0.4013,
            adjustment="Benjamini-Hochberg", effect_size=math.nan, notes=("one-sided",), **predicted,
        )
    )  # fmt: skip
    groups = predicted | {"question": "sorted-group", "status": "descriptive", "n_units": 220, "p_value": math.nan}
    for rank, estimate in enumerate((4.1, 5.8, 5.9, 7.2, 8.6), start=1):
        found.append(effect(estimate, 3.6, level=str(rank), smallest_cell=101, **groups))
    found.append(effect(4.5, 4.9, level="5 - 1", smallest_cell=101, **groups))
    return found


def checks() -> tuple[Check, ...]:
    """Return verdicts with tables, in the shape in which the checks hand them over."""
    loss = {
        "outcome": "rd_post", "arm": "sg", "control": "bau", "n_treated": 600, "n_control": 600,
        "n_missing_treated": 41, "n_missing_control": 57, "overall": 0.0817, "differential": 0.0267,
        "allowed_cautious": 0.063, "allowed_optimistic": 0.109, "has_disputed_row": False, "verdict": "pass",
    }  # fmt: skip
    other = loss | {
        "outcome": "promoted", "n_missing_treated": 22, "n_missing_control": 28, "overall": 0.0417,
        "differential": 0.01,
    }  # fmt: skip
    gaps = [
        ("rd_pre", "", "", -0.07), ("frl", "N", "not eligible", 0.03), ("frl", "Y", "eligible", -0.03),
        ("locale", "S", "suburban", 0.0), ("locale", "I", "inner city", 0.02), ("locale", "R", "rural", -0.02),
        ("tch_yrs", "", "", 0.31), ("gndr", "M", "boys", -0.01), ("gndr", "F", "girls", 0.01),
    ]  # fmt: skip
    balance = pd.DataFrame(
        [
            {
                "variable": v, "label": v, "level": level, "level_label": label, "arm": "sg", "n_control": 600,
                "n_treated": 600, "n_missing": 0, "n_level_control": 290, "n_level_treated": 288,
                "mean_control": 0.4, "mean_treated": 0.41, "sd": 1.0, "standardised": gap, "band": "",
            }
            for v, level, label, gap in gaps
        ]
    )  # fmt: skip
    both = {"n_units": 1200, "n_clusters": 48}
    return (
        Check(
            check_id="attrition", subject="rd_post", verdict=Verdict.PASS, value=0.0267, threshold=0.063, **both,
            sentence="reading (district test, spring): 8.2 % of 1,200 students have no outcome, 6.8 % under small "
            "groups and 9.5 % under usual practice, a difference of 2.7 percentage points, within the 6.3 points that "
            "the WWC's boundary allows under cautious assumptions (self-assessed, not issued by the WWC).",
            table=pd.DataFrame([loss]),
        ),
        Check(
            check_id="attrition", subject="promoted", verdict=Verdict.PASS, value=0.01, threshold=0.06, **both,
            sentence="promotion to the next grade: 4.2 % of 1,200 students have no outcome.",
            table=pd.DataFrame([other]),
        ),
        Check(
            check_id="balance", subject="characteristics", verdict=Verdict.WARN, value=0.31, threshold=0.25, **both,
            sentence="Of 9 comparisons of 5 characteristics between arms, 1 lies between 0.05 and 0.25 SD and 1 above; "
            "the largest is +0.31 SD in teacher's years of experience.",
            table=balance,
        ),
        Check(
            check_id="clusters", subject="class", verdict=Verdict.PASS, value=24.0, threshold=10.0, **both,
            sentence="There are 24 classes under usual practice and 24 under small groups. The class carries the arm, "
            "so classes are the clusters.",
            table=pd.DataFrame({"arm": ["bau", "sg"], "n_clusters": [24, 24], "n_units": [600, 600]}),
        ),
        Check(
            check_id="interference", subject="school", verdict=Verdict.WARN, value=1.0, threshold=0.0, **both,
            sentence="Both arms meet in 12 of 12 schools, so teachers may have shared what they were given.",
        ),
        Check(
            check_id="overlap", subject="", verdict=Verdict.ERROR, value=math.nan, threshold=math.nan, **both,
            sentence="The check 'overlap' stopped with an error of its own (ValueError), so it says nothing about "
            "this study.",
        ),
    )  # fmt: skip


def ledger() -> Ledger:
    """Return a ledger that sums from rows received to students analysed."""
    entries = [Entry(step="received", reason="rows of 'records'", arm=a, n_rows=n) for a, n in RECEIVED.items()]
    entries += [
        Entry(step="excluded", reason="not kept by grade == '4'", arm="bau", n_rows=61),
        Entry(step="excluded", reason="not kept by grade == '4'", arm="sg", n_rows=51),
        Entry(step="excluded", reason="arm not in the plan: waitlist", arm="waitlist", n_rows=35),
    ]
    for arm, lost, held in (("bau", 57, 28), ("sg", 41, 22)):
        entries += [
            Entry(step="excluded", reason="outcome missing", outcome="rd_post", arm=arm, n_rows=lost, n_units=lost),
            Entry(step="analysed", reason="", outcome="rd_post", arm=arm, n_rows=600 - lost, n_units=600 - lost,
                  n_clusters=24),
            Entry(step="excluded", reason="outcome missing", outcome="promoted", arm=arm, n_rows=held, n_units=held),
            Entry(step="analysed", reason="", outcome="promoted", arm=arm, n_rows=600 - held, n_units=600 - held,
                  n_clusters=24),
        ]  # fmt: skip
    return Ledger(entries=tuple(entries))


def caveats() -> tuple[Caveat, ...]:
    """Return caveats of each gravity."""
    return (
        Caveat(caveat_id="interference", subject="", gravity=1, sentence="Both arms met in every school, so usual "
               "practice may have borrowed from small groups; the difference may be smaller than the effect."),
        Caveat(caveat_id="imbalance", subject="tch_yrs", gravity=2, sentence="Teachers of small groups had more years "
               "of experience; the estimate does not hold this constant."),
        Caveat(caveat_id="heterogeneity", subject="rd_post", gravity=2, sentence="Nothing here shows that effects vary "
               "between students beyond the planned question on lunch."),
        Caveat(caveat_id="declared", subject="", gravity=3, sentence="Moderators are declared as measured before "
               "assignment; the records carry no dates that would show it."),
    )  # fmt: skip


def build(plan: Plan, findings: list[Finding], **fields: object) -> Evidence:
    """Return evidence for a plan."""
    given: dict[str, object] = {
        "plan": plan,
        "provenance": (
            Provenance(table="records", file="harbour.csv", sha256="5f" * 32, n_rows=1347, n_columns=11),
        ),
        "variables": shape(plan), "design": design(), "ledger": ledger(), "checks": checks(),
        "findings": Findings(items=tuple(findings)),
        "precision": (
            Precision(
                outcome="rd_post", contrast=CONTRAST, learner="ridge regression", share_explained=0.4713,
                rule="The prognosis was learned on other folds; it was chosen without looking at arms.",
                std_error=2.1371, std_error_unadjusted=3.4119, std_error_by_block=2.2917, cluster_level="class",
                block_level="school",
            ),
        ),
        "caveats": caveats(), "engine": "econml's causal forest",
        "ignores": ("It does not know the blocks.",),
        "importance": pd.DataFrame(
            {
                "moderator": ["frl", "tch_yrs", "gndr"], "share": [0.51, 0.33, 0.16],
                "noise_median": [0.22, 0.48, 0.21], "noise_high": [0.31, 0.61, 0.35],
            }
        ),
        "no_predictions": "", "command": "whoworks report plan.toml", "timings": {"read": 0.5, "findings": 9.2},
        "peak_memory_mb": 512.0,
    }  # fmt: skip
    return Evidence(**(given | fields))  # type: ignore[arg-type]


def make_evidence() -> Evidence:
    """Return the whole run."""
    return build(Plan.parse(PLAN), [*averages(), *planned(), *explored()])


def make_small() -> Evidence:
    """Return the same run in which one group has too few students and one too few classes."""
    items = []
    for finding in make_evidence().findings:
        if finding.moderator == "frl" and finding.level in ("Y", ""):
            finding = replace(finding, smallest_cell=7)
        if finding.moderator == "locale" and finding.level in ("R", ""):
            finding = replace(finding, smallest_cell_clusters=2)
        items.append(finding)
    return replace(make_evidence(), findings=Findings(items=tuple(items)))
