"""Variance components of an effect: how far it differs between sites, and how far classes differ of their own.

The fixed-intercept, random-coefficient model, and the same with a class term:

    y_ijc = a_j + z_ijc (mean + u_j) + x_ijc' b + v_c + e_ijc
    u_j ~ N(0, tau^2),   v_c ~ N(0, omega^2),   e_ijc ~ N(0, sigma^2)

with a fixed intercept a_j of every block in a site, so that what sites have in
common with both arms never enters (Bloom, Raudenbush, Weiss & Porter 2017,
Journal of Research on Educational Effectiveness 10). Without the class term v
the model is for units assigned one by one. Where whole classes carry the arm a
class's own level counts fully in its site's difference between arms, and
without v it would be read as a difference between sites.

Fitted by restricted maximum likelihood. The likelihood is profiled over the
coefficients and sigma^2 and left as a function of two ratios, gamma = tau^2 /
sigma^2 and kappa = omega^2 / sigma^2. It needs no matrix beyond the columns
[z, x, y]: of each class only size, sums and products enter,

    A_ab     sum over classes of a'b - kappa / (1 + kappa n_c) (1'a) (1'b)
    P_ab     A_ab - A_a1 A_1b / A_11                       intercepts taken out, by block
    G_ab     sum of P_ab over a site's blocks
    T_ab     sum over sites of G_ab - gamma G_az G_zb / (1 + gamma G_zz)

    -2 log L = sum_c log(1 + kappa n_c) + sum_blocks log A_11 + sum_sites log(1 + gamma G_zz)
               + log det T_xx + (n - p) log(T_yy - T_yx T_xx^-1 T_xy) + constant

(the updates are those of Sherman & Morrison; Bates, Maechler, Bolker & Walker
2015, Journal of Statistical Software 67, for the profiled criterion). One
evaluation costs a few operations per class, however many units there are. The
criterion is analytic in both ratios, so its slopes come without a formula of
their own from a complex step (Squire & Trapp 1998, SIAM Review 40).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]

Reduced = tuple[Vector, float]

NO_CONTRAST = 1e-9  # G_zz of a site at or below this: one arm there, and nothing to compare
ALIASED = 1e-14  # a covariate is left out when this little of its sum of squares lies within blocks
COMPLEX_STEP = 1e-30
DIFFERENCE = 1e-4  # relative step for the slopes' own slope, which sets the pace of convergence, not its end
NO_SPREAD = 1e-5  # a standard deviation below this share of sigma is none: the search ends beside 0, not on it
COARSE = 1e-6  # a standard deviation over that and sigma, before Newton's steps
FINE = 1e-8  # the same where only the deviance is wanted, which is flat there
TIGHT = 1e-14


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSums:
    """All that the likelihood needs of the data; classes in the order of their blocks, blocks of their sites.

    size, sums : (C,) units of each class, and (C, q) sums of the columns [z, x..., y]
    block_start : (B,) first class of each block;  site_start : (S,) first block of each site
    products : (B, q, q) sums of products within each block
    n_units, n_fixed : units, and coefficients with intercepts
    """

    size: Vector
    sums: Vector
    block_start: Codes
    site_start: Codes
    products: Vector
    n_units: int
    n_fixed: int

    def reduce(self, kappa: float | complex) -> Reduced:
        """Return each site's products G, (S, q, q), and the log-determinants that depend on kappa alone."""
        damping = 1 + kappa * self.size
        within = self.sums / damping[:, None]
        crossed = self.products - kappa * self._by_block(within[:, :, None] * self.sums[:, None, :])
        ones = self._by_block(self.size / damping)
        level = self._by_block(within)
        crossed = crossed - level[:, :, None] * level[:, None, :] / ones[:, None, None]
        return np.add.reduceat(crossed, self.site_start, axis=0), np.log(damping).sum() + np.log(ones).sum()

    def deviance(self, gamma: float | complex, reduced: Reduced) -> float:
        """Return -2 log L, but for a constant, at gamma and what `reduce` made of kappa."""
        site, determinants = reduced
        total = add_site_term(site, gamma)
        x, y = total[:-1, :-1], total[:-1, -1]
        rest = total[-1, -1] - y @ np.linalg.solve(x, y)
        scale = np.diag(x)
        determinants = determinants + np.log(np.linalg.det(x / scale)) + np.log(scale).sum()
        random = np.log1p(gamma * site[:, 0, 0]).sum()
        return determinants + random + (self.n_units - self.n_fixed) * np.log(rest)  # type: ignore[no-any-return]

    def slopes(self, ratios: Vector) -> Vector:
        """Return the deviance's slopes along gamma and kappa, (2,)."""
        gamma, kappa = ratios
        step = COMPLEX_STEP * 1j
        along = (
            self.deviance(gamma + step, self.reduce(kappa)), self.deviance(gamma, self.reduce(kappa + step))
        )  # fmt: skip
        return np.imag(np.array(along, dtype=np.complex128)) / COMPLEX_STEP

    def _by_block(self, values: NDArray[Any]) -> NDArray[Any]:
        return np.add.reduceat(values, self.block_start, axis=0)


