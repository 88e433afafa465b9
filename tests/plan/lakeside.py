"""One full plan, and ways to break it."""

from __future__ import annotations

from whoworks.plan.plan import Plan

LAKESIDE = """\
schema = 1

[study]
name = "Lakeside"
question = "Does it raise mathematics, and for whom?"
registered = 2026-08-15

[[records]]
name = "roster"
path = "roster.csv"
key = ["student_id"]
keep = "grade == '6'"

[[records]]
name = "tests"
path = "tests.csv"
key = ["student", "term"]
join = { student = "roster.student_id" }

[waves]
column = "tests.term"
order = { fall = "Fall 2026", spring = "Spring 2027" }
before = ["fall"]

[levels]
student = "student_id"
class = "class_id"
school = "school_id"

[arms]
column = "arm"
control = "usual"
treatments = ["adaptive"]
labels = { usual = "usual practice", adaptive = "adaptive programme" }

[design]
assigned = "class"
assigned_on = 2026-09-04
blocks = ["school"]
site = "school"
probability = "blocks"

[[outcomes]]
column = "tests.rit"
wave = "spring"
label = "mathematics"
baseline = [{ column = "tests.rit", wave = "fall" }]
meaningful = 0.1

[[outcomes]]
column = "passed"
kind = "binary"
values = { Y = "passed", N = "not yet" }

[[moderators]]
column = "frl"
label = "free lunch"
level = "student"
values = { N = "not eligible", Y = "eligible" }
planned = true
expect = { larger = "Y" }

[[moderators]]
column = "years"
level = "class"
kind = "number"
cut = [2, 5.5]

[covariates]
columns = ["age"]

[takeup]
column = "logged_in"

[implementation]
columns = ["minutes"]

[missing]
columns = { frl = ["unknown", -9] }

[privacy]
drop = ["email"]
public = ["school"]

[analysis]
seed = 20260815

[report]
min_cell = 12
"""


def changed(*changes: tuple[str, str]) -> str:
    """Return the plan with each first text replaced by the second."""
    text = LAKESIDE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def parse(*changes: tuple[str, str]) -> Plan:
    return Plan.parse(changed(*changes))
