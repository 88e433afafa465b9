"""The layout of a pilot: how many students, classes and schools, who is assigned, and within what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from whoworks.design.design import Codes, Vector
from whoworks.errors import DesignError

Assigned = Literal["student", "class", "school"]
Blocks = Literal["", "none", "school", "pair"]

SMALLEST_CLASS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Students in classes in schools, and how the programme is drawn among them.

    `assigned` is what carries the arm. `blocks` are the sets it is drawn within:
    "school", "pair" (neighbours in their fall score: students of a class, classes of a
    school, or schools) or "none"; "" takes schools as blocks wherever they
    are not themselves assigned. `share` is the part of each block that is
    offered the programme. `icc` is the part of the variance of scores that lies
    between schools and between classes of a school, half each.
    """

    students: int = 1200
    classes: int = 48
    schools: int = 12
    assigned: Assigned = "class"
    blocks: Blocks = ""
    share: float = 0.5
    icc: float = 0.2

    def __post_init__(self) -> None:
        if self.assigned not in ("student", "class", "school"):
            raise DesignError(f"assigned is '{self.assigned}'; it can be student, class or school.")
        if self.blocks not in ("", "none", "school", "pair"):
            raise DesignError(f"blocks is '{self.blocks}'; it can be school, pair, none, or empty.")
        if not 0 < self.share < 1 or not 0 <= self.icc < 1:
            raise DesignError(f"share is {self.share} and icc is {self.icc}; share lies in (0, 1) and icc in [0, 1).")
        if not 1 <= self.schools <= self.classes or self.students < 2 * SMALLEST_CLASS * self.classes:
            raise DesignError(
                f"{self.students} students, {self.classes} classes, {self.schools} schools: each school needs a class, "
                f"and classes need {2 * SMALLEST_CLASS} students on average."
            )
        if self.assigned == "school" and (self.blocks == "school" or self.schools < 4):
            raise DesignError("Schools can be assigned when there are 4 or more, in pairs or without blocks.")
        if self.assigned == "class" and self.block_level and self.classes < 2 * self.schools:
            raise DesignError(
                f"{self.classes} classes in {self.schools} schools leave schools with one class, where nothing can be "
                f"drawn. Ask for {2 * self.schools} or more classes, for fewer schools, or for students as what is "
                "assigned."
            )

    @property
    def block_level(self) -> str:
        """What is a block: "school", "pair", or "" where there are none."""
        if self.blocks == "":
            return "" if self.assigned == "school" else "school"
        return "" if self.blocks == "none" else self.blocks

    @property
    def cluster_level(self) -> str:
        """What inference counts by default: what carries the arm; schools, if students of 10 or more are drawn."""
        if self.assigned != "student":
            return self.assigned
        return "school" if self.schools >= 10 else "student"

    @property
    def place_level(self) -> str:
        """The places whose sizes are spread out: classes where classes are assigned, else schools."""
        return "class" if self.assigned == "class" else "school"

    @property
    def school_of_class(self) -> Codes:
        """(classes,) the school of each class; schools differ by at most one class."""
        home: Codes = (np.arange(self.classes) * self.schools) // self.classes
        return home

    @property
    def place_sizes(self) -> Codes:
        """Sizes of all places, smallest first: evenly from 0.6 to 1.4 times the mean, so that moments are known."""
        count = self.classes if self.place_level == "class" else self.schools
        return divide(total=self.students, weights=np.linspace(0.6, 1.4, count))


def divide(*, total: int, weights: Vector) -> Codes:
    """Divide `total` in proportion to `weights` by largest remainder, four at least to each."""
    exact = SMALLEST_CLASS + weights / weights.sum() * (total - SMALLEST_CLASS * len(weights))
    parts: Codes = np.floor(exact).astype(np.int64)
    order = np.argsort(parts - exact, kind="stable")
    parts[order[: total - int(parts.sum())]] += 1
    return parts
