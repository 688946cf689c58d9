"""EM, its accelerations, its hard and stochastic variants, k-means, and split-and-merge moves."""
