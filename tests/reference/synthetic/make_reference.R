# Reference numbers from R on generated pilots. Run from this folder: Rscript make_reference.R
# clubSandwich for cluster-robust errors and joint tests, estimatr for design-based ones. README.md describes the columns.
suppressMessages({library(clubSandwich); library(estimatr)})
read <- function(f) {
  d <- read.csv(f, na.strings = "", stringsAsFactors = FALSE)
  d$z <- as.integer(d$arm != "usual")
  d$setting <- factor(d$setting, levels = c("city", "suburb", "town"))
  d$frl <- ifelse(is.na(d$frl), NA, as.integer(d$frl == "Y"))
  d$own <- as.integer(d$devices == "own")
  d <- d[!is.na(d$rit_spring), ]
  d$class_size <- as.numeric(table(d$class_id)[d$class_id])
  d
}
lake <- read("../../../data/synthetic/lakeside/pilot.csv"); students <- read("students.csv"); eight <- read("eight.csv"); shares <- read("shares.csv")
digits <- function(d) { n <- sapply(d, is.double); d[n] <- lapply(d[n], function(v) ifelse(is.na(v), "NA", sprintf("%.17g", v))); d }
out <- function(d, f) write.csv(digits(d), f, row.names = FALSE, quote = which(!sapply(d, is.numeric)))
has <- function(d, ...) d[complete.cases(d[, c(...)]), ]

# weights z/e + (1-z)/(1-e), e the share offered within `block` of what was drawn: students, or classes counted once
weigh <- function(d, block, unit = NULL) {
  u <- if (is.null(unit)) d else d[!duplicated(d[[unit]]), ]
  e <- tapply(u$z, u[[block]], mean)[as.character(d[[block]])]
  d$e <- as.numeric(e); d <- d[d$e > 0 & d$e < 1, ]
  d$w <- d$z / d$e + (1 - d$z) / (1 - d$e); d
}

rows <- list(); skipped <- character(0)
add <- function(fit, cluster, label, keep = "^(?!factor)") for (v in c("CR0", "CR1", "CR2", "CR3"))
  tryCatch({
    t <- coef_test(fit, vcov = v, cluster = cluster, test = "Satterthwaite")
    r <- data.frame(case = label, vcov = v, term = as.character(t$Coef), estimate = t$beta, std_error = t$SE, df = t$df_Satt, p_value = t$p_Satt,
                    n_units = nobs(fit), n_clusters = length(unique(cluster)), stringsAsFactors = FALSE)
    if (!all(is.finite(r$std_error[grepl("^z", r$term)]))) stop("not finite")
    rows[[length(rows) + 1]] <<- r[grepl(keep, r$term, perl = TRUE) & is.finite(r$std_error) & r$std_error > 1e-6, ]
  }, error = function(e) skipped <<- c(skipped, sprintf("%s | %s: %s", label, v, conditionMessage(e))))