def add_site_term(site: Vector, gamma: float | complex) -> Vector:
    """Return T, (q, q): the sites' products with the random coefficient of z taken into the errors."""
    loading = site[:, :, 0]
    factor = gamma / (1 + gamma * site[:, 0, 0])
    return np.asarray(site.sum(axis=0) - np.einsum("s,sa,sb->ab", factor, loading, loading))


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceComponents:
    """The fitted model, in the units of the outcome.

    mean, std_error : the sites' mean effect, and its model-based error
    tau, omega, sigma : standard deviations between sites' effects, between classes (0 without
        the class term) and between units
    likelihood_ratio : 2 (log L - log L at tau = 0), restricted
    site : (k,) the sites that hold both arms, as given
    estimate, variance : (k,) their effects, each from that site alone, and sampling variances from
        omega and sigma; `random_effects` of these gives tau again
    """

    mean: float
    std_error: float
    tau: float
    omega: float
    sigma: float
    likelihood_ratio: float
    site: NDArray[np.generic]
    estimate: Vector
    variance: Vector
    n_units: int
    n_classes: int
    _sums: ClassSums
    _has_classes: bool

    def tau_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the profile-likelihood limits of tau.

        The values of gamma whose profile deviance, over kappa and all else, lies
        within the quantile of chi-squared with one degree of freedom, times
        sigma as estimated. The lower limit is 0 where the likelihood ratio does
        not exceed that quantile: then classes alone may make all of the spread.
        """
        excess, here = self._excess(level), place_of((self.tau / self.sigma) ** 2)
        far = (1 + here) / 2
        while excess(far) < 0:
            far = (1 + far) / 2
        high = ratio_at(float(optimize.brentq(excess, here, far, xtol=TIGHT)))
        low = 0.0 if excess(0.0) <= 0 else ratio_at(float(optimize.brentq(excess, 0.0, here, xtol=TIGHT)))
        return self.sigma * float(np.sqrt(low)), self.sigma * float(np.sqrt(high))

    def leaves_out_zero(self, level: float = 0.95) -> bool:
        """Tell whether the lower limit of `tau_interval` is above 0, without looking for the limits."""
        return self._excess(level)(0.0) > 0

    def _excess(self, level: float) -> Callable[[float], float]:
        """Return by how much the profile deviance at a place of gamma is more than the interval allows."""
        most = self._profile((self.tau / self.sigma) ** 2) + float(stats.chi2.ppf(level, 1))
        return lambda place: self._profile(ratio_at(place)) - most

    def _profile(self, gamma: float) -> float:
        return profile_deviance(self._sums, gamma, has_classes=self._has_classes)


def fit_variance_components(
    *,
    y: ArrayLike,
    z: ArrayLike,
    site: ArrayLike,
    block: ArrayLike | None = None,
    carrier: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
) -> VarianceComponents:
    """Fit the model by restricted maximum likelihood.

    Parameters
    ----------
    y, z : (n,) arrays
        Outcome, in any unit, and assigned arm (0/1).
    site : (n,) array
        Labels of the sites, between which the effect may differ.
    block : (n,) array, optional
        Labels of what has an intercept of its own; each lies in one site. The site where absent.
    carrier : (n,) array, optional
        Labels of the classes that carry the arm; each lies in one block. Leave
        out where units were assigned one by one. omega is learned from classes
        of one arm in one block: see `count_replicated`.
    covariates : (n, q) array, optional
        Of fixed slopes, one for all sites. What is constant within blocks is left out.

    Raises
    ------
    ValueError
        When lengths differ, values are not finite, a class lies in two blocks or
        a block in two sites, or fewer than two sites hold both arms.
    """
    columns, place, group, unit = _checked(y, z, site, block, carrier, covariates)
    sums = _sum_classes(columns, place, group, unit)
    has_classes = carrier is not None
    reduced = sums.reduce(0.0)
    both = reduced[0][:, 0, 0] > NO_CONTRAST
    if both.sum() < 2:
        raise ValueError(f"{int(both.sum())} site holds both arms; how far effects differ needs two or more")
    gamma, kappa = _maximise(sums, has_classes=has_classes)
    products, _ = reduced = sums.reduce(kappa)
    total = add_site_term(products, gamma)
    inverse = np.linalg.inv(total[:-1, :-1])
    beta = inverse @ total[:-1, -1]
    variance = (total[-1, -1] - total[:-1, -1] @ beta) / (sums.n_units - sums.n_fixed)
    free = products[both, 0, -1] - products[both, 0, 1:-1] @ beta[1:]
    ratio = profile_deviance(sums, 0.0, has_classes=has_classes) - sums.deviance(gamma, reduced)
    return VarianceComponents(
        mean=float(beta[0]), std_error=float(np.sqrt(variance * inverse[0, 0])),
        tau=float(np.sqrt(gamma * variance)), omega=float(np.sqrt(kappa * variance)), sigma=float(np.sqrt(variance)),
        likelihood_ratio=max(ratio, 0.0), site=np.unique(np.asarray(site))[both],
        estimate=free / products[both, 0, 0], variance=variance / products[both, 0, 0],
        n_units=sums.n_units, n_classes=len(sums.size) if has_classes else 0, _sums=sums, _has_classes=has_classes,
    )  # fmt: skip


def count_replicated(*, site: ArrayLike, z: ArrayLike, carrier: ArrayLike) -> int:
    """Count the sites with two or more classes in some arm: those that tell classes from sites.

    A site's difference between arms has variance ``tau^2 + omega^2 (1 / m1 + 1 /
    m0)``, m1 and m0 its classes in each arm, but for the units' own spread. With
    one class in each arm everywhere that is one number, and tau^2 and omega^2
    are not identified apart. Two classes of one arm in one site differ by their
    omega^2 alone; what these sites say of omega^2 is then taken off the rest.
    (Sites whose m1 and m0 differ would identify both as well, but hardly.)
    """
    classes = np.unique(np.column_stack([_codes(site), _codes(z), _codes(carrier)]), axis=0)
    cells, n_classes = np.unique(classes[:, :2], axis=0, return_counts=True)
    return len(np.unique(cells[n_classes > 1, 0]))


def profile_deviance(sums: ClassSums, gamma: float, *, has_classes: bool) -> float:
    """Return the deviance at gamma, lowest over kappa."""
    if not has_classes:
        return sums.deviance(gamma, sums.reduce(0.0))
    return lowest(lambda kappa: sums.deviance(gamma, sums.reduce(kappa)), tolerance=FINE)[1]


def lowest(deviance: Callable[[float], float], *, tolerance: float) -> tuple[float, float]:
    """Return the variance ratio of least deviance, 0 included, and that deviance."""
    found = optimize.minimize_scalar(
        lambda place: deviance(ratio_at(place)), bounds=(0.0, 1.0), method="bounded", options={"xatol": tolerance}
    )  # fmt: skip
    none = deviance(0.0)
    if none <= found.fun or found.x < NO_SPREAD:
        return 0.0, none
    return ratio_at(float(found.x)), float(found.fun)


def ratio_at(place: float) -> float:
    """Return the variance ratio at a place in [0, 1): its root over one plus its root."""
    return (place / (1 - place)) ** 2


def place_of(ratio: float) -> float:
    """Return the place of a variance ratio."""
    root = float(np.sqrt(ratio))
    return root / (1 + root)


def _maximise(sums: ClassSums, *, has_classes: bool) -> tuple[float, float]:
    """Return gamma and kappa of the highest restricted likelihood."""

    def best_gamma(kappa: float) -> tuple[float, float]:
        reduced = sums.reduce(kappa)
        return lowest(lambda gamma: sums.deviance(gamma, reduced), tolerance=COARSE)

    kappa = lowest(lambda each: best_gamma(each)[1], tolerance=COARSE)[0] if has_classes else 0.0
    ratios = _polish(sums, np.array([best_gamma(kappa)[0], kappa]))
    return float(ratios[0]), float(ratios[1])


def _polish(sums: ClassSums, ratios: Vector) -> Vector:
    """Return the ratios where the slopes vanish, by Newton's steps from the least deviance; a ratio of 0 stays."""
    free = np.flatnonzero(ratios > 0)
    if not len(free):
        return ratios
    steps = np.zeros((len(free), 2))
    steps[np.arange(len(free)), free] = DIFFERENCE * ratios[free]
    bend = [(sums.slopes(ratios + step) - sums.slopes(ratios - step)) / (2 * step.sum()) for step in steps]
    curvature = np.array(bend)[:, free]
    polished = ratios.copy()
    for _ in range(6):
        polished[free] -= np.linalg.lstsq(curvature.T, sums.slopes(polished)[free])[0]
    return polished if np.allclose(polished, ratios, rtol=0.01, atol=0) else ratios


