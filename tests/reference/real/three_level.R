# Site variation when classes carry the arm: with a class term the school-to-school spread of STAR's effect all but vanishes.
suppressMessages(library(lme4))
trials <- file.path(Sys.getenv("WHOWORKS_SHARED", "../../../../shared"), "data")
star <- read.csv(gzfile(file.path(trials, "star.csv.gz"))); k <- subset(star, gr == "K" & cltype %in% c("small", "reg") & !is.na(math)); k$z <- as.integer(k$cltype == "small")
two <- lmer(math ~ 0 + factor(sch) + z + (0 + z | sch), k, REML = TRUE)
three <- lmer(math ~ 0 + factor(sch) + z + (0 + z | sch) + (1 | tch), k, REML = TRUE)
null <- lmer(math ~ 0 + factor(sch) + z + (1 | tch), k, REML = TRUE)
g <- function(m, n) { v <- as.data.frame(VarCorr(m)); v$sdcor[v$grp == n] }
write.csv(data.frame(quantity = c("tau_without_class", "tau_with_class", "class_sd", "sigma", "z_without_class", "z_with_class", "z_se_with_class", "lr_tau_with_class"),
  value = c(g(two, "sch"), g(three, "sch"), g(three, "tch"), sigma(three), fixef(two)["z"], fixef(three)["z"], sqrt(vcov(three)["z", "z"]), as.numeric(2 * (logLik(three) - logLik(null))))), "three_level_star_k.csv", row.names = FALSE)
