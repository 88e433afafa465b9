# Grow grf's causal_forest on the arrays in a folder, and write there what it took and predicts: see grf.py.
suppressPackageStartupMessages(library(grf))
given <- commandArgs(trailingOnly = TRUE)
folder <- given[1]
n <- as.numeric(given[2])
p <- as.numeric(given[3])
m <- as.numeric(given[4])
trees <- as.numeric(given[5])
threads <- as.numeric(given[6])
clustered <- given[7] == "1"

read <- function(name, length) readBin(file.path(folder, name), "double", length)
peak <- function() { # megabytes, where the system tells
  line <- tryCatch(grep("VmHWM", readLines("/proc/self/status"), value = TRUE), error = function(e) "NA", warning = function(w) "NA")
  suppressWarnings(as.numeric(gsub("[^0-9]", "", line)) / 1024)
}
look <- function(t) { # leaves and depth of a tree; children stand after their parent
  nodes <- get_tree(forest, t)$nodes
  depth <- numeric(length(nodes))
  for (i in seq_along(nodes)) {
    if (!nodes[[i]]$is_leaf) depth[c(nodes[[i]]$left_child, nodes[[i]]$right_child)] <- depth[i] + 1
  }
  c(sum(vapply(nodes, function(node) node$is_leaf, logical(1))), max(depth))
}

X <- matrix(read("X", n * p), n, p)
y <- read("y", n)
z <- read("z", n)
h <- read("h", n)
cluster <- if (clustered) read("cluster", n) else NULL
before <- peak()
took <- system.time(
  forest <- causal_forest(
    X, y, z,
    Y.hat = h, W.hat = rep(0.5, n), num.trees = trees, clusters = cluster, sample.fraction = 0.5, mtry = p,
    min.node.size = 5, honesty = TRUE, num.threads = threads, seed = 1, compute.oob.predictions = FALSE
  )
)
after <- peak()
shape <- rowMeans(sapply(seq_len(min(trees, 20)), look))
effect <- predict(forest, matrix(read("new", m * p), m, p), num.threads = threads)$predictions
busy <- took[["user.self"]] + took[["sys.self"]]
writeBin(as.numeric(c(took[["elapsed"]], busy, shape, after - before, after, effect)), file.path(folder, "found"))