def _sum_classes(columns: Vector, place: Codes, group: Codes, unit: Codes) -> ClassSums:
    """Sum the columns by class, their products by block; columns are taken from their block's mean first."""
    n_units = np.bincount(group)
    means = np.column_stack([np.bincount(group, column) for column in columns.T]) / n_units[:, None]
    order = np.lexsort((unit, group, place))
    within = (columns - means[group])[order]
    varies = (within**2).sum(axis=0) > ALIASED * (columns**2).sum(axis=0)
    varies[[0, -1]] = True
    within, place, group, unit = within[:, varies], place[order], group[order], unit[order]
    first = np.flatnonzero(np.r_[True, np.diff(unit) != 0])
    first_unit = np.flatnonzero(np.r_[True, np.diff(group) != 0])
    products = [[np.add.reduceat(a * b, first_unit) for a in within.T] for b in within.T]
    return ClassSums(
        size=np.diff(np.r_[first, len(within)]).astype(np.float64), sums=np.add.reduceat(within, first, axis=0),
        block_start=np.searchsorted(first, first_unit),
        site_start=np.flatnonzero(np.r_[True, np.diff(place[first_unit]) != 0]),
        products=np.moveaxis(np.array(products), -1, 0), n_units=len(within),
        n_fixed=len(first_unit) + within.shape[1] - 1,
    )  # fmt: skip


