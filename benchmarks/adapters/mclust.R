# Time EM iterations of mclust, as workers/iteration_times.py does for Python. Without arguments print versions.
# Arguments: folder, structure, iterations, n, d, K. Each line of input requests one measurement.

quote_all <- function(text) paste0('"', gsub('[\\\\"\n]', " ", text), '"')

if (length(commandArgs(TRUE)) == 0) {
  versions <- c(mclust = as.character(packageVersion("mclust")), blas = basename(unname(extSoftVersion()["BLAS"])))
  pairs <- paste(quote_all(names(versions)), quote_all(versions), sep = ": ", collapse = ", ")
  cat(sprintf('{"python": "R %s", "packages": {%s}}\n', getRversion(), pairs))
  quit()
}

arguments <- commandArgs(TRUE)
folder <- arguments[1]
model <- c(full = "VVV", tied = "EEE", diag = "VVI", spherical = "VII")[[arguments[2]]]
n_iter <- as.integer(arguments[3])
n <- as.integer(arguments[4])
d <- as.integer(arguments[5])
K <- as.integer(arguments[6])

# Unit covariances in the representation of each mclust model.
unit_variance <- function() {
  variance <- list(modelName = model, d = d, G = K, sigma = array(diag(d), c(d, d, K)))
  representations <- list(
    VVV = list(cholsigma = array(diag(d), c(d, d, K))),
    EEE = list(Sigma = diag(d), cholSigma = diag(d)),
    VVI = list(scale = rep(1, K), shape = matrix(1, d, K)),
    VII = list(sigmasq = rep(1, K), scale = rep(1, K))
  )
  c(variance, representations[[model]])
}

fit <- function(n_iter) {
  start <- list(pro = rep(1 / K, K), mean = means, variance = unit_variance())
  em(rows, model, start, control = emControl(tol = c(0, 0), itmax = c(n_iter, n_iter)), warn = FALSE)
}

time_fit <- function(n_iter) {
  start <- Sys.time()
  fit(n_iter)
  as.numeric(Sys.time() - start, units = "secs")
}

# Return the time of an iteration after the first one, as the difference of two fits.
seconds_per_iter <- function() (time_fit(1 + n_iter) - time_fit(1)) / n_iter

prepare <- function() {
  suppressPackageStartupMessages(library(mclust))
  rows <<- matrix(readBin(file.path(folder, "rows.bin"), "double", n * d), ncol = d, byrow = TRUE)
  means <<- matrix(readBin(file.path(folder, "means.bin"), "double", K * d), nrow = d)
  seconds <- time_fit(1)
  if (seconds > 10) stop(sprintf("left out (a fit of one iteration took %.0f s)", seconds))
  start <- Sys.time()
  fitted <- fit(1 + n_iter)$parameters
  seconds <- as.numeric(Sys.time() - start, units = "secs")
  parameters <- c(fitted$pro, fitted$mean, fitted$variance$sigma)
  writeBin(as.double(parameters), file.path(folder, "mclust.bin"))
  n_repeats <<- max(1, min(20, round(0.5 / seconds)))
}

failure <- tryCatch({ prepare(); NULL }, error = function(error) conditionMessage(error))
if (!is.null(failure)) {
  cat(sprintf('{"reason": %s}\n', quote_all(failure)))
  quit()
}
cat('{"ready": true}\n')
flush(stdout())
input <- file("stdin", open = "r")
while (length(readLines(input, n = 1)) > 0) {
  cat(sprintf('{"seconds": %.9f}\n', median(replicate(n_repeats, seconds_per_iter()))))
  flush(stdout())
}
