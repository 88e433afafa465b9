"""Features that name clusters or blocks: found, refused in a frame, and told apart from those that measure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.forests.test_designs import all_finite, coloured, fit
from whoworks.errors import ForestError
from whoworks.forests.table import list_renamed, read_features


def test_a_category_with_holes_is_read_level_by_level_where_groups_are_few():
    table, y, z, cluster = coloured()
    table.loc[::20, "colour"] = None
    assert all_finite(fit(table, y, z, cluster, block=cluster // 10))


def test_a_feature_that_names_the_blocks_is_refused_in_a_frame_and_not_in_a_table_cut_from_more():
    table, y, z, cluster = coloured()
    table["place"] = pd.Categorical(np.where(cluster < 10, "here", "there"))
    with pytest.raises(ForestError, match="'place' names the block"):
        fit(table, y, z, cluster, block=cluster // 10)
    assert all_finite(fit(read_features(table), y, z, cluster, block=cluster // 10))


def test_features_that_only_name_the_groups_are_listed():
    group = np.repeat(np.arange(3), 4)
    table = read_features(
        pd.DataFrame(
            {
                "name": pd.Categorical(np.array(["b", "a", "c"])[group]),
                "hole": pd.Categorical(np.array(["b", "a", None])[group]),
                "kind": pd.Categorical(np.array(["b", "a", "a"])[group]),
                "mixed": pd.Categorical(np.tile(["a", "b", "c"], 4)),
                "size": np.array([3.0, 1.0, 2.0])[group],
            }
        )
    )
    assert list_renamed(table, group) == ("name", "hole")
    assert list_renamed(table, np.minimum(group, 1)) == ("kind",)
    assert list_renamed(table.take(group != 1), group[group != 1]) == ("name", "hole", "kind", "size")
    assert list_renamed(table, np.zeros_like(group)) == ()
