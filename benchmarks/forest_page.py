"""The page of the forest's benchmarks, written from the results at hand."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
LEAVES_WITHIN, R_LOSS_WITHIN = 0.10, 0.01  # of econml's, for a ratio of times to count
UNLIKE = "\u2020"


def is_alike(row):
    """Whether both engines grew forests that are alike: leaves within 10 %, and R-losses within 1 %, of econml's."""
    leaves = row["whoworks_leaves"] / row["econml_leaves"] - 1
    r_loss = row["whoworks_r_loss"] / row["econml_r_loss"] - 1
    return abs(leaves) <= LEAVES_WITHIN and abs(r_loss) <= R_LOSS_WITHIN


def speed_table(rows):
    """Markdown of the speed comparison."""
    lines = [
        "| data | trees | s | econml, s | ratio | of CPU | leaves a tree, ours / econml | depth | R-loss | added MB* |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for r in rows:
        head = f"| {r['name']} | {r['trees']:,} | {r['whoworks_fit']:.2f} |"
        if "ratio" not in r:
            lines.append(
                f"{head} no clusters there | | | {r['whoworks_leaves']:.0f} | {r['whoworks_depth']:.0f} | "
                f"{r['whoworks_r_loss']:.4f} | {r['whoworks_memory']:.0f} |"
            )
            continue
        same = r["econml_fit"] * r["trees"] / r["econml_trees"]
        ratio = f"{r['ratio']:.0f}{'' if is_alike(r) else UNLIKE}"
        lines.append(
            f"{head} {same:.1f} | {ratio} | {r.get('ratio_cpu', float('nan')):.0f} | "
            f"{r['whoworks_leaves']:.0f} / {r['econml_leaves']:.0f} | "
            f"{r['whoworks_depth']:.0f} / {r['econml_depth']:.0f} | "
            f"{r['whoworks_r_loss']:.4f} / {r['econml_r_loss']:.4f} | "
            f"{r['whoworks_memory']:.0f} / {r['econml_memory']:.0f} |"
        )
    return lines


def tell_unlike(rows):
    """Markdown that says how many ratios do not count; nothing where all do."""
    compared = [r for r in rows if "ratio" in r]
    unlike = [r for r in compared if not is_alike(r)]
    if not unlike:
        return []
    lower = sum(r["whoworks_r_loss"] < r["econml_r_loss"] for r in unlike)
    return [
        f"{UNLIKE}Leaves or R-losses are further apart than that, so the ratio does not count: {len(unlike)} of "
        f"{len(compared)}. Ours has the lower R-loss in {lower} of them.",
        "",
    ]


def grf_table(rows):
    """Markdown of the comparison with grf; a sentence where R had none."""
    lines = ["## Speed against R's grf", ""]
    if not rows:
        return [*lines, "Timed where `Rscript -e 'library(grf)'` works; here it does not.", ""]
    lines += [
        "`causal_forest` with known prognosis and propensity, half-samples, all features tried, two threads; ours with "
        "grf's smallest leaf (five students of either arm) and equal halves, as many trees. Medians of three "
        "alternated runs. grf is the C++ core of grf 2.0.0 as R 4.2 compiles it (-O2), under R code of its 2.x "
        "versions put together by hand, since no registry of R packages was within reach.",
        "",
        "| data | trees | s | grf, s | ratio | of CPU | leaves a tree, ours / grf | depth | R-loss | added MB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for r in rows:
        pairs = (
            f"{r[f'whoworks_{key}']:.{digits}f} / {r[f'grf_{key}']:.{digits}f}"
            for key, digits in (("leaves", 0), ("depth", 0), ("r_loss", 4), ("memory", 0))
        )
        lines.append(
            f"| {r['name']} | {r['trees']} | {r['whoworks_fit']:.2f} | {r['grf_fit']:.1f} | {r['ratio']:.0f} | "
            f"{r['ratio_cpu']:.0f} | {' | '.join(pairs)} |"
        )
    return [*lines, ""]


def write_page(found, page):
    """Write the page from the results at hand, or nowhere."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "econml", "scikit-learn"))
    lines = [
        "# Benchmarks of the causal forest",
        "",
        f"Written by `benchmarks/forest.py` on {datetime.date.today()}: {os.cpu_count()} cores ({platform.machine()}), "
        f"Python {platform.python_version()}, {packages}. The machine was shared, so times are worth less than ratios, "
        "which compare medians of alternating runs.",
        "",
    ]
    if "remark" in found:
        lines += [found["remark"], ""]
    if "speed" in found:
        lines += [
            "## Speed against econml's CausalForest",
            "",
            "Both honest, half-samples, all features tried, two threads, known prognosis and propensity; econml with "
            "`min_samples_leaf=5` (students of either arm), ours with the leaf size per arm that gives as many leaves. "
            "econml is timed on fewer trees and scaled: its time is proportional to them. A ratio counts where leaves "
            "agree within 10 % and R-loss (both with econml's number of trees) within 1 %. `classes "
            "of 25` has ours at its defaults.",
            "",
            *speed_table(found["speed"]),
            "",
            "*econml's with its fewer trees.",
            "",
            *tell_unlike(found["speed"]),
        ]
    if "grf" in found:
        lines += grf_table(found["grf"])
    if "scale" in found:
        big = found["scale"]["large"]
        lines += [
            "## Scale",
            "",
            f"1,000,000 x 20, {big.get('trees', 500)} trees at the defaults: fit {big['fit']:.0f} s, "
            "out-of-bag predictions with variance "
            f"{big['oob']:.0f} s, peak {big['peak'] / 1024:.1f} GB for the whole process, data included.",
            f"Machine load while it ran: {big.get('load', 'not noted')}.",
            "",
        ]
    if "threads" in found.get("scale", {}):
        pairs = found["scale"]["threads"]
        lines += [
            f"Two threads against one (50,000 x 20): {statistics.median(pairs):.2f} times as fast, the median of "
            f"{len(pairs)} pairs ({pairs[0]:.2f} to {pairs[-1]:.2f}).",
            "",
        ]
    if "compilation" in found:
        c = found["compilation"]
        lines += [
            f"Compilation on first use: {statistics.median(c['cold']):.1f} s of wall clock on the shared machine, the "
            f"median of {len(c['cold'])} cold starts ({c['cold'][0]:.1f} to {c['cold'][-1]:.1f}); "
            f"{c['cold_cpu']:.1f} s of processor time; {c['warm']:.1f} s once the cache is filled.",
            "",
        ]
    if "limit" in found:
        b = found["limit"]
        lines += [
            "## Distance from the limit",
            "",
            f"100,000 x 28, 40 trees, one thread: each of {b['levels']:.1f} levels must read the codes and row numbers "
            f"of both parts. At the {b['bandwidth']:.1f} GB/s measured here this takes {b['floor']:.2f} s; the forest "
            f"took {b['taken']:.2f} s, {b['taken'] / b['floor']:.0f} times as long.",
            "",
        ]
    if "truth" in found:
        lines += [
            "## Standard errors when classes differ and effects do not",
            "",
            f"40 classes of 25, ICC .2, arms by class, effect zero; {found['truth'][0]['replicates']} replicates, 500 "
            "trees, honest halves equal, five fixed points. Coverage is of the forest's own mean by estimate -+ 1.96 "
            "SE and by `interval`, whose t has the degrees of freedom that clusters and bags leave; Monte-Carlo error "
            "of a share about .011.",
            "",
            "| grown | replicate SD | mean SE / SD | coverage, 1.96 SE | coverage, `interval` |",
            "| --- | --- | --- | --- | --- |",
        ]
        for r in found["truth"]:
            cells = (
                " ".join(f"{v:.3f}" for v in r[key])
                for key in ("spread", "ratio", "coverage", "coverage_t")
                if key in r
            )
            lines.append(f"| {r['name']} | " + " | ".join(cells) + " |")
        lines.append("")
    if "accuracy" in found:
        lines += [
            "## Error of predictions where effects vary",
            "",
            "Root-mean-square error against the true effect on the same draws, 400 trees each, known prognosis. The "
            "effect is c (1(x0 > 0) + x1 / 2), in standard deviations of the noise. `as shipped` is ours at its "
            "defaults, with leaves of five students of each arm and splits chosen by up to three fifths of a tree's "
            "students (docs/decisions/0033); `leaves alike` is ours with leaves as large as econml's, which keeps five "
            "of either, and halves as equal as there.",
            "",
            "| c | students | draws | ours, as shipped | econml | ratio as shipped | ratio, leaves alike |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
        for r in found["accuracy"]:
            ratios = " | ".join(f"{v:.3f} ({e:.3f})" for v, e in zip(r["ratio"], r["error"], strict=True))
            lines.append(
                f"| {r['size']:g} | {r['n']:,} | {r['draws']} | {r['ours']:.4f} | {r['econml']:.4f} | {ratios} |"
            )
        lines.append("")
    text = "\n".join(lines)
    if page is not None:
        page.write_text(text, encoding="utf-8")
