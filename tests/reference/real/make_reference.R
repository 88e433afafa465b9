# Reference numbers from established R software, for the project's tests.
# Run from this folder: Rscript make_reference.R   (R 4.2, clubSandwich, estimatr, lme4, metafor). WHOWORKS_SHARED names the folder of real trials.
# Each block prints the exact model it fits; outputs are CSV files beside this script.
suppressMessages({library(clubSandwich); library(estimatr); library(lme4); library(metafor)})
trials <- file.path(Sys.getenv("WHOWORKS_SHARED", "../../../../shared"), "data")
out <- function(d, f) write.csv(d, f, row.names = FALSE)
star <- read.csv(gzfile(file.path(trials, "star.csv.gz")))
k <- subset(star, gr == "K" & cltype %in% c("small", "reg"))
k$z <- as.integer(k$cltype == "small"); k$frl <- as.integer(k$ses == "F")
k <- k[!is.na(k$math), ]
school <- read.csv(gzfile(file.path(trials, "schoolrct.csv.gz")))
crt <- read.csv(file.path(trials, "eef_crt.csv")); mst <- read.csv(file.path(trials, "eef_mst.csv"))

tidy_cr2 <- function(fit, cluster, label, vcov = "CR2") {
  t <- coef_test(fit, vcov = vcov, cluster = cluster, test = "Satterthwaite")
  data.frame(case = label, vcov = vcov, term = t$Coef, estimate = t$beta, std_error = t$SE, df = t$df_Satt, p_value = t$p_Satt,
             n_units = nobs(fit), n_clusters = length(unique(cluster)))
}
rows <- list()
add <- function(fit, cluster, label) for (v in c("CR0", "CR1", "CR2", "CR3"))
  tryCatch(rows[[length(rows) + 1]] <<- tidy_cr2(fit, cluster, label, v), error = function(e) message(label, " ", v, ": ", conditionMessage(e)))
