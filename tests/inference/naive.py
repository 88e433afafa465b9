"""The same regression as a textbook would do it: every dummy a column, every matrix n x n, nothing clever."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg


@dataclass(frozen=True, slots=True, kw_only=True)
class Naive:
    """Coefficients of X (without the dummies), their covariance, Satterthwaite's df, and the parts of HTZ."""

    coefficients: np.ndarray
    covariance: np.ndarray
    df: np.ndarray
    n_singular: int
    loadings: np.ndarray  # (G, n, k): the G_c with beta_hat's error in cluster c = G_c' e
    residual_maker: np.ndarray


def naive_fit(X, y, cluster, weights=None, absorb=None, kind="CR2", tol=1e-8):
    """Fit with n x n matrices; columns of X come first, dummies of the blocks last, none may be aliased."""
    X, y = np.asarray(X, float), np.asarray(y, float)
    n, k = X.shape
    w = np.ones(n) if weights is None else np.asarray(weights, float)
    full = X if absorb is None else np.hstack([X, (np.asarray(absorb)[:, None] == np.unique(absorb)).astype(float)])
    W = np.diag(w)
    M = np.linalg.inv(full.T @ W @ full)
    P = full @ M @ full.T
    maker = np.eye(n) - P @ W
    beta, residual = M @ full.T @ W @ y, maker @ y
    whole = maker @ maker.T
    labels = np.unique(cluster)
    parts, n_singular = [], 0
    for label in labels:
        place = np.flatnonzero(np.asarray(cluster) == label)
        bread = W[np.ix_(place, place)] @ full[place] @ M[:, :k]
        if kind == "CR2":
            value, vector = linalg.eigh(whole[np.ix_(place, place)])
            n_singular += int((value < tol).sum())
            root = np.where(value < tol, 0.0, 1 / np.sqrt(np.where(value < tol, 1.0, value)))
            bread = (vector * root) @ vector.T @ bread
        elif kind == "CR3":
            bread = np.linalg.inv(maker[np.ix_(place, place)]).T @ bread
        whole_column = np.zeros((n, k))
        whole_column[place] = bread
        parts.append(whole_column)
    loadings = np.stack(parts)
    factor = len(labels) / (len(labels) - 1) if kind == "CR1" else 1.0
    score = np.einsum("gik,i->gk", loadings, residual)
    covariance = factor * score.T @ score
    df = np.empty(k)
    for j in range(k):
        p = maker.T @ loadings[:, :, j].T  # (n, G)
        gram = p.T @ p
        df[j] = np.trace(gram) ** 2 / (gram**2).sum()
    return Naive(
        coefficients=beta[:k], covariance=covariance, df=df, n_singular=n_singular, loadings=loadings,
        residual_maker=maker,
    )  # fmt: skip


def naive_htz(fit, contrasts):
    """Return F, df_num, df of the approximate Hotelling test, by the formula's letter."""
    C = np.asarray(contrasts, float)
    q = len(C)
    p = [fit.residual_maker.T @ (fit.loadings[c] @ C.T) for c in range(len(fit.loadings))]  # each (n, q)
    expected = sum(part.T @ part for part in p)
    root = linalg.fractional_matrix_power(expected, -0.5).real
    p = [part @ root for part in p]
    spread = 0.0
    for s in range(q):
        for t in range(q):
            for first in p:
                for second in p:
                    ss, tt = first[:, s] @ second[:, s], first[:, t] @ second[:, t]
                    st, ts = first[:, s] @ second[:, t], first[:, t] @ second[:, s]
                    spread += ss * tt + st * ts
    eta = q * (q + 1) / spread
    beta = C @ fit.coefficients
    wald = beta @ np.linalg.solve(C @ fit.covariance @ C.T, beta)
    return (eta - q + 1) / (eta * q) * wald, q, eta - q + 1
