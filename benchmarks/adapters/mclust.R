# mclust as a peer: what workers/passes.py is for Python. Without arguments it prints versions.
# Arguments: folder, structure, passes, n, d, K. One line of input asks for one measurement.

quote_all <- function(text) paste0('"', gsub('[\\\\"\n]', " ", text), '"')

if (length(commandArgs(TRUE)) == 0) {
  versions <- c(mclust = as.character(packageVersion("mclust")), blas = basename(unname(extSoftVersion()["BLAS"])))
  pairs <- paste(quote_all(names(versions)), quote_all(versions), sep = ": ", collapse = ", ")
  cat(sprintf('{"python": "R %s", "packages": {%s}}\n', getRversion(), pairs))
  quit()
}

given <- commandArgs(TRUE)
folder <- given[1]
model <- c(full = "VVV", tied = "EEE", diag = "VVI", spherical = "VII")[[given[2]]]
passes <- as.integer(given[3])
n <- as.integer(given[4])
d <- as.integer(given[5])
K <- as.integer(given[6])

# Unit covariances in the forms that mclust's structures ask for.
unit_variance <- function() {
  variance <- list(modelName = model, d = d, G = K, sigma = array(diag(d), c(d, d, K)))
  forms <- list(
    VVV = list(cholsigma = array(diag(d), c(d, d, K))),
    EEE = list(Sigma = diag(d), cholSigma = diag(d)),
    VVI = list(scale = rep(1, K), shape = matrix(1, d, K)),
    VII = list(sigmasq = rep(1, K), scale = rep(1, K))
  )
  c(variance, forms[[model]])
}

fit <- function(count) {
  start <- list(pro = rep(1 / K, K), mean = means, variance = unit_variance())
  em(rows, model, start, control = emControl(tol = c(0, 0), itmax = c(count, count)), warn = FALSE)
}

seconds_of <- function(count) {
  began <- Sys.time()
  fit(count)
  as.numeric(Sys.time() - began, units = "secs")
}

# Passes after the first: a longer fit less a fit of one pass.
measure <- function() (seconds_of(1 + passes) - seconds_of(1)) / passes

begin <- function() {
  suppressPackageStartupMessages(library(mclust))
  rows <<- matrix(readBin(file.path(folder, "rows.bin"), "double", n * d), ncol = d, byrow = TRUE)
  means <<- matrix(readBin(file.path(folder, "means.bin"), "double", K * d), nrow = d)
  first <- seconds_of(1)
  if (first > 10) stop(sprintf("left out (a fit of one pass took %.0f s)", first))
  began <- Sys.time()
  fitted <- fit(1 + passes)$parameters
  taken <- as.numeric(Sys.time() - began, units = "secs")
  numbers <- c(fitted$pro, fitted$mean, fitted$variance$sigma)
  writeBin(as.double(numbers), file.path(folder, "mclust.bin"))
  repeats <<- max(1, min(20, round(0.5 / taken)))
}

failure <- tryCatch({ begin(); NULL }, error = function(error) conditionMessage(error))
if (!is.null(failure)) {
  cat(sprintf('{"reason": %s}\n', quote_all(failure)))
  quit()
}
cat('{"ready": true}\n')
flush(stdout())
input <- file("stdin", open = "r")
while (length(readLines(input, n = 1)) > 0) {
  cat(sprintf('{"seconds": %.9f}\n', median(replicate(repeats, measure()))))
  flush(stdout())
}