# ---- lakeside: 48 classes assigned within 12 schools
l <- lake; lb <- has(l, "rit_fall"); lf <- has(l, "frl"); ly <- has(l, "teacher_years")
add(lm(rit_spring ~ z, l), l$class_id, "lakeside: rit_spring ~ z | cluster class_id")
add(lm(rit_spring ~ z, l), l$school_id, "lakeside: rit_spring ~ z | cluster school_id")
add(lm(rit_spring ~ z + rit_fall, lb), lb$class_id, "lakeside: rit_spring ~ z + rit_fall | cluster class_id")
add(lm(rit_spring ~ z * frl, lf), lf$class_id, "lakeside: rit_spring ~ z*frl | cluster class_id")
add(lm(rit_spring ~ z * rit_fall, lb), lb$class_id, "lakeside: rit_spring ~ z*rit_fall | cluster class_id")
add(lm(rit_spring ~ z * own, l), l$class_id, "lakeside: rit_spring ~ z*own | cluster class_id")
add(lm(rit_spring ~ z * teacher_years, ly), ly$class_id, "lakeside: rit_spring ~ z*teacher_years | cluster class_id")
add(lm(rit_spring ~ z + factor(school_id), l), l$class_id, "lakeside: rit_spring ~ z + factor(school_id) | cluster class_id", "^z")
add(lm(rit_spring ~ z + factor(school_id), l), l$school_id, "lakeside: rit_spring ~ z + factor(school_id) | cluster school_id", "^z")
add(lm(rit_spring ~ z + rit_fall + factor(school_id), lb), lb$class_id, "lakeside: rit_spring ~ z + rit_fall + factor(school_id) | cluster class_id", "^(z|rit)")
add(lm(rit_spring ~ z * frl + factor(school_id), lf), lf$class_id, "lakeside: rit_spring ~ z*frl + factor(school_id) | cluster class_id", "^(z|frl)")
add(lm(rit_spring ~ z * own + factor(school_id), l), l$class_id, "lakeside: rit_spring ~ z*own + factor(school_id) | cluster class_id", "^(z|own)")
add(lm(rit_spring ~ factor(school_id) + z + z:setting, l), l$class_id, "lakeside: rit_spring ~ factor(school_id) + z + z:setting | cluster class_id", "^z")
add(lm(rit_spring ~ factor(school_id) + z + z:setting, l), l$school_id, "lakeside: rit_spring ~ factor(school_id) + z + z:setting | cluster school_id", "^z")
l$w <- 1 / l$class_size
add(lm(rit_spring ~ z, l, weights = w), l$class_id, "lakeside: rit_spring ~ z, weights 1/class_size | cluster class_id")
add(lm(rit_spring ~ z, l, weights = w), l$school_id, "lakeside: rit_spring ~ z, weights 1/class_size | cluster school_id")
add(lm(rit_spring ~ z + factor(school_id), l, weights = w), l$class_id, "lakeside: rit_spring ~ z + factor(school_id), weights 1/class_size | cluster class_id", "^z")
add(lm(rit_spring ~ z * own + factor(school_id), l, weights = w), l$class_id, "lakeside: rit_spring ~ z*own + factor(school_id), weights 1/class_size | cluster class_id", "^(z|own)")
lw <- weigh(lake, "school_id"); lwf <- has(lw, "frl")
add(lm(rit_spring ~ z, lw, weights = w), lw$school_id, "lakeside, e = share of students in school: rit_spring ~ z, weights z/e + (1-z)/(1-e) | cluster school_id")
add(lm(rit_spring ~ z + factor(school_id), lw, weights = w), lw$class_id, "lakeside, e = share of students in school: rit_spring ~ z + factor(school_id), weights z/e + (1-z)/(1-e) | cluster class_id", "^z")
add(lm(rit_spring ~ z + factor(school_id), lw, weights = w), lw$school_id, "lakeside, e = share of students in school: rit_spring ~ z + factor(school_id), weights z/e + (1-z)/(1-e) | cluster school_id", "^z")
add(lm(rit_spring ~ z * frl + factor(school_id), lwf, weights = w), lwf$class_id, "lakeside, e = share of students in school: rit_spring ~ z*frl + factor(school_id), weights z/e + (1-z)/(1-e) | cluster class_id", "^(z|frl)")

# ---- shares: 32 classes, a quarter, half or three quarters offered within each of 8 schools
s <- weigh(shares, "school_id", "class_id"); sf <- has(s, "frl"); sb <- has(s, "rit_fall")
add(lm(rit_spring ~ z, s, weights = w), s$class_id, "shares, e = share of classes in school: rit_spring ~ z, weights z/e + (1-z)/(1-e) | cluster class_id")
add(lm(rit_spring ~ z, s, weights = w), s$school_id, "shares, e = share of classes in school: rit_spring ~ z, weights z/e + (1-z)/(1-e) | cluster school_id")
add(lm(rit_spring ~ z + factor(school_id), s, weights = w), s$class_id, "shares, e = share of classes in school: rit_spring ~ z + factor(school_id), weights z/e + (1-z)/(1-e) | cluster class_id", "^z")
add(lm(rit_spring ~ z + factor(school_id), s, weights = w), s$school_id, "shares, e = share of classes in school: rit_spring ~ z + factor(school_id), weights z/e + (1-z)/(1-e) | cluster school_id", "^z")
add(lm(rit_spring ~ z + rit_fall + factor(school_id), sb, weights = w), sb$class_id, "shares, e = share of classes in school: rit_spring ~ z + rit_fall + factor(school_id), weights z/e + (1-z)/(1-e) | cluster class_id", "^(z|rit)")
add(lm(rit_spring ~ z * frl + factor(school_id), sf, weights = w), sf$class_id, "shares, e = share of classes in school: rit_spring ~ z*frl + factor(school_id), weights z/e + (1-z)/(1-e) | cluster class_id", "^(z|frl)")
add(lm(rit_spring ~ z * frl + factor(school_id), sf, weights = w), sf$school_id, "shares, e = share of classes in school: rit_spring ~ z*frl + factor(school_id), weights z/e + (1-z)/(1-e) | cluster school_id", "^(z|frl)")
add(lm(rit_spring ~ z * own + factor(school_id), s, weights = w), s$class_id, "shares, e = share of classes in school: rit_spring ~ z*own + factor(school_id), weights z/e + (1-z)/(1-e) | cluster class_id", "^(z|own)")
s$wn <- s$w / s$class_size
add(lm(rit_spring ~ z + factor(school_id), s, weights = wn), s$school_id, "shares, e = share of classes in school: rit_spring ~ z + factor(school_id), weights (z/e + (1-z)/(1-e))/class_size | cluster school_id", "^z")

