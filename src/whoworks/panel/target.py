"""Guard on the target population: its shares are of groups that the data have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from whoworks.errors import PanelError, nearest
from whoworks.panel.typing import nameable
from whoworks.plan.plan import Plan


def require_target(plan: Plan, values: Mapping[str, Any]) -> None:
    """Refuse a target's share of a group that no unit can be in.

    Where the plan lists a moderator's values this is a matter of the plan alone;
    here are those whose groups the data tell. A group that could point at a
    person is not named.
    """
    if plan.target is None:
        return
    for name, entry in plan.target.means.items():
        for code in entry if isinstance(entry, dict) else ():
            if code not in values[name].categories:
                named = nameable(np.asarray(values[name], dtype=object))
                held = f", and the groups there are {', '.join(named)}" if named else ", and there is no such group"
                raise PanelError(
                    f"The plan's target gives a share for '{code}' of '{name}'{held}.{nearest(code, named)} Write the "
                    "group as the column has it, or take its share out."
                )
