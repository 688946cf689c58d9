# Time searches of mclust among all its models and 1 to 9 components. Argument: a CSV file without a header.
# Each line of input requests one measurement.

suppressPackageStartupMessages(library(mclust))
rows <- as.matrix(read.csv(commandArgs(TRUE)[1], header = FALSE))
search <- function() mclustBIC(rows, verbose = FALSE)
invisible(search())
cat('{"ready": true}\n')
flush(stdout())
input <- file("stdin", open = "r")
while (length(readLines(input, n = 1)) > 0) {
  start <- Sys.time()
  result <- search()
  seconds <- as.numeric(Sys.time() - start, units = "secs")
  best <- names(summary(result))[1]
  cat(sprintf('{"seconds": %.9f, "bic": %.9f, "best": "%s"}\n', seconds, -max(result, na.rm = TRUE), best))
  flush(stdout())
}
