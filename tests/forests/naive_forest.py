"""Naive NumPy twins of the kernels: slow, obvious, and written apart from them."""

from __future__ import annotations

import numpy as np


def naive_rho(y, z, w):
    """Pseudo-outcomes of a node for any number of effects; z (n, d)."""
    if z.shape[1] == 0:
        return (w * (y - np.average(y, weights=w)))[:, None]
    zc = z - np.average(z, axis=0, weights=w)
    yc = y - np.average(y, weights=w)
    a = (zc * w[:, None]).T @ zc
    tau = np.linalg.solve(a, (zc * w[:, None]).T @ yc)
    scale = np.linalg.inv(a) if z.shape[1] > 1 else np.eye(1)
    return (zc @ scale.T) * ((yc - zc @ tau) * w)[:, None]


def naive_allowed(left, arm, n_arms, least, imbalance):
    """Rows and information of each arm on both sides."""
    sides = [arm[left], arm[~left]]
    if n_arms == 1:
        return all(len(s) >= max(least, imbalance * len(arm), 1) for s in sides)
    if any((s == a).sum() < least for s in sides for a in range(n_arms)):
        return False
    for a in range(1, n_arms):
        share = (arm == a).mean()
        whole = len(arm) * share * (1 - share)
        if any(len(s) * (s == a).mean() * (1 - (s == a).mean()) < imbalance * whole - 1e-9 for s in sides):
            return False
    return True


def naive_clusters(left, arm, cluster, n_arms, least):
    """Different clusters of each arm on both sides."""
    return all(len(set(cluster[side & (arm == a)])) >= least for side in (left, ~left) for a in range(n_arms))


def naive_cuts(code, is_categorical, rho, w):
    """All partitions of the splitting part: (set of codes that go left, missing left or None)."""
    present = sorted(set(code[code != 255]))
    if is_categorical:
        present = sorted(present, key=lambda c: rho[code == c, 0].sum() / w[code == c].sum())
    has_missing = (code == 255).any()
    for j in range(len(present)):
        for way in (False, True) if has_missing else (None,):
            yield set(present[: j + 1]), way


def naive_left(code, codes_left, way, is_categorical, larger_is_left):
    """Apply a cut to any rows."""
    way = larger_is_left if way is None else way
    if is_categorical:
        return np.array([c in codes_left if c != 255 else way for c in code])
    return np.where(code == 255, way, code <= max(codes_left))


def naive_split(codes, categorical, y, z, arm, w, cluster, rows, others, rules):
    """Best split of a node by trying everything; None when nothing is allowed."""
    rho = naive_rho(y[rows], z[rows], w[rows])
    best = (0.0, None)
    for f in range(codes.shape[1]):
        here, there = codes[rows, f], codes[others, f]
        known = set(here)
        for codes_left, way in naive_cuts(here, categorical[f], rho, w[rows]):
            left = np.isin(here, list(codes_left)) | ((here == 255) & bool(way))
            larger = 2 * left.sum() >= len(left)
            if not 0 < left.sum() < len(left):
                continue
            if not naive_allowed(left, arm[rows], rules.n_arms, rules.min_rows, rules.imbalance):
                continue
            to_left = larger if way is None else way
            if categorical[f]:
                there = np.where(np.isin(codes[others, f], list(known)), codes[others, f], 255)
            left_there = naive_left(there, codes_left, to_left, categorical[f], larger).astype(bool)
            if rules.min_clusters and not (
                naive_clusters(left, arm[rows], cluster[rows], rules.n_arms, rules.min_clusters)
                and naive_clusters(left_there, arm[others], cluster[others], rules.n_arms, rules.min_clusters)
            ):
                continue
            weights = w[rows] if rules.weighted else np.ones(len(rows))
            wl, wr = weights[left].sum(), weights[~left].sum()
            gain = float((rho[left].sum(axis=0) ** 2).sum() / (wl * wr))
            if gain > best[0] * (1 + 1e-9):
                best = (gain, (f, codes_left, to_left, known))
    return best[1]


def naive_tree(codes, categorical, y, z, arm, w, cluster, rows, others, rules):
    """Return leaves as (predicate on codes, estimating rows used)."""

    def grow(rows, others, above, test):
        holds = set(arm[others]) >= set(range(rules.n_arms))
        used = others if holds else above
        split = None
        if len(rows) >= 2 * rules.n_arms * rules.min_rows:
            split = naive_split(codes, categorical, y, z, arm, w, cluster, rows, others, rules)
        if split is None:
            return [(test, used)]
        f, codes_left, way, known = split

        def goes(c, f=f, codes_left=codes_left, way=way, known=known):
            column = c[:, f].astype(int)
            if categorical[f]:
                column = np.where(np.isin(column, list(known)), column, 255)
            return naive_left(column, codes_left, way, categorical[f], way).astype(bool)

        left_rows, left_others = goes(codes[rows]), goes(codes[others])
        return grow(rows[left_rows], others[left_others], used, lambda c: test(c) & goes(c)) + grow(
            rows[~left_rows], others[~left_others], used, lambda c: test(c) & ~goes(c)
        )

    return grow(rows, others, others, lambda c: np.ones(len(c), bool))


def naive_moments(y, z, w, rows):
    """Leaf payload: means of y, z, zy, upper triangle of zz'."""
    y, z, w = y[rows], z[rows], w[rows] / w[rows].sum()
    zz = [(w * z[:, k] * z[:, j]).sum() for k in range(z.shape[1]) for j in range(k, z.shape[1])]
    return np.array([(w * y).sum(), *(w @ z), *((w * y) @ z), *zz])