# ---- students: 320 students drawn in pairs within 16 classes of 8 schools; weights vary inside classes, blocks inside clusters
t <- weigh(students, "class_id"); tf <- has(t, "frl"); tb <- has(t, "rit_fall")
add(lm(rit_spring ~ z, students), seq_len(nrow(students)), "students: rit_spring ~ z | cluster student_id")
add(lm(rit_spring ~ z, t, weights = w), t$class_id, "students, e = share of students in class: rit_spring ~ z, weights z/e + (1-z)/(1-e) | cluster class_id")
add(lm(rit_spring ~ z, t, weights = w), t$school_id, "students, e = share of students in class: rit_spring ~ z, weights z/e + (1-z)/(1-e) | cluster school_id")
add(lm(rit_spring ~ z + factor(class_id), t, weights = w), t$class_id, "students, e = share of students in class: rit_spring ~ z + factor(class_id), weights z/e + (1-z)/(1-e) | cluster class_id", "^z")
add(lm(rit_spring ~ z + factor(class_id), t, weights = w), t$school_id, "students, e = share of students in class: rit_spring ~ z + factor(class_id), weights z/e + (1-z)/(1-e) | cluster school_id", "^z")
add(lm(rit_spring ~ z + factor(class_id), t), t$school_id, "students: rit_spring ~ z + factor(class_id) | cluster school_id", "^z")
add(lm(rit_spring ~ z + rit_fall + factor(class_id), tb, weights = w), tb$school_id, "students, e = share of students in class: rit_spring ~ z + rit_fall + factor(class_id), weights z/e + (1-z)/(1-e) | cluster school_id", "^(z|rit)")
add(lm(rit_spring ~ z * frl + factor(class_id), tf, weights = w), tf$school_id, "students, e = share of students in class: rit_spring ~ z*frl + factor(class_id), weights z/e + (1-z)/(1-e) | cluster school_id", "^(z|frl)")
add(lm(rit_spring ~ factor(class_id) + z + z:own, t, weights = w), t$class_id, "students, e = share of students in class: rit_spring ~ factor(class_id) + z + z:own, weights z/e + (1-z)/(1-e) | cluster class_id", "^z")
p <- students[ave(students$z, students$pair_id) > 0 & ave(students$z, students$pair_id) < 1, ]
add(lm(rit_spring ~ z + factor(pair_id), p), p$pair_id, "students, pairs with both arms: rit_spring ~ z + factor(pair_id) | cluster pair_id", "^z")
add(lm(rit_spring ~ z + factor(pair_id), p), p$class_id, "students, pairs with both arms: rit_spring ~ z + factor(pair_id) | cluster class_id", "^z")

# ---- eight: 8 schools assigned whole
g <- eight; gf <- has(g, "frl"); gb <- has(g, "rit_fall")
add(lm(rit_spring ~ z, g), g$school_id, "eight: rit_spring ~ z | cluster school_id")
add(lm(rit_spring ~ z + rit_fall, gb), gb$school_id, "eight: rit_spring ~ z + rit_fall | cluster school_id")
add(lm(rit_spring ~ z * frl, gf), gf$school_id, "eight: rit_spring ~ z*frl | cluster school_id")
add(lm(rit_spring ~ z * own, g), g$school_id, "eight: rit_spring ~ z*own | cluster school_id")
g$w <- 1 / as.numeric(table(g$school_id)[g$school_id])
add(lm(rit_spring ~ z, g, weights = w), g$school_id, "eight: rit_spring ~ z, weights 1/school size | cluster school_id")
out(do.call(rbind, rows), "cluster_robust.csv")
writeLines(c("Not in cluster_robust.csv, and why:", skipped), "skipped.txt")

# ---- several coefficients at once
tests <- list()
joint <- function(fit, cluster, label) { w <- Wald_test(fit, constraints = constrain_zero("^z:|:z$", reg_ex = TRUE), vcov = "CR2", cluster = cluster, test = "HTZ")
  tests[[length(tests) + 1]] <<- data.frame(case = label, test = "HTZ", Fstat = w$Fstat, df_num = w$df_num, df_denom = w$df_denom, p_value = w$p_val, stringsAsFactors = FALSE) }
