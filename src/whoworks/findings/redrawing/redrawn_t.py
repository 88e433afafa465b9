"""Kernels: the CR2 t statistic of one coefficient under every draw of the assignment, one draw after another.

A draw names an arm for each of G clusters. A cluster's arm and block choose its
regressors among its three columns C_c, X_c = C_c R_c with R_c of zeros and ones, so
that C_c'C_c and C_c'y_c say all there is to know of it. With w_c its weight:

    M     (sum_c w_c X_c'X_c)^-1
    N     M (sum_c w_c^2 X_c'X_c) M
    B_c   I - C_c K_c C_c',  K_c = R_c (2 w_c M - N) R_c'
    t     beta_j / sqrt(sum_c (w_c e_j' M X_c' B_c^(-1/2) r_c)^2)

With C_c = U_c T_c, U_c orthonormal, B_c is I - T_c K_c T_c' on the span of U_c
and I beyond it (Pustejovsky & Tipton 2018, equation 8). Fewer columns than
three are filled up with zeros, which change nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whoworks.kernels import kernel

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]

DOUBTFUL = 1e-7  # eigenvalues of the scaled cross-products, or of B_c, that the regression itself has to judge
GONE = 1e-11  # eigenvalues of B_c that are zero but for rounding: a leverage of one, generalised inverse
WIDE = 3  # columns of C: a basis of one or two, and the prognosis
SMALL = 1e-3  # smallest eigenvalue of B_c whose root is taken without finding it
SETTLED = 1e-9  # of Newton's value: the next step is of its square
MOST_STEPS = 30
LEVEL = 1e-15  # off-diagonals that are as good as zero beside eigenvalues of about one
MOST_SWEEPS = 30


class Clusters(NamedTuple):
    """What G clusters contribute, whatever the draw.

    gram : (G, 3, 3) C'C;  cross : (G, 3) C'y of an untreated cluster
    forth, back : (G, 3, 3) T, and the generalised inverse of T'
    weight : (G, arms);  block : (G,) codes
    """

    gram: Vector
    cross: Vector
    forth: Vector
    back: Vector
    weight: Vector
    block: Codes


class Columns(NamedTuple):
    """Which of the columns of X a cluster fills, and from which columns of C.

    place, source : (arms, blocks, most) of both;  filled : (arms, blocks) how many there are
    width : the number of columns of X;  asked : the place of the coefficient asked
    """

    place: Codes
    source: Codes
    filled: Codes
    width: int
    asked: int


@kernel
def tell_draws(clusters: Clusters, columns: Columns, drawn: Codes, treated: int, effect: float) -> Vector:
    """Return the t statistic of the coefficient asked in each of (D, G) draws, NaN where the regression has to judge.

    Outcomes of clusters in arm `treated` are raised by `effect`.
    """
    q = columns.width
    n = len(clusters.cross)
    told = np.full(len(drawn), np.nan)
    products, spread, inverse, spare = np.empty((q, q)), np.empty((q, q)), np.empty((q, q)), np.empty((q, q))
    total, slopes, outcome = np.empty(q), np.empty(q), np.empty((n, WIDE))
    views = np.empty((*columns.filled.shape, 2 * WIDE + 2, WIDE))
    room = np.empty((WIDE, WIDE)), np.empty((WIDE, WIDE)), np.empty(WIDE), np.empty(WIDE)
    for d in range(len(drawn)):
        arms = drawn[d]
        for c in range(n):
            raised = effect if arms[c] == treated else 0.0
            for s in range(WIDE):
                outcome[c, s] = clusters.cross[c, s] + raised * clusters.gram[c, s, 0]
        sum_up(clusters, columns, arms, outcome, products, spread, total)
        if not invert(products, spare, inverse):
            continue
        for j in range(q):
            slopes[j] = 0.0
            for k in range(q):
                slopes[j] += inverse[j, k] * total[k]
        multiply(spread, inverse, spare)
        multiply(inverse, spare, products)
        view(columns, inverse, products, slopes, views)
        variance = sum_squares(clusters, arms, outcome, views, room)
        if variance > 0.0:
            told[d] = slopes[columns.asked] / np.sqrt(variance)
    return told


@kernel
def sum_up(
    clusters: Clusters, columns: Columns, arms: Codes, outcome: Vector, products: Vector, spread: Vector, total: Vector
) -> None:
    """Sum w X'X, w^2 X'X and w X'y over clusters."""
    products[:], spread[:], total[:] = 0.0, 0.0, 0.0
    for c in range(len(arms)):
        arm, block = arms[c], clusters.block[c]
        w = clusters.weight[c, arm]
        place, source = columns.place[arm, block], columns.source[arm, block]
        for i in range(columns.filled[arm, block]):
            j, s = place[i], source[i]
            total[j] += w * outcome[c, s]
            for k in range(columns.filled[arm, block]):
                product = w * clusters.gram[c, s, source[k]]
                products[j, place[k]] += product
                spread[j, place[k]] += w * product


