"""Small panels made by hand: a plan in a few lines and the columns it speaks of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from whoworks.panel.ledger import Entry, Ledger
from whoworks.panel.panel import Kind, Panel, Role, Variable
from whoworks.plan.plan import Plan

PLAN = """
schema = 1
[study]
name = "Hand-made"
question = "Does it matter?"
[levels]
{levels}
[arms]
column = "arm"
control = "usual"
treatments = [{treatments}]
labels = {{ usual = "usual practice", adaptive = "adaptive programme" }}
[design]
{design}
[[outcomes]]
column = "maths"
"""


def make_plan(design: str, *, levels: Sequence[str] = (), treatments: Sequence[str] = ("adaptive",)) -> Plan:
    """Write a plan whose levels lie in columns named level_id."""
    named = "\n".join(f'{level} = "{level}_id"' for level in levels)
    return Plan.parse(PLAN.format(levels=named, treatments=", ".join(f'"{arm}"' for arm in treatments), design=design))


def make_panel(
    design: str,
    *,
    arm: Sequence[str],
    levels: dict[str, Sequence[object]] | None = None,
    values: dict[str, object] | None = None,
    variables: Sequence[Variable] = (),
    treatments: Sequence[str] = ("adaptive",),
    probability: Sequence[float] | None = None,
) -> Panel:
    """Build a panel of units with arms, levels and values; the outcome 'maths' is zero unless given."""
    levels = levels or {}
    plan = make_plan(design, levels=list(levels), treatments=treatments)
    n = len(arm)
    units = pd.DataFrame({"unit_id": [str(row) for row in range(n)], **levels, "arm": list(arm)})
    if probability is not None:
        units["probability"] = probability
    outcome = Variable(name="maths", column="maths", roles=(Role.OUTCOME,), kind=Kind.NUMBER, label="mathematics")
    known = {variable.name for variable in variables}
    return Panel(
        plan=plan,
        units=units,
        values=pd.DataFrame({**({} if "maths" in known else {"maths": np.zeros(n)}), **(values or {})}),
        position=pd.Series(np.arange(n)),
        variables=(*(() if "maths" in known else (outcome,)), *variables),
        ledger=Ledger(entries=(Entry(step="received", reason="rows received", n_rows=n),)),
        provenance=(),
    )


def classrooms(n_classes: int, size: int, *, design: str = "", schools: int = 0, **more: object) -> Panel:
    """Build a trial of whole classes, every other one adaptive; `schools` of them as blocks when asked for."""
    klass = np.repeat(np.arange(n_classes), size)
    levels: dict[str, Sequence[object]] = {"class": [f"C{code:03d}" for code in klass]}
    if schools:
        levels["school"] = [f"S{code * schools // n_classes:02d}" for code in klass]
    arm = np.where(klass % 2 == 1, "adaptive", "usual")
    return make_panel(design or 'assigned = "class"\nprobability = 0.5', arm=list(arm), levels=levels, **more)