add(lm(outcome.test.score ~ treatment, school), school$school, "schoolrct: outcome.test.score ~ treatment | cluster school")
s2 <- school[!is.na(school$is.female), ]
add(lm(outcome.test.score ~ treatment * is.female, s2), s2$school, "schoolrct, is.female observed: outcome ~ treatment*is.female | cluster school")
s2$w <- 1 / as.numeric(table(s2$school)[as.character(s2$school)])
add(lm(outcome.test.score ~ treatment * is.female, s2, weights = w), s2$school, "same, weights = 1 / school size (each school counts equally)")
add(lm(Posttest ~ Intervention, crt), crt$School, "eef_crt: Posttest ~ Intervention | cluster School")
add(lm(Posttest ~ Intervention + Prettest, crt), crt$School, "eef_crt: Posttest ~ Intervention + Prettest | cluster School")
add(lm(Posttest ~ Intervention * Prettest, crt), crt$School, "eef_crt: Posttest ~ Intervention * Prettest | cluster School")
add(lm(math ~ z, k), k$tch, "STAR K, small vs reg, math observed: math ~ z | cluster tch")
k3 <- k[!is.na(k$frl), ]
add(lm(math ~ z * frl, k3), k3$tch, "STAR K: math ~ z*frl | cluster tch")
add(lm(math ~ z + factor(sch), k), k$tch, "STAR K: math ~ z + factor(sch) | cluster tch")
add(lm(math ~ z + factor(sch), k), k$sch, "STAR K: math ~ z + factor(sch) | cluster sch")
# weights that vary inside a cluster: inverse probability of the class's arm, share of classes within school
cls <- unique(k[, c("sch", "tch", "z")]); pr <- tapply(cls$z, cls$sch, mean); k$e <- pr[as.character(k$sch)]
kw <- k[k$e > 0 & k$e < 1, ]; kw$w <- kw$z / kw$e + (1 - kw$z) / (1 - kw$e)
add(lm(math ~ z + factor(sch), kw, weights = w), kw$sch, "STAR K, e = share of classes within school: math ~ z + factor(sch), weights z/e + (1-z)/(1-e) | cluster sch")
add(lm(math ~ z, kw, weights = w), kw$sch, "STAR K, e = share of classes within school: math ~ z, weights z/e + (1-z)/(1-e) | cluster sch")
kf <- kw[!is.na(kw$frl), ]
add(lm(math ~ z * frl, kf, weights = w), kf$sch, "STAR K, same weights: math ~ z*frl | cluster sch")
# STAR: students were drawn into class types, so e = share of students (small and regular) within school; classes carry the arm, hence cluster = class
k$es <- ave(k$z, k$sch); ks <- k[k$es > 0 & k$es < 1, ]; ks$w <- ks$z / ks$es + (1 - ks$z) / (1 - ks$es)
add(lm(math ~ z + factor(sch), ks, weights = w), ks$tch, "STAR K, e = share of students within school: math ~ z + factor(sch), weights z/e + (1-z)/(1-e) | cluster tch")
add(lm(math ~ z + factor(sch), ks, weights = w), ks$sch, "STAR K, e = share of students within school: math ~ z + factor(sch), weights z/e + (1-z)/(1-e) | cluster sch")
kg <- ks[!is.na(ks$frl), ]
add(lm(math ~ z * frl + factor(sch), kg, weights = w), kg$tch, "STAR K, e = share of students within school: math ~ z*frl + factor(sch), same weights | cluster tch")
mst$e <- ave(mst$Intervention, mst$School); m2 <- mst[mst$e > 0 & mst$e < 1, ]; m2$w <- m2$Intervention / m2$e + (1 - m2$Intervention) / (1 - m2$e)
add(lm(Posttest ~ Intervention + factor(School), m2, weights = w), m2$School, "eef_mst, blocks with both arms: Posttest ~ Intervention + factor(School), weights z/e + (1-z)/(1-e) | cluster School")
add(lm(Posttest ~ Intervention + Prettest, m2, weights = w), m2$School, "eef_mst, blocks with both arms: Posttest ~ Intervention + Prettest, same weights | cluster School")
r <- do.call(rbind, rows); r <- r[!grepl("factor", r$term), ]
out(r, "cluster_robust.csv")

# several contrasts at once (HTZ): do the effects differ across school types?
kt <- k[!is.na(k$schtype), ]; kt$schtype <- factor(kt$schtype, levels = c("inner", "suburb", "rural", "urban"))
f <- lm(math ~ z * schtype, kt)
w <- Wald_test(f, constraints = constrain_zero("z:", reg_ex = TRUE), vcov = "CR2", cluster = kt$tch, test = "HTZ")
out(data.frame(case = "STAR K: math ~ z*schtype | cluster tch; all z:schtype = 0", test = "HTZ", Fstat = w$Fstat, df_num = w$df_num, df_denom = w$df_denom, p_value = w$p_val), "wald_htz.csv")

# design-based differences in means and Lin adjustment (estimatr)
row <- function(fit, term, label) { t <- tidy(fit); t <- t[t$term == term, ]
  data.frame(case = label, term = term, estimate = t$estimate, std_error = t$std.error, df = t$df, p_value = t$p.value, conf_low = t$conf.low, conf_high = t$conf.high, outcome = t$outcome) }