@kernel
def invert(products: Vector, root: Vector, inverse: Vector) -> bool:
    """Invert (q, q) cross-products scaled to a diagonal of one, by Cholesky; False where they are near to singular.

    With L the root of the scaled products S, S^-1 = L'^-1 L^-1; the smallest
    eigenvalue of S is at least 1 / the Frobenius length of S^-1.
    """
    q = len(products)
    for i in range(q):
        for j in range(i + 1):
            scale = np.sqrt(products[i, i] * products[j, j])
            left = products[i, j] / scale if scale > 0.0 else 0.0
            for k in range(j):
                left -= root[i, k] * root[j, k]
            if i == j and not left >= DOUBTFUL:
                return False
            root[i, j] = np.sqrt(left) if i == j else left / root[j, j]
    for j in range(q):
        root[j, j] = 1.0 / root[j, j]
        for i in range(j + 1, q):
            left = 0.0
            for k in range(j, i):
                left -= root[i, k] * root[k, j]
            root[i, j] = left / root[i, i]
    length = 0.0
    for i in range(q):
        for j in range(q):
            entry = 0.0
            for k in range(max(i, j), q):
                entry += root[k, i] * root[k, j]
            length += entry * entry
            inverse[i, j] = entry / np.sqrt(products[i, i] * products[j, j])
    return length * DOUBTFUL * DOUBTFUL <= 1.0


@kernel
def multiply(one: Vector, other: Vector, product: Vector) -> None:
    """Fill `product` with one times the other, all (q, q)."""
    product[:] = 0.0
    for i in range(len(one)):
        for k in range(len(one)):
            if one[i, k] != 0.0:
                for j in range(len(one)):
                    product[i, j] += one[i, k] * other[k, j]


@kernel
def view(columns: Columns, inverse: Vector, sandwich: Vector, slopes: Vector, views: Vector) -> None:
    """Fill `views` (arms, blocks, 8, 3) with R M R', R N R', R M e_j and R beta, one below the other."""
    views[:] = 0.0
    for arm in range(views.shape[0]):
        for block in range(views.shape[1]):
            place, source = columns.place[arm, block], columns.source[arm, block]
            into = views[arm, block]
            for i in range(columns.filled[arm, block]):
                j, s = place[i], source[i]
                into[2 * WIDE, s] += inverse[j, columns.asked]
                into[2 * WIDE + 1, s] += slopes[j]
                for k in range(columns.filled[arm, block]):
                    into[s, source[k]] += inverse[j, place[k]]
                    into[WIDE + s, source[k]] += sandwich[j, place[k]]


@kernel
def sum_squares(
    clusters: Clusters, arms: Codes, outcome: Vector, views: Vector, room: tuple[Vector, Vector, Vector, Vector]
) -> float:
    """Return sum_c (w_c e_j' M X_c' B_c^(-1/2) r_c)^2, NaN where a leverage is all but one.

    With a = R_c M e_j and b = C_c' r_c: a'b, and what B_c changes of it, (T_c a)' (B_c^(-1/2) - I) (T_c'^-1 b).
    `room` is where it works: two (3, 3) and two (3,).
    """
    half, shift, one, other = room
    variance = 0.0
    for c in range(len(arms)):
        seen, w = views[arms[c], clusters.block[c]], clusters.weight[c, arms[c]]
        gram, forth, back = clusters.gram[c], clusters.forth[c], clusters.back[c]
        one[:], other[:] = 0.0, 0.0
        pull = 0.0
        for s in range(WIDE):
            rest = outcome[c, s]
            for t in range(WIDE):
                rest -= gram[s, t] * seen[2 * WIDE + 1, t]
            pull += seen[2 * WIDE, s] * rest
            for i in range(WIDE):
                one[i] += forth[i, s] * seen[2 * WIDE, s]
                other[i] += back[i, s] * rest
                half[i, s] = 0.0
                for t in range(WIDE):
                    half[i, s] += forth[i, t] * (2.0 * w * seen[t, s] - seen[WIDE + t, s])
        for i in range(WIDE):
            pull -= one[i] * other[i]
            for j in range(i + 1):
                entry = 0.0
                for s in range(WIDE):
                    entry += half[i, s] * forth[j, s]
                shift[i, j] = shift[j, i] = entry
        adjusted = adjust(shift, one, other)
        if np.isnan(adjusted):
            adjusted = adjust_by_axes(shift, one, other)
        variance += (w * (pull + adjusted)) ** 2
    return variance


