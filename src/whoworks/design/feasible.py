"""What a design must have before any effect can be estimated."""

from __future__ import annotations

import numpy as np

from whoworks.design.design import Design
from whoworks.design.levels import count_distinct
from whoworks.errors import InfeasibleError
from whoworks.language import plural


def require_feasible(design: Design) -> None:
    """Raise when an arm is absent or has a single cluster, or when nothing was drawn at random.

    Ledger and checks of such a study are still worth reading: build them first.

    Raises
    ------
    InfeasibleError
        With the sentence that says what can and cannot be said.
    """
    if design.kind == "matched":
        raise InfeasibleError(
            "The plan says kind = 'matched': nobody was randomised. This version estimates effects in randomised "
            "trials only, where the chance of each arm is known; who was there is in the ledger and the checks. If "
            'arms were drawn at random after all, write kind = "randomised".'
        )
    if not len(design.rows):
        raise InfeasibleError(
            f"Nothing can be compared: {nothing_left(design)}. What can be said is who was there, in the ledger and "
            "the checks."
        )
    count = count_distinct(within=design.arm, codes=design.cluster, n=len(design.arms))
    require_every_arm(design, count)
    word = design.cluster_level
    if count.min() > 1:
        return
    label = design.arm_labels[int(np.argmin(count))]
    raise InfeasibleError(
        f"The arm '{label}' has a single {word}, so the effect of the arm cannot be told apart from what is particular "
        f"to that {word}, and no range can be given. What can be said is who was there, in the ledger and the checks; "
        f"an effect needs at least two {plural(word)} in each arm."
    )


def nothing_left(design: Design) -> str:
    """Say why no unit can be compared with another, and what to do where blocks are the reason."""
    block = design.block_level
    if not block:
        return "no unit is left"
    lacking = f"every {block} holds one arm only" if len(design.arms) == 2 else f"no {block} holds every arm"
    return (
        f"{lacking}, and the plan says under design.blocks that arms were drawn within each {block}. Leave "
        "design.blocks out if they were drawn over the whole study, or name there what they were drawn within"
    )


def require_every_arm(design: Design, count: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    """Raise when an arm of the plan has nobody in it."""
    absent = [label for label, n in zip(design.arm_labels, count, strict=True) if n == 0]
    if not absent:
        return
    present = [label for label, n in zip(design.arm_labels, count, strict=True) if n > 0]
    raise InfeasibleError(
        f"Nobody is in the arm {' or '.join(repr(label) for label in absent)}: only "
        f"{' and '.join(repr(label) for label in present)} was found, and without a comparison no effect can be "
        f"estimated. What can be said is who was there, in the ledger and the checks; if the arm's code is written "
        f"differently in the records, correct it under [arms]."
    )