e <- rbind(
  row(difference_in_means(Posttest ~ Intervention, crt, clusters = School), "Intervention", "eef_crt difference_in_means, clusters = School"),
  row(difference_in_means(Posttest ~ Intervention, mst), "Intervention", "eef_mst difference_in_means, no blocks"),
  row(lm_robust(Posttest ~ Intervention + Prettest, crt, clusters = School, se_type = "CR2"), "Intervention", "eef_crt lm_robust CR2, + Prettest"),
  row(lm_lin(Posttest ~ Intervention, ~ Prettest, crt, clusters = School, se_type = "CR2"), "Intervention", "eef_crt lm_lin CR2, ~ Prettest"),
  row(lm_lin(Posttest ~ Intervention, ~ Prettest, mst, se_type = "HC2"), "Intervention", "eef_mst lm_lin HC2, ~ Prettest"),
  row(lm_lin(math ~ z, ~ frl, k3, clusters = tch, se_type = "CR2"), "z", "STAR K lm_lin CR2, ~ frl, clusters = tch"),
  row(lm_robust(math ~ z, k, fixed_effects = ~sch, clusters = tch, se_type = "CR2"), "z", "STAR K lm_robust CR2, school fixed effects, clusters = tch"))
out(e, "design_based.csv")

# cross-site variation: schools as sites in STAR K, student as unit
site <- do.call(rbind, lapply(split(k, k$sch), function(d) { if (length(unique(d$z)) < 2 || min(table(d$z)) < 2) return(NULL)
  m <- tapply(d$math, d$z, mean); v <- tapply(d$math, d$z, var); n <- table(d$z)
  data.frame(sch = d$sch[1], n_treated = n["1"], n_control = n["0"], estimate = m["1"] - m["0"], std_error = sqrt(v["1"]/n["1"] + v["0"]/n["0"])) }))
out(site, "site_effects_star_k.csv")
m <- rma(yi = estimate, sei = std_error, data = site, method = "REML"); p <- predict(m); cq <- confint(m)
mk <- rma(yi = estimate, sei = std_error, data = site, method = "REML", test = "knha"); pk <- predict(mk)
out(data.frame(quantity = c("k", "mean", "se", "ci_low", "ci_high", "tau2", "tau", "tau_ci_low_Qprofile", "tau_ci_high_Qprofile", "I2", "Q", "Q_df", "Q_p", "pi_low", "pi_high", "mean_knha_se", "knha_ci_low", "knha_ci_high", "knha_pi_low", "knha_pi_high"),
  value = c(m$k, m$b, m$se, m$ci.lb, m$ci.ub, m$tau2, sqrt(m$tau2), cq$random["tau", "ci.lb"], cq$random["tau", "ci.ub"], m$I2, m$QE, m$k - 1, m$QEp, p$pi.lb, p$pi.ub, mk$se, mk$ci.lb, mk$ci.ub, pk$pi.lb, pk$pi.ub)), "site_meta_star_k.csv")
bl <- blup(m); out(data.frame(sch = site$sch, estimate = site$estimate, shrunken = bl$pred, shrunken_se = bl$se), "site_shrunken_star_k.csv")
firc <- lmer(math ~ 0 + factor(sch) + z + (0 + z | sch), k, REML = TRUE)
out(data.frame(model = "FIRC: math ~ 0 + factor(sch) + z + (0 + z | sch), REML, common residual variance", estimate = fixef(firc)["z"], std_error = sqrt(vcov(firc)["z", "z"]), tau = sqrt(VarCorr(firc)$sch[1]), sigma = sigma(firc), n = nobs(firc)), "firc_star_k.csv")
# intraclass correlation of the outcome, control arm, one-way random effects
icc <- function(y, g) { f <- lmer(y ~ 1 + (1 | g), REML = TRUE); v <- as.data.frame(VarCorr(f))$vcov; v[1] / sum(v) }
out(data.frame(case = c("STAR K math, reg arm, tch", "STAR K math, reg arm, sch", "schoolrct outcome, control, school", "eef_crt Posttest, control, School"),
  icc = c(with(subset(k, z == 0), icc(math, factor(tch))), with(subset(k, z == 0), icc(math, factor(sch))), with(subset(school, treatment == 0), icc(outcome.test.score, factor(school))), with(subset(crt, Intervention == 0), icc(Posttest, factor(School))))), "icc.csv")
writeLines(grep("^(BLAS|LAPACK):", capture.output(sessionInfo()), invert = TRUE, value = TRUE, perl = TRUE), "session.txt")