@kernel
def adjust(shift: Vector, one: Vector, other: Vector) -> float:
    """Return one' B^(-1/2) other for B = I - shift, (3, 3); NaN where an eigenvalue may be below `SMALL`.

    With I_1, I_2, I_3 the invariants of B and e_1, e_2, e_3 those of its root:
    e_3 = root(I_3), e_1^2 - 2 e_2 = I_1, e_2^2 - 2 e_1 e_3 = I_2, of which e_1 is
    the largest solution, hence Newton from above; and B^(1/2) (B + e_2 I) = e_1 B
    + e_3 I (Hoger & Carlson 1984, Quarterly of Applied Mathematics 42).
    """
    a, b, c = 1.0 - shift[0, 0], 1.0 - shift[1, 1], 1.0 - shift[2, 2]
    d, e, f = -shift[1, 0], -shift[2, 0], -shift[2, 1]
    trace, minors = a + b + c, a * b - d * d + a * c - e * e + b * c - f * f
    determinant = a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e)
    if not 4.0 * determinant >= SMALL * trace * trace:  # the smallest eigenvalue is at least I_3 / (I_1 / 2)^2
        return np.nan
    third, first = np.sqrt(determinant), np.sqrt(3.0 * trace)
    second = 0.5 * (first * first - trace)
    for _ in range(MOST_STEPS):
        step = 0.5 * (second * second - 2.0 * first * third - minors) / (first * second - third)
        first -= step
        second = 0.5 * (first * first - trace)
        if step <= SETTLED * first:
            break
    x = (a + second) * other[0] + d * other[1] + e * other[2]
    y = d * other[0] + (b + second) * other[1] + f * other[2]
    z = e * other[0] + f * other[1] + (c + second) * other[2]
    a, b, c = first * a + third, first * b + third, first * c + third
    d, e, f = first * d, first * e, first * f
    p, q, r = b * c - f * f, e * f - c * d, d * f - b * e  # cofactors
    s, t, u = a * c - e * e, d * e - a * f, a * b - d * d
    above = one[0] * (p * x + q * y + r * z) + one[1] * (q * x + s * y + t * z) + one[2] * (r * x + t * y + u * z)
    return float(above / (a * p + d * q + e * r))


@kernel
def adjust_by_axes(shift: Vector, one: Vector, other: Vector) -> float:
    """Return one' B^(-1/2) other for B = I - shift, all written over; NaN where a leverage is all but one.

    Where it is one, the axis counts for nothing: the generalised inverse.
    """
    turn_level(shift, one, other)
    adjusted = 0.0
    for i in range(len(one)):
        left = 1.0 - shift[i, i]
        if left >= DOUBTFUL:
            adjusted += one[i] * other[i] / np.sqrt(left)
        elif left >= GONE:
            return np.nan
    return adjusted


@kernel
def turn_level(square: Vector, one: Vector, other: Vector) -> None:
    """Turn a symmetric (r, r) matrix to its axes, in place, and two vectors with it.

    Plane rotations until nothing is left off the diagonal (Golub & Van Loan 2013, section 8.5).
    """
    r = len(square)
    for _ in range(MOST_SWEEPS):
        moved = False
        for i in range(r - 1):
            for j in range(i + 1, r):
                if abs(square[i, j]) <= LEVEL:
                    continue
                moved = True
                half = (square[j, j] - square[i, i]) / (2.0 * square[i, j])
                tangent = (1.0 if half >= 0.0 else -1.0) / (abs(half) + np.sqrt(1.0 + half * half))
                cosine = 1.0 / np.sqrt(1.0 + tangent * tangent)
                sine = tangent * cosine
                square[i, i] -= tangent * square[i, j]
                square[j, j] += tangent * square[i, j]
                square[i, j] = square[j, i] = 0.0
                for k in range(r):
                    if k != i and k != j:
                        a, b = square[k, i], square[k, j]
                        square[k, i] = square[i, k] = cosine * a - sine * b
                        square[k, j] = square[j, k] = sine * a + cosine * b
                one[i], one[j] = cosine * one[i] - sine * one[j], sine * one[i] + cosine * one[j]
                other[i], other[j] = cosine * other[i] - sine * other[j], sine * other[i] + cosine * other[j]
        if not moved:
            return