l <- lake; l$years3 <- cut(l$teacher_years, c(-Inf, 5, 10, Inf), labels = c("to5", "to10", "over10")); l3 <- has(l, "years3")
joint(lm(rit_spring ~ z * setting, l), l$class_id, "lakeside: rit_spring ~ z*setting | cluster class_id; all z:setting = 0")
joint(lm(rit_spring ~ z * setting, l), l$school_id, "lakeside: rit_spring ~ z*setting | cluster school_id; all z:setting = 0")
joint(lm(rit_spring ~ z * setting, l, weights = 1 / class_size), l$class_id, "lakeside: rit_spring ~ z*setting, weights 1/class_size | cluster class_id; all z:setting = 0")
joint(lm(rit_spring ~ factor(school_id) + z + z:setting, l), l$class_id, "lakeside: rit_spring ~ factor(school_id) + z + z:setting | cluster class_id; all z:setting = 0")
joint(lm(rit_spring ~ z * years3, l3), l3$class_id, "lakeside, teacher_years in (-inf, 5], (5, 10], (10, inf): rit_spring ~ z*years3 | cluster class_id; all z:years3 = 0")
joint(lm(rit_spring ~ z * years3 + factor(school_id), l3), l3$class_id, "lakeside, teacher_years in (-inf, 5], (5, 10], (10, inf): rit_spring ~ z*years3 + factor(school_id) | cluster class_id; all z:years3 = 0")
joint(lm(rit_spring ~ z * frl + z * own, lf), lf$class_id, "lakeside: rit_spring ~ z*frl + z*own | cluster class_id; z:frl = z:own = 0")
joint(lm(rit_spring ~ z * setting, s, weights = w), s$class_id, "shares, e = share of classes in school: rit_spring ~ z*setting, weights z/e + (1-z)/(1-e) | cluster class_id; all z:setting = 0")
joint(lm(rit_spring ~ factor(school_id) + z + z:setting, s, weights = w), s$class_id, "shares, e = share of classes in school: rit_spring ~ factor(school_id) + z + z:setting, weights z/e + (1-z)/(1-e) | cluster class_id; all z:setting = 0")
joint(lm(rit_spring ~ factor(class_id) + z + z:setting, t, weights = w), t$class_id, "students, e = share of students in class: rit_spring ~ factor(class_id) + z + z:setting, weights z/e + (1-z)/(1-e) | cluster class_id; all z:setting = 0")
out(do.call(rbind, tests), "wald_htz.csv")

# ---- design-based: differences in means, CR2/HC2 regression, Lin (2013)
row <- function(fit, label, term = "z") { t <- tidy(fit); t <- t[t$term == term, ]
  data.frame(case = label, term = term, estimate = t$estimate, std_error = t$std.error, df = t$df, p_value = t$p.value, conf_low = t$conf.low, conf_high = t$conf.high, outcome = t$outcome, stringsAsFactors = FALSE) }
l <- lake
out(rbind(
  row(difference_in_means(rit_spring ~ z, l, clusters = class_id), "lakeside difference_in_means, clusters = class_id"),
  row(difference_in_means(rit_spring ~ z, eight, clusters = school_id), "eight difference_in_means, clusters = school_id"),
  row(difference_in_means(rit_spring ~ z, students), "students difference_in_means, no blocks"),
  row(lm_robust(rit_spring ~ z, students, se_type = "HC2"), "students lm_robust HC2"),
  row(lm_robust(rit_spring ~ z + rit_fall, lb, clusters = class_id, se_type = "CR2"), "lakeside lm_robust CR2, + rit_fall, clusters = class_id"),
  row(lm_robust(rit_spring ~ z, l, fixed_effects = ~school_id, clusters = class_id, se_type = "CR2"), "lakeside lm_robust CR2, school_id fixed effects, clusters = class_id"),
  row(lm_robust(rit_spring ~ z, l, fixed_effects = ~school_id, clusters = school_id, se_type = "CR2"), "lakeside lm_robust CR2, school_id fixed effects, clusters = school_id"),
  row(lm_robust(rit_spring ~ z, students, fixed_effects = ~class_id, clusters = school_id, se_type = "CR2"), "students lm_robust CR2, class_id fixed effects, clusters = school_id"),
  row(lm_lin(rit_spring ~ z, ~ rit_fall, lb, clusters = class_id, se_type = "CR2"), "lakeside lm_lin CR2, ~ rit_fall, clusters = class_id"),
  row(lm_lin(rit_spring ~ z, ~ rit_fall, has(students, "rit_fall"), se_type = "HC2"), "students lm_lin HC2, ~ rit_fall"),
  row(lm_lin(rit_spring ~ z, ~ rit_fall + frl, has(eight, "rit_fall", "frl"), clusters = school_id, se_type = "CR2"), "eight lm_lin CR2, ~ rit_fall + frl, clusters = school_id")), "design_based.csv")
info <- capture.output(sessionInfo())
writeLines(grep("^(BLAS|LAPACK):", info, invert = TRUE, value = TRUE, perl = TRUE), "session.txt")
