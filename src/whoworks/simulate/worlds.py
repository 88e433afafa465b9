"""The worlds that whoworks is judged in, by name."""

from __future__ import annotations

from whoworks.errors import DesignError, nearest
from whoworks.simulate.world import World

_ALL = (
    World(
        name="no-effect",
        summary="The programme changes nobody's score.",
        equations="tau = 0 for every student; every effect and every difference is exactly 0.",
    ),
    World(
        name="constant-effect",
        summary="The programme gives every student the same.",
        equations="tau = 0.25 SD for every student; every difference is exactly 0.",
        average=0.25,
    ),
    World(
        name="class-varying",
        summary="Effects vary over classes and schools along nothing that is recorded: the null that breaks tests.",
        equations="tau = 0.20 + 0.30 v; average 0.20 SD; every difference along a moderator is 0.",
        average=0.20,
        varying=0.30,
    ),
    World(
        name="student-moderator",
        summary="Students with free or reduced-price lunch gain more.",
        equations="tau = 0.20 + 0.25 (F - .48); average 0.20; F = 1: 0.33, F = 0: 0.08, difference 0.25 SD.",
        average=0.20,
        by_frl=0.25,
    ),
    World(
        name="classroom-moderator",
        summary="Classes with their own devices gain more.",
        equations="tau = 0.20 + 0.30 (D - 1/2); average 0.20; D = 1: 0.35, D = 0: 0.05, difference 0.30 SD.",
        average=0.20,
        by_devices=0.30,
    ),
    World(
        name="both",
        summary="Lunch status and devices both matter, and each more where the other is present.",
        equations=(
            "tau = 0.20 + 0.25 (F - .48) + 0.30 (D - 1/2) + 0.20 (F - .48)(D - 1/2); average 0.20; "
            "differences 0.25 SD along F, 0.30 SD along D; the product is centred, so it moves neither."
        ),
        average=0.20,
        by_frl=0.25,
        by_devices=0.30,
        by_both=0.20,
    ),
    World(
        name="middle-heavy",
        summary="Students in the middle of the fall scores gain most; no straight line shows it.",
        equations=(
            "tau = 0.20 + 0.60 (exp(-2 x^2) - 1 / sqrt(5)); average 0.20; the slope along the fall score is 0. "
            "Lunch status is related to x, hence a small difference along it, in closed form."
        ),
        average=0.20,
        peak=0.60,
        planned=("frl", "rit_fall"),
    ),
    World(
        name="rare-subgroup",
        summary="Only English learners, 8 % of students, gain.",
        equations="tau = 0.60 E; average 0.048; E = 1: 0.60, E = 0: 0, difference 0.60 SD.",
        average=0.60 * 0.08,
        by_el=0.60,
        planned=("frl", "el"),
    ),
    World(
        name="binary-outcome",
        summary="A test is passed or not; the programme raises the score beneath by the same for everyone.",
        equations=(
            "passed = 1 when y + 0.25 z exceeds the cut that 45 % exceed without the programme; effects are "
            "differences of bivariate normal probabilities, in percentage points."
        ),
        average=0.25,
        binary=True,
    ),
    World(
        name="opposite-slopes",
        summary="Better fall scores go with better spring scores within classes, and with worse ones between them.",
        equations="tau = 0.20; fall and spring scores correlate by .7 within classes, -.7 between classes and schools.",
        average=0.20,
        correlation=(-0.7, -0.7, 0.7),
    ),
    World(
        name="informative-size",
        summary="Larger classes (or schools) gain more, so that students and clusters have different average effects.",
        equations=(
            "tau = 0.20 + 0.50 (n / mean n - 1); average over clusters 0.20, "
            "over students 0.20 + 0.50 var(n) / mean(n)^2."
        ),
        average=0.20,
        by_size=0.50,
    ),
    World(
        name="size-by-arm",
        summary="Offered classes are made smaller, and students are drawn into classes.",
        equations="tau = 0.20; offered classes have 0.65 times the size of others; classes differ by teacher alone.",
        average=0.20,
        size_by_arm=0.65,
    ),
    World(
        name="useless-prognosis",
        summary="The pre-test says nothing about the outcome.",
        equations="tau = 0.20; fall and spring scores are independent.",
        average=0.20,
        correlation=(0.0, 0.0, 0.0),
    ),
    World(
        name="unequal-shares",
        summary="Schools offer the programme to a quarter, half or three quarters, and gain more for it.",
        equations=(
            "tau = 0.20 + 0.60 (e - mean e), y higher by 1.0 (e - mean e), e in turn 1/4, 1/2, 3/4; average 0.20. "
            "Weights by e recover it; without weights, or without blocks, it is missed."
        ),
        average=0.20,
        by_share=0.60,
        block_shares=(0.25, 0.50, 0.75),
        share_to_outcome=1.0,
    ),
    World(
        name="three-arms",
        summary="The programme alone, or with coaching, against usual practice.",
        equations=(
            "adaptive: tau = 0.15 + 0.25 (F - .48); coached: 0.15 more for everyone, average 0.30; "
            "difference along F 0.25 SD in both contrasts."
        ),
        average=0.15,
        by_frl=0.25,
        coached=0.15,
    ),
    World(
        name="attrition",
        summary="Weak students leave the programme's arm, and their spring scores are lost.",
        equations=(
            "tau = 0.20; the spring score is lost for 4 % of controls, and in the other arm with odds of "
            "12 to 88 at the mean, times exp(-1.0 x)."
        ),
        average=0.20,
        attrition=(0.04, 0.12),
        attrition_slope=1.0,
    ),
    World(
        name="partial-takeup",
        summary="Six in ten students who are offered the programme use it, and one in twenty of the others.",
        equations=(
            "The offer acts through use alone; ITT average 0.165, among compliers (55 %) 0.30 + 0.25 (F - .48)."
        ),
        average=0.165,
        by_frl=0.1375,
        take_up=(0.05, 0.60),
    ),
    World(
        name="heavy-tails",
        summary="Some students' scores change wildly for reasons of their own.",
        equations="tau = 0.20 + 0.25 (F - .48); the student's own change follows t with 3 degrees of freedom.",
        average=0.20,
        by_frl=0.25,
        heavy_tails=True,
    ),
    World(
        name="lakeside",
        summary="The demonstration: an effect on average, more for students with free or reduced-price lunch.",
        equations=(
            "ITT: 0.25 + 0.30 (F - .48); average 0.25; F = 1: 0.406, F = 0: 0.106, difference 0.30 SD; "
            "93 % of those offered use it and nobody else; nothing else changes the effect."
        ),
        average=0.25,
        by_frl=0.30,
        take_up=(0.0, 0.93),
    ),
)

WORLDS: dict[str, World] = {world.name: world for world in _ALL}


def find_world(name: str) -> World:
    """Return the world called `name`; a DesignError names the nearest one."""
    if name not in WORLDS:
        raise DesignError(f"There is no world '{name}'.{nearest(name, list(WORLDS))} Worlds: {', '.join(WORLDS)}.")
    return WORLDS[name]
