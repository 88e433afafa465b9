"""The three pictures of the page: size by number of clusters, coverage, and power against the oracle."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

INK, PALE, ALARM = "#1b3a57", "#9db4c8", "#b5482f"
PEERS = {
    "OLS interaction, iid": "#b5482f", "OLS interaction, CR1": "#d98f4e", "OLS interaction, CR2": "#7a9a6a",
    "row-wise doubly robust scores": "#8b5f8f", "econml CausalForestDML": "#5f5f5f",
    "grf causal_forest": "#4e8d9c",
}  # fmt: skip


def draw_figures(table: pd.DataFrame, folder: Path) -> list[Path]:
    """Draw all three from the table into a folder; the same table gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, draw in (("size", _draw_size), ("coverage", _draw_coverage), ("power", _draw_power)):
        figure, axes = plt.subplots(figsize=(7.5, 4.0), layout="constrained")
        draw(axes, table)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        path = folder / f"truth_{name}.svg"
        with plt.rc_context({"svg.hashsalt": "truth"}):
            figure.savefig(path, metadata={"Date": None})
        plt.close(figure)
        drawn.append(path)
    return drawn


def _split(table: pd.DataFrame) -> pd.DataFrame:
    parts = table["diagnosand"].str.rsplit(": ", n=1, expand=True)
    return table.assign(target=parts[0], measure=parts[1])


def _jitter(clusters: pd.Series, place: int, count: int) -> pd.Series:
    return clusters * (1 + 0.05 * (place - (count - 1) / 2))


def _points(axes: Axes, rows: pd.DataFrame, colour: str, label: str, place: int, count: int) -> None:
    x = _jitter(rows["clusters"].astype(float), place, count)
    value = rows["value"]
    reach = [value - rows["low"].clip(0, 1), rows["high"].clip(0, 1) - value]
    axes.errorbar(x, value, yerr=reach, fmt="o", ms=4, lw=1, color=colour, label=label, alpha=0.85)


def _by_clusters(axes: Axes, table: pd.DataFrame) -> None:
    axes.set_xscale("log")
    ticks = sorted(table["clusters"].unique())
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("clusters assigned")


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _draw_size(axes: Axes, table: pd.DataFrame) -> None:
    """Draw how often a class's own moderator is found to matter where it does not, ours and the peers'."""
    rows = _split(table)
    own = rows[(rows["measure"] == "size") & (rows["target"] == "difference devices") & (rows["assigned"] == "class")]
    own = own[own["icc"] == 0.2]
    groups = [("whoworks", INK), *PEERS.items()]
    for place, (name, colour) in enumerate(groups):
        found = own[own["procedure"] == name]
        if len(found):
            _points(axes, found, colour, name, place, len(groups))
    axes.axhline(0.05, color=PALE, lw=1)
    _by_clusters(axes, own)
    axes.set_ylabel("share of true nulls rejected at 5 %")
    axes.set_title("A class's own devices, which change nothing", loc="left", fontsize=11)
    _legend(axes)


def _draw_coverage(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the coverage of the average, of groups and of planned differences in every cell."""
    rows = _split(table)
    own = rows[(rows["measure"] == "coverage") & (rows["procedure"] == "whoworks")]
    kinds = (("average", INK), ("subgroup", "#7a9a6a"), ("difference", "#d98f4e"))
    for place, (kind, colour) in enumerate(kinds):
        found = own[own["target"].str.split(" ").str[0] == kind]
        x = _jitter(found["clusters"].astype(float), place, len(kinds))
        axes.scatter(x, found["value"], s=12, color=colour, label=kind, alpha=0.7)
    axes.axhspan(0.93, 0.97, color=PALE, alpha=0.3, lw=0)
    axes.axhline(0.95, color=PALE, lw=1)
    _by_clusters(axes, own)
    axes.set_ylabel("share of 95 % intervals that hold the truth")
    axes.set_title("Coverage in every cell; the band is .93 to .97", loc="left", fontsize=11)
    _legend(axes)


def _draw_power(axes: Axes, table: pd.DataFrame) -> None:
    """Draw power where the moderator matters, beside that of a regression that knows the model."""
    rows = _split(table)
    own = rows[(rows["measure"] == "power") & rows["target"].isin(["difference frl", "difference devices"])]
    place = ["world", "assigned", "clusters", "icc", "target"]
    both = own.pivot_table(index=place, columns="procedure", values="value")
    axes.plot([0, 1], [0, 1], color=PALE, lw=1)
    if {"whoworks", "oracle"} <= set(both.columns):
        both = both.dropna(subset=["whoworks", "oracle"])
        axes.scatter(both["oracle"], both["whoworks"], s=18, color=INK)
        for (world, _, clusters, _, target), point in both.iterrows():
            words = f"{world}, {clusters}: {target.split(' ')[1]}"
            axes.annotate(words, (point["oracle"], point["whoworks"]), fontsize=6, xytext=(4, -6),
                          textcoords="offset points")  # fmt: skip
    axes.set_xlabel("power of a regression that knows the model")
    axes.set_ylabel("power of whoworks")
    axes.set_title("Power at 5 %, before adjustment for several tests", loc="left", fontsize=11)
