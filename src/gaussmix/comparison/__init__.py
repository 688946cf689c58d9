"""Compare solvers and ways of assigning rows on one data set."""
