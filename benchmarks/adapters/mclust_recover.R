# Choose a mixture with mclust for each CSV file (true groups in the first column, no header) whose name a line of the
# standard input gives; answer with one JSON line per file.

suppressPackageStartupMessages(library(mclust))
input <- file("stdin", open = "r")
while (length(file <- readLines(input, n = 1)) > 0) {
  table <- as.matrix(read.csv(file, header = FALSE))
  start <- Sys.time()
  fit <- Mclust(table[, -1, drop = FALSE], verbose = FALSE)
  seconds <- as.numeric(Sys.time() - start, units = "secs")
  index <- adjustedRandIndex(fit$classification, table[, 1])
  cat(sprintf('{"seconds": %.6f, "bic": %.6f, "best": "%s,%d", "n_components": %d, "ari": %.6f}\n',
              seconds, -fit$bic, fit$modelName, fit$G, fit$G, index))
  flush(stdout())
}
