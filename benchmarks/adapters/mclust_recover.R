# Choose a mixture with mclust for each CSV file (true groups in the first column, no header); one JSON line per file.

suppressPackageStartupMessages(library(mclust))
for (file in commandArgs(TRUE)) {
  table <- as.matrix(read.csv(file, header = FALSE))
  start <- Sys.time()
  fit <- Mclust(table[, -1, drop = FALSE], verbose = FALSE)
  seconds <- as.numeric(Sys.time() - start, units = "secs")
  index <- adjustedRandIndex(fit$classification, table[, 1])
  cat(sprintf('{"seconds": %.6f, "bic": %.6f, "best": "%s,%d", "n_components": %d, "ari": %.6f}\n',
              seconds, -fit$bic, fit$modelName, fit$G, fit$G, index))
  flush(stdout())
}
