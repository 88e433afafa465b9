# Site variation from R on generated pilots. Run from this folder: Rscript make_site_reference.R. README.md describes the columns.
# lme4 for the mixed models, metafor for the meta-analysis.
suppressMessages({library(lme4); library(metafor)})
read <- function(f) {
  d <- read.csv(f, na.strings = "", stringsAsFactors = FALSE)
  d$z <- as.integer(d$arm != "usual"); d <- d[!is.na(d$rit_spring), ]
  # effects that differ between schools by a known amount, so that no spread is estimated at its boundary
  d$moved <- d$rit_spring + d$z * 4 * ((5 * as.integer(factor(d$school_id))) %% 7 - 3)
  d
}
lake <- read("../../../data/synthetic/lakeside/pilot.csv"); students <- read("students.csv"); shares <- read("shares.csv")
digits <- function(d) { n <- sapply(d, is.double); d[n] <- lapply(d[n], function(v) ifelse(is.na(v), "NA", sprintf("%.17g", v))); d }
out <- function(d, f) write.csv(digits(d), f, row.names = FALSE, quote = which(!sapply(d, is.numeric)))
tight <- lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-12, xtol_rel = 1e-12, ftol_abs = 1e-14, ftol_rel = 1e-14, maxeval = 1e5))
quiet <- function(formula, d, ...) suppressMessages(suppressWarnings(lmer(formula, d, REML = TRUE, control = tight, ...)))

# the deviance along theta = tau / sigma, least over the class term, and where it has risen by the chi-squared quantile
profile <- function(m) {
  f <- as.function(update(m, devFunOnly = TRUE)); theta <- getME(m, "theta"); at <- which(names(theta) == "school_id.z")
  least <- function(t) if (length(theta) == 1) f(t) else optimize(function(o) f(if (at == 1) c(t, o) else c(o, t)), c(0, 3), tol = 1e-10)$objective
  floor <- least(theta[at]); rise <- function(t) least(t) - floor - qchisq(.95, 1)
  c(low = if (rise(0) <= 0) 0 else uniroot(rise, c(0, theta[at]), tol = 1e-11)$root, high = uniroot(rise, c(theta[at], 10), tol = 1e-11)$root, ratio = least(0) - floor)
}
row <- function(label, m) {
  v <- as.data.frame(VarCorr(m)); sd_of <- function(g) if (any(v$grp == g)) v$sdcor[v$grp == g] else 0
  p <- profile(m)
  data.frame(case = label, estimate = fixef(m)[["z"]], std_error = sqrt(vcov(m)["z", "z"]), tau = sd_of("school_id"), omega = sd_of("class_id"), sigma = sigma(m),
             likelihood_ratio = p[["ratio"]], tau_low = p[["low"]] * sigma(m), tau_high = p[["high"]] * sigma(m), n_units = nobs(m), stringsAsFactors = FALSE)
}
fit <- function(data, name, outcome, intercepts, covariate, class) {
  d <- if (is.na(covariate)) data else data[!is.na(data[[covariate]]), ]
  right <- c("0", sprintf("factor(%s)", intercepts), "z", if (!is.na(covariate)) covariate, "(0 + z | school_id)", if (class) "(1 | class_id)")
  model <- paste(outcome, "~", paste(right, collapse = " + "))
  row(paste0(name, ": ", model), quiet(as.formula(model), d))
}
students$pair <- paste(students$class_id, students$pair_id)
out(rbind(
  fit(students, "students", "moved", "school_id", NA, FALSE), fit(students, "students", "moved", "class_id", "rit_fall", FALSE), fit(students, "students", "moved", "pair", NA, FALSE),
  fit(lake, "lakeside", "moved", "school_id", NA, FALSE), fit(lake, "lakeside", "moved", "school_id", NA, TRUE), fit(lake, "lakeside", "moved", "school_id", "rit_fall", TRUE),
  fit(lake, "lakeside", "rit_spring", "school_id", NA, TRUE), fit(lake, "lakeside", "rit_spring", "school_id", "rit_fall", TRUE), fit(shares, "shares", "moved", "school_id", NA, TRUE)), "site_components.csv")

# schools' differences in means with one pooled variance, and their meta-analysis
sites <- function(d, outcome, name) {
  d$y <- d[[outcome]]; d <- d[ave(d$z, d$school_id) %% 1 > 0, ]
  s2 <- summary(lm(y ~ factor(school_id):factor(z), d))$sigma^2
  do.call(rbind, lapply(split(d, d$school_id), function(s) data.frame(case = name, school_id = s$school_id[1], estimate = mean(s$y[s$z == 1]) - mean(s$y[s$z == 0]), variance = s2 * (1 / sum(s$z) + 1 / sum(1 - s$z)), stringsAsFactors = FALSE)))
}
meta <- function(s) {
  strict <- list(threshold = 1e-12, maxiter = 1000); m <- rma(estimate, variance, data = s, method = "REML", control = strict); k <- rma(estimate, variance, data = s, method = "REML", test = "knha", control = strict)
  ci <- confint(m, control = list(tol = 1e-12, maxiter = 1000))$random; p <- predict(m); pk <- predict(k); b <- blup(k)
  numbers <- c(mean = m$b, std_error = m$se, conf_low = m$ci.lb, conf_high = m$ci.ub, tau2 = m$tau2, tau_low = ci["tau", "ci.lb"], tau_high = ci["tau", "ci.ub"], i2 = m$I2 / 100, q = m$QE, q_p_value = m$QEp,
    prediction_low = p$pi.lb, prediction_high = p$pi.ub, knha_std_error = k$se, knha_low = k$ci.lb, knha_high = k$ci.ub, knha_prediction_low = pk$pi.lb, knha_prediction_high = pk$pi.ub)
  list(numbers = data.frame(case = s$case[1], quantity = names(numbers), value = numbers, stringsAsFactors = FALSE), sites = cbind(s, shrunken = b$pred, shrunken_se = b$se))
}
all <- lapply(list(sites(students, "moved", "students, moved"), sites(students, "rit_spring", "students, rit_spring"), sites(lake, "moved", "lakeside, moved")), meta)
out(do.call(rbind, lapply(all, `[[`, "numbers")), "site_meta.csv"); out(do.call(rbind, lapply(all, `[[`, "sites")), "site_shrunken.csv")