def _checked(
    y: ArrayLike, z: ArrayLike, site: ArrayLike, block: ArrayLike | None, carrier: ArrayLike | None,
    covariates: ArrayLike | None,
) -> tuple[Vector, Codes, Codes, Codes]:  # fmt: skip
    outcome, arm = np.asarray(y, dtype=np.float64), np.asarray(z, dtype=np.float64)
    x = np.zeros((len(outcome), 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    place = _codes(site)
    group = place if block is None else _codes(block)
    unit = group if carrier is None else _codes(carrier)
    lengths = {len(each) for each in (outcome, arm, x, place, group, unit)}
    if len(lengths) != 1:
        raise ValueError(f"all arrays must have one entry per unit; lengths are {sorted(lengths)}")
    columns = np.column_stack([arm, x, outcome])
    if not np.isfinite(columns).all():
        raise ValueError("y, z and covariates must be finite: leave out units with missing values, and count them")
    for inner, outer, words in ((unit, group, "a class lies in two blocks"), (group, place, "a block in two sites")):
        if len(np.unique(inner)) != len(np.unique(np.column_stack([inner, outer]), axis=0)):
            raise ValueError(f"{words}: give each combination a label of its own")
    return columns, place, group, unit


def _codes(labels: ArrayLike) -> Codes:
    return np.unique(np.asarray(labels), return_inverse=True)[1].astype(np.int64)
