"""The grid holds every pair of levels, and every cell is a pilot that can be drawn."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from benchmarks.truth.cells import (
    ASSIGNED,
    CLUSTERS,
    GRID_WORLDS,
    ICC,
    NAMED,
    all_cells,
    designed_grid,
    is_possible,
    quick_cells,
)

from whoworks.simulate.pilot import draw_pilot


def pairs(points):
    return {pair for point in points for pair in combinations(enumerate(point), 2)}


def test_every_pair_of_levels_that_can_occur_does():
    possible = [point for point in product(GRID_WORLDS, ASSIGNED, CLUSTERS, ICC) if is_possible(*point)]
    assert pairs(cell.key for cell in designed_grid()) == pairs(possible)


def test_about_a_hundred_and_twenty_cells_suffice():
    assert 108 <= len(designed_grid()) <= 130


def test_two_dozen_named_cells_predict_effects_with_eight_clusters_among_them():
    assert 22 <= sum(cell.forest_replicates > 0 for cell in NAMED) <= 30
    assert any(cell.clusters == 8 and cell.forest_replicates for cell in NAMED)


def test_no_two_cells_share_a_row_of_the_table_or_a_folder():
    assert len({cell.key for cell in all_cells()}) == len({cell.name for cell in all_cells()}) == len(all_cells())


@pytest.mark.parametrize("cell", [cell for cell in all_cells() if cell.clusters <= 40], ids=lambda cell: cell.name)
def test_a_pilot_of_the_cell_can_be_drawn(cell):
    pilot, _ = draw_pilot(cell.truth_world, cell.layout, seed=1)
    assert len(pilot.records) == cell.clusters * cell.per_cluster


def test_the_quick_profile_is_made_of_named_cells():
    assert len(quick_cells()) == 5
    assert {cell.key for cell in quick_cells()} <= {cell.key for cell in NAMED}
