"""Arms: each row's arm in the plan's spelling; rows without one that is compared leave, counted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from whoworks.errors import PanelError
from whoworks.panel.exclusions import Exclusions
from whoworks.panel.join import Joined
from whoworks.panel.spelling import require_spelled
from whoworks.panel.typing import nameable
from whoworks.plan.plan import Plan
from whoworks.records.text import Texts, canonical

NO_ARM, OTHER_ARM = "no arm", "arm not in the plan"


def arms_of(plan: Plan, joined: Joined, out: Exclusions) -> Texts:
    """Return each row's arm in the plan's spelling, taking out rows without one or with one that is not compared.

    Codes that could point at a person are written as no arm at all.

    Raises
    ------
    PanelError
        When no row has an arm of the plan, or some have one in another spelling.
    """
    found = joined.texts(plan.arms.column)
    spelled = {canonical(code): code for code in plan.arms.codes}
    named = set(nameable(found[~pd.Series(found, dtype=object).isin(list(spelled)).to_numpy()]))
    require_spelled(found, plan.arms.codes, out.staying, column=plan.arms.column, noun="arm")
    out.take_out(pd.isna(found), NO_ARM)
    if out.staying.any() and not any(code in spelled for code in pd.unique(found[out.staying])):
        raise PanelError(no_arm_found(plan, sorted(named)))
    for code in sorted(named):
        out.take_out(found == code, f"{OTHER_ARM}: {code}")
    out.take_out(~pd.Series(found, dtype=object).isin(list(spelled)).to_numpy(), OTHER_ARM)
    known: dict[str | None, str] = {**spelled, **{code: code for code in named}}
    return np.array([known.get(text, "") for text in found.tolist()], dtype=object)


def no_arm_found(plan: Plan, named: list[str]) -> str:
    """Say that none of the plan's arms is in the data."""
    holds = f"; it holds {', '.join(named)}" if named else ""
    return (
        f"No kept row has one of the plan's arms ({', '.join(plan.arms.codes)}) in '{plan.arms.column}'{holds}. "
        "Write the arms' codes as the column has them, and look at records.keep."
    )
