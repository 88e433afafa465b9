# Ask grf for the average effect and for differences along groups, as its documentation shows it: see grf.py.
suppressPackageStartupMessages(library(grf))
given <- commandArgs(trailingOnly = TRUE)
folder <- given[1]
n <- as.numeric(given[2])
p <- as.numeric(given[3])
m <- as.numeric(given[4])
seed <- as.numeric(given[5])

read <- function(name, length) readBin(file.path(folder, name), "double", length)
X <- matrix(read("X", n * p), n, p)
groups <- matrix(read("groups", n * m), n, m)
forest <- causal_forest(X, read("y", n), read("z", n), clusters = read("cluster", n), num.threads = 1, seed = seed)
found <- average_treatment_effect(forest)[1:2]
for (j in seq_len(m)) {
  known <- which(!is.nan(groups[, j]))
  slopes <- best_linear_projection(forest, groups[known, j, drop = FALSE], subset = known)
  found <- c(found, slopes[2, 1:2])
}
writeBin(as.numeric(found), file.path(folder, "found"))
