# mclust's choice among all its models and 1 to 9 components. Argument: a CSV file without a header.
# One line of input asks for one measurement.

suppressPackageStartupMessages(library(mclust))
rows <- as.matrix(read.csv(commandArgs(TRUE)[1], header = FALSE))
search <- function() mclustBIC(rows, verbose = FALSE)
invisible(search())
cat('{"ready": true}\n')
flush(stdout())
input <- file("stdin", open = "r")
while (length(readLines(input, n = 1)) > 0) {
  began <- Sys.time()
  found <- search()
  seconds <- as.numeric(Sys.time() - began, units = "secs")
  best <- names(summary(found))[1]
  cat(sprintf('{"seconds": %.9f, "bic": %.9f, "best": "%s"}\n', seconds, -max(found, na.rm = TRUE), best))
  flush(stdout())
}
