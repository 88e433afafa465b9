"""Guard on the target population: its shares are of groups that the data have."""

from __future__ import annotations

from collections.abc import Sequence

from whoworks.errors import PanelError, nearest
from whoworks.panel.panel import Variable
from whoworks.plan.plan import Plan


def require_target(plan: Plan, variables: Sequence[Variable]) -> None:
    """Refuse a target's share of a group that no unit can be in.

    Where the plan lists a moderator's values this is a matter of the plan alone;
    here are those whose groups the data tell.
    """
    if plan.target is None:
        return
    levels = {variable.name: variable.levels for variable in variables}
    for name, entry in plan.target.means.items():
        for code in entry if isinstance(entry, dict) else ():
            if code not in levels[name]:
                raise PanelError(
                    f"The plan's target gives a share for '{code}' of '{name}', and the groups there are "
                    f"{', '.join(levels[name])}.{nearest(code, levels[name])}"
                )
